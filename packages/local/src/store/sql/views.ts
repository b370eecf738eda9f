import type { AttributeColumn } from '../attribute-columns.ts';
import { knownColumns, quoted } from '../schema.ts';

/** A column that people's SQL may name. */
export interface ViewColumn {
  name: string;
  sql: string;
  /** A description in a few words; empty for an attribute, whose name says it. */
  meaning?: string;
}

/** A view over a run's tables. These names stay when the tables change. */
export interface View {
  name: string;
  meaning: string;
  columns: ViewColumn[];
  from: string;
}

const instant = (milliseconds: string) => `make_timestamp(CAST(round(${milliseconds} * 1000) AS BIGINT))`;

function spans(attributes: readonly AttributeColumn[]): View {
  const fixed: ViewColumn[] = [
    { name: 'time', sql: 'make_timestamp(start_nanoseconds // 1000)', meaning: 'when it began, UTC' },
    { name: 'trace_id', sql: 'trace_id', meaning: '32 hex digits' },
    { name: 'span_id', sql: 'span_id', meaning: '16 hex digits' },
    { name: 'parent_id', sql: 'parent_id', meaning: 'null in a root' },
    { name: 'name', sql: 'name', meaning: '' },
    { name: 'kind', sql: 'kind', meaning: 'internal, server, client, …' },
    { name: 'service', sql: 'service_name', meaning: "OpenTelemetry's service.name" },
    { name: 'duration_ms', sql: 'duration_ms', meaning: 'milliseconds' },
    { name: 'status', sql: 'status', meaning: 'unset, ok or error' },
    { name: 'status_message', sql: 'status_message', meaning: '' },
    { name: 'sample_rate', sql: 'sample_rate', meaning: 'it stands for so many' },
    { name: 'events', sql: "json_extract(detail, '$.events')", meaning: 'JSON' },
    { name: 'links', sql: "json_extract(detail, '$.links')", meaning: 'JSON' },
  ];
  const taken = new Set([...fixed.map(({ name }) => name), ...Object.keys(knownColumns.spans)]);
  // The store already gives each attribute a name that no other has in any case; those of this
  // view's columns are its own.
  const own = attributes.map(({ name }): ViewColumn => {
    const free = taken.has(name.toLowerCase()) ? `${name}~2` : name;
    return { name: free, sql: quoted(name) };
  });
  return {
    name: 'spans',
    meaning: 'OpenTelemetry spans, each attribute in a column of its own name',
    columns: [...fixed, ...own],
    from: 'run.main.spans',
  };
}

/** Attributes that a request's wide event puts on its span, if the service writes one. */
const ofEvent = [
  ['route', 'VARCHAR'],
  ['user', 'VARCHAR'],
  ['error_code', 'VARCHAR'],
  ['cold_start', 'BOOLEAN'],
  ['release', 'VARCHAR'],
  ['database_calls', 'BIGINT'],
  ['database_ms', 'DOUBLE'],
  ['response_bytes', 'BIGINT'],
] as const;

const functionSql = `(SELECT any_value(name) FROM run.main.segments AS f
  WHERE f.trace_id = r.trace_id AND f.origin = 'AWS::Lambda::Function')`;

function requests(attributes: readonly AttributeColumn[]): View {
  const column = new Map(attributes.map(({ key, name }) => [key, `s.${quoted(name)}`]));
  const marker = column.get('cold_start');
  const picked = ofEvent.map(([key, type]) => {
    const source = column.get(key);
    return `${source ? `first(TRY_CAST(${source} AS ${type}) ORDER BY s.sequence)` : `NULL::${type}`} AS ${quoted(key)}`;
  });
  const where = marker ? `${marker} IS NOT NULL` : 'false';
  const from = `(
    SELECT trace_id, start_time, end_time, document ->> '$.http.request.method' AS method, document ->> '$.http.request.url' AS url,
      TRY_CAST(document ->> '$.http.response.status' AS INTEGER) AS status, 1 AS sample_rate
    FROM (SELECT *, row_number() OVER (PARTITION BY trace_id, id ORDER BY end_time IS NULL, sequence DESC) AS nth
      FROM run.main.segments WHERE origin = 'AWS::ApiGateway::Stage')
    WHERE nth = 1
    UNION ALL
    SELECT trace_id, start_nanoseconds / 1e6, end_nanoseconds / 1e6, NULL, name, NULL, sample_rate FROM run.main.spans
    WHERE parent_id IS NULL AND trace_id NOT IN (SELECT trace_id FROM run.main.segments WHERE origin = 'AWS::ApiGateway::Stage')
  ) AS r LEFT JOIN (SELECT s.trace_id, ${picked.join(', ')} FROM run.main.spans AS s WHERE ${where} GROUP BY s.trace_id) AS e
    ON e.trace_id = r.trace_id`;
  return {
    name: 'requests',
    meaning: "Requests as the gateway answered them, with what each request's event says",
    from,
    columns: [
      { name: 'time', sql: instant('r.start_time'), meaning: 'when it arrived, UTC' },
      { name: 'trace_id', sql: 'r.trace_id', meaning: '32 hex digits' },
      { name: 'method', sql: 'r.method', meaning: '' },
      { name: 'url', sql: 'r.url', meaning: "or the root span's name, where no gateway answered" },
      { name: 'status', sql: 'r.status', meaning: 'HTTP' },
      { name: 'duration_ms', sql: 'r.end_time - r.start_time', meaning: 'what the caller waited; null while it runs' },
      { name: 'function', sql: functionSql, meaning: 'the Lambda function' },
      ...ofEvent.map(([name]) => ({ name, sql: `e.${quoted(name)}`, meaning: "of the request's event" })),
      { name: 'sample_rate', sql: 'r.sample_rate', meaning: 'it stands for so many' },
    ],
  };
}

const logs: View = {
  name: 'logs',
  meaning: 'Log lines, of functions and as received',
  from: 'run.main.logs',
  columns: [
    { name: 'time', sql: instant('time'), meaning: 'UTC' },
    { name: 'level', sql: 'level', meaning: 'DEBUG, INFO, WARN, ERROR, …' },
    { name: 'message', sql: 'message', meaning: 'the line as it was written' },
    { name: 'function', sql: 'function_name', meaning: 'the Lambda function' },
    { name: 'trace_id', sql: 'trace_id', meaning: '32 hex digits' },
    { name: 'span_id', sql: 'span_id', meaning: '16 hex digits' },
    { name: 'request_id', sql: 'request_id', meaning: "Lambda's" },
    { name: 'log_group', sql: 'log_group', meaning: '' },
    { name: 'log_stream', sql: 'log_stream', meaning: '' },
    { name: 'source', sql: 'source', meaning: 'function, cloudwatch, otlp or honeycomb' },
    { name: 'attributes', sql: 'TRY_CAST(attributes AS JSON)', meaning: 'JSON' },
  ],
};

const metrics: View = {
  name: 'metrics',
  meaning: 'Metrics, of EMF and OTLP',
  from: 'run.main.metrics',
  columns: [
    { name: 'time', sql: instant('time'), meaning: 'UTC' },
    { name: 'namespace', sql: 'namespace', meaning: '' },
    { name: 'name', sql: 'name', meaning: '' },
    { name: 'unit', sql: 'unit', meaning: '' },
    { name: 'dimensions', sql: 'TRY_CAST(dimensions AS JSON)', meaning: 'JSON' },
    { name: 'values', sql: 'metric_values', meaning: 'the single measurements' },
    {
      name: 'count',
      sql: "coalesce(TRY_CAST(detail ->> '$.distribution.count' AS BIGINT), len(metric_values))",
      meaning: 'how many measurements',
    },
    {
      name: 'sum',
      sql: "coalesce(TRY_CAST(detail ->> '$.distribution.sum' AS DOUBLE), list_sum(metric_values))",
      meaning: 'their sum',
    },
    { name: 'trace_id', sql: 'trace_id', meaning: '32 hex digits' },
    { name: 'source', sql: 'source', meaning: 'emf or otlp' },
  ],
};

const errors: View = {
  name: 'errors',
  meaning: 'Errors as Rollbar received them',
  from: 'run.main.errors',
  columns: [
    { name: 'time', sql: instant('time'), meaning: 'UTC' },
    { name: 'level', sql: 'level', meaning: 'critical, error, warning, …' },
    { name: 'title', sql: 'title', meaning: '' },
    { name: 'fingerprint', sql: 'fingerprint', meaning: 'the same in errors of one group' },
    { name: 'trace_id', sql: 'trace_id', meaning: '32 hex digits' },
    { name: 'request_id', sql: 'request_id', meaning: "Lambda's" },
    { name: 'person', sql: 'person_id', meaning: '' },
    { name: 'environment', sql: 'environment', meaning: '' },
    { name: 'release', sql: 'code_version', meaning: "Rollbar's code version" },
    { name: 'context', sql: 'context', meaning: '' },
    { name: 'uuid', sql: 'uuid', meaning: "Rollbar's" },
    { name: 'item', sql: 'TRY_CAST(item AS JSON)', meaning: 'JSON, the whole item' },
  ],
};

/** @returns the views that people's SQL reads: over tables of the attached database `run`. */
export function views(attributes: readonly AttributeColumn[]): View[] {
  return [requests(attributes), spans(attributes), logs, metrics, errors];
}

export function createView({ name, columns, from }: View): string {
  const selected = columns.map((column) => `${column.sql} AS ${quoted(column.name)}`);
  return `CREATE VIEW ${quoted(name)} AS SELECT ${selected.join(', ')} FROM ${from}`;
}
