import type { DuckDBConnection } from '@duckdb/node-api';
import { type ColumnType, widened } from '../attribute-columns.ts';

/**
 * Honeycomb's events other than spans: the events and links of spans, OTLP's log records
 * and Honeycomb's own events. `fields` is all of an event's fields as one JSON object, named as
 * Honeycomb names them. Source: github.com/honeycombio/husky, otlp/traces.go and otlp/logs.go.
 */
const tables = [
  `CREATE TEMP TABLE IF NOT EXISTS other_events (
     origin VARCHAR, sequence BIGINT, time BIGINT, sample_rate DOUBLE, service_name VARCHAR, fields VARCHAR)`,
  'CREATE TEMP TABLE IF NOT EXISTS span_exceptions (sequence BIGINT, fields VARCHAR)',
];

const merged = (...objects: string[]) =>
  objects.reduce((one, other) => `json_merge_patch(${one}, coalesce(${other}, '{}'))`);

const ofSpan = (own: string) => `json_object(
  'trace.trace_id', trace_id, 'trace.parent_id', span_id, 'parent_name', span_name, 'meta.signal_type', 'trace',
  'service.name', service_name, 'error', CASE WHEN status = 'error' THEN true END, ${own})`;

/**
 * A column is read of every span only once: the text of all but those with events or links is
 * looked at and let go.
 */
const annotated = (key: 'events' | 'links') => `
  SELECT sequence, trace_id, span_id, name AS span_name, status, service_name, sample_rate, start_nanoseconds,
    json_extract(detail, '$.resource') AS resource, json_extract(detail, '$.context.scopeAttributes') AS scope,
    unnest(json_extract(detail, '$.${key}[*]')) AS part
  FROM spans WHERE sequence > $1::BIGINT AND sequence <= $2::BIGINT AND source = 'otlp' AND contains(detail, '"${key}":[{')`;

const eventTime = `coalesce(TRY_CAST(part ->> '$.timeNanoseconds' AS BIGINT), start_nanoseconds)`;

const annotations = [
  `INSERT INTO other_events SELECT 'span_event', sequence, ${eventTime}, sample_rate, service_name, ${merged(
    ofSpan(`'name', part ->> '$.name', 'meta.annotation_type', 'span_event', 'SampleRate', sample_rate,
      'meta.time_since_span_start_ms', greatest(0, (${eventTime} - start_nanoseconds) / 1e6)`),
    'resource',
    'scope',
    "json_extract(part, '$.attributes')",
  )} FROM (${annotated('events')})`,
  `INSERT INTO other_events SELECT 'link', sequence, start_nanoseconds, sample_rate, service_name, ${merged(
    ofSpan(`'trace.link.trace_id', part ->> '$.traceId', 'trace.link.span_id', part ->> '$.spanId',
      'meta.annotation_type', 'link', 'SampleRate', sample_rate`),
    'resource',
    'scope',
    "json_extract(part, '$.attributes')",
  )} FROM (${annotated('links')})`,
  // Of several exceptions the first: a span's events keep their order, and times may be equal.
  `INSERT INTO span_exceptions SELECT sequence, first(fields) FROM (
     SELECT sequence, fields FROM other_events WHERE origin = 'span_event' AND sequence > $1::BIGINT AND sequence <= $2::BIGINT
       AND (fields ->> '$.name') = 'exception') GROUP BY sequence`,
];

const logsSql = [
  `INSERT INTO other_events SELECT 'log', sequence, CAST(round(time * 1e6) AS BIGINT),
     coalesce(TRY_CAST(detail ->> '$.sampleRate' AS DOUBLE), 1), detail ->> '$.serviceName',
     CASE source WHEN 'honeycomb' THEN ${merged(
       "json_object('SampleRate', coalesce(TRY_CAST(detail ->> '$.sampleRate' AS DOUBLE), 1))",
       'attributes',
     )} ELSE ${merged(
       `json_object('meta.signal_type', 'log', 'severity', lower(level), 'severity_code', TRY_CAST(detail ->> '$.severityNumber' AS BIGINT),
          'severity_text', level, 'body', message, 'event.name', detail ->> '$.eventName', 'trace.trace_id', trace_id,
          'trace.parent_id', span_id, 'meta.annotation_type', CASE WHEN trace_id IS NOT NULL THEN 'span_event' END,
          'service.name', detail ->> '$.serviceName', 'flags', coalesce(TRY_CAST(detail ->> '$.flags' AS BIGINT), 0), 'SampleRate', 1)`,
       "json_extract(detail, '$.resource')",
       "json_extract(detail, '$.context.scopeAttributes')",
       'attributes',
     )} END
   FROM logs WHERE source IN ('otlp', 'honeycomb') AND sequence > $1::BIGINT AND sequence <= $2::BIGINT`,
];

const knownTypes: Record<string, ColumnType> = {
  BOOLEAN: 'BOOLEAN',
  BIGINT: 'BIGINT',
  UBIGINT: 'BIGINT',
  DOUBLE: 'DOUBLE',
};

/** Keeps what a run has of such events in temporary tables, which grow with it. */
export class OtherEvents {
  readonly #connection: DuckDBConnection;
  readonly #types = new Map<string, ColumnType>();
  #spansUpTo: bigint | undefined;
  #logsUpTo: bigint | undefined;

  constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  /** The fields that these events have. */
  get types(): ReadonlyMap<string, ColumnType> {
    return this.#types;
  }

  /**
   * Reads what has come since the last time. Events of spans cost a look at every span, so only who
   * needs them asks.
   */
  async update({ ofSpans }: { ofSpans: boolean }): Promise<void> {
    for (const sql of tables) await this.#connection.run(sql);
    if (ofSpans) this.#spansUpTo = await this.#take('spans', this.#spansUpTo ?? -1n, annotations);
    this.#logsUpTo = await this.#take('logs', this.#logsUpTo ?? -1n, logsSql);
  }

  /** @returns up to where the table has been read now. */
  async #take(table: 'spans' | 'logs', after: bigint, statements: string[]): Promise<bigint> {
    const [row] = await this.#rows(`SELECT max(sequence) AS last FROM ${table}`);
    const last = typeof row?.last === 'bigint' ? row.last : -1n;
    if (last <= after) return after;
    await this.#connection.run('BEGIN');
    try {
      for (const sql of statements) await this.#connection.run(sql, [after, last]);
      await this.#learn(table === 'logs' ? ['log'] : ['span_event', 'link'], after);
      await this.#connection.run('COMMIT');
    } catch (error) {
      await this.#connection.run('ROLLBACK').catch(() => {});
      throw error;
    }
    return last;
  }

  async #learn(origins: string[], after: bigint): Promise<void> {
    const found = await this.#rows(
      `SELECT DISTINCT key, json_type(value) AS type FROM (
         SELECT key, json_extract(fields, '/' || replace(replace(key, '~', '~0'), '/', '~1')) AS value
         FROM (SELECT fields, unnest(json_keys(fields)) AS key FROM other_events
           WHERE origin IN (${origins.map((origin) => `'${origin}'`).join(', ')}) AND sequence > ${after}))`,
    );
    for (const row of found) {
      if (row.type === null || row.type === 'NULL') continue;
      const key = String(row.key);
      const type = knownTypes[String(row.type)] ?? 'VARCHAR';
      const known = this.#types.get(key);
      this.#types.set(key, known === undefined ? type : widened(known, type));
    }
  }

  async #rows(sql: string): Promise<Record<string, unknown>[]> {
    return (await this.#connection.runAndReadAll(sql)).getRowObjects();
  }
}
