import type { DuckDBInstance } from '@duckdb/node-api';
import type { Queries } from '../query/queries.ts';
import { serviceDirectoryOf } from '../service/state-directory.ts';
import { mapStacks } from '../source-map/map-stacks.ts';
import { SourceMaps } from '../source-map/source-maps.ts';
import { currentSegments, summaryOf } from '../trace/build-trace.ts';
import type { TraceQuery, TraceRange } from '../trace/query.ts';
import type { SegmentDocument, TelemetrySink } from '../trace/records.ts';
import type { Orphans, Rejection, Trace, TraceSummary } from '../trace/trace.ts';
import { normalTraceId } from '../trace/trace-id.ts';
import { withTimeout } from '../with-timeout.ts';
import { type AttributeColumn, AttributeColumns, readAttributeColumns } from './attribute-columns.ts';
import { Changes } from './changes.ts';
import { type LogReads, readLogEvents, readLogStreams } from './log-events.ts';
import { type MetricReads, readMetricNames, readMetricSamples } from './metric-data.ts';
import { openDatabase, protect } from './open.ts';
import { QueryEngine } from './query/engine.ts';
import { ReadConnections, ReadTimeout, readLimitMilliseconds } from './read-connections.ts';
import { idsAtOnce, Reader, tracesAtOnce } from './reader.ts';
import { errorRow, logRow, metricRow, type Row, segmentRow, spanRow } from './rows.ts';
import { knownTables, type TableName } from './schema.ts';
import { writeSnapshot } from './sql/snapshot.ts';
import { Rejections } from './write/rejections.ts';
import { Writer } from './write/writer.ts';

export interface StoreOptions {
  /** Path of a DuckDB file, or `:memory:`. */
  file: string;
  readOnly?: boolean;
  /** The longest that one read may take; 10 s unless given. */
  readMilliseconds?: number;
}

/**
 * All records of one run: written by the receivers as a sink, read by the read APIs, the
 * console and the command line.
 */
export interface Store extends TelemetrySink, Queries, LogReads, MetricReads {
  /** Resolves when all that was handed over before can be read. Never rejects. */
  flush(): Promise<void>;
  /**
   * @param traceId 32 hex digits or X-Ray's form. @returns undefined for an invalid id, or one of
   * which nothing has arrived.
   */
  trace(traceId: string): Promise<Trace | undefined>;
  /** @returns the latest begun first. */
  traces(query?: TraceQuery): Promise<TraceSummary[]>;
  /**
   * Traces of a range of time, latest begun first, in pages as large as memory likes: for a filter
   * that is not SQL. Without logs, metrics and errors.
   */
  scan(range?: Omit<TraceRange, 'limit'>): AsyncGenerator<Trace[]>;
  /** @returns how many traces `scan` goes through for a range. */
  count(range?: Omit<TraceRange, 'limit'>): Promise<number>;
  /**
   * @returns those of the traces that X-Ray has documents of, from these alone. @param traceIds 32
   * hex digits each.
   */
  segmentTrees(traceIds: readonly string[]): Promise<Trace[]>;
  /**
   * @returns of each trace that is here, by its 32 hex digits, the X-Ray documents that count, as
   * they were sent.
   */
  documents(traceIds: readonly string[]): Promise<Map<string, SegmentDocument[]>>;
  /** @returns of each kind the newest 100 that belong to no trace: no id of theirs leads to one. */
  orphans(): Promise<Orphans>;
  /** Counts of refused records, and of records dropped for want of room (receiver `store`). */
  rejections(): Rejection[];
  /**
   * @param listener is called with the id of each trace of which something can newly be read, at
   * most ten times a second for one trace. @returns what ends it.
   */
  onTrace(listener: (traceId: string) => void): () => void;
  /** The columns of the table `spans` that hold attributes. */
  attributeColumns(): AttributeColumn[];
  /**
   * Copies the run into a file that another process can open: see snapshot.ts. @returns the file.
   */
  snapshot(serviceDirectory: string): Promise<string>;
  /** Reads with SQL; see schema.ts for the tables. @throws what DuckDB says of the statement. */
  query: Reader['rows'];
  /** Writes what waits and closes the file. What comes after it is dropped in silence. */
  close(): Promise<void>;
}

/** How long what arrives may wait for company before it is written. */
const writeEveryMilliseconds = 50;

/** A reader waits so long for what is being written, then reads without it. */
const readWaitsMilliseconds = 250;

/**
 * Opens the store of a run.
 * @throws {LocalFailure} when the file belongs to another process, is not a database, or has
 *   another schema version.
 */
export async function openStore({ file, readOnly = false, readMilliseconds }: StoreOptions): Promise<Store> {
  const instance = await openDatabase(file, readOnly);
  try {
    return await assemble(instance, { file, readOnly, readMilliseconds });
  } catch (error) {
    instance.closeSync();
    throw error;
  }
}

async function lastSequence(reader: Reader): Promise<bigint> {
  const highest = knownTables.map((table) => `SELECT max(sequence) AS sequence FROM ${table}`).join(' UNION ALL ');
  const [row] = await reader.rows(`SELECT max(sequence) AS last FROM (${highest})`);
  return typeof row?.last === 'bigint' ? row.last : 0n;
}

async function assemble(instance: DuckDBInstance, { file, readOnly, readMilliseconds }: StoreOptions): Promise<Store> {
  const directory = serviceDirectoryOf(file);
  const maps = directory === undefined ? undefined : new SourceMaps(directory);
  const rejections = new Rejections();
  const columns = new AttributeColumns();
  const changes = new Changes();
  const writing = await instance.connect();
  const reading = await ReadConnections.open(instance, readMilliseconds);
  const reader = new Reader(reading, (table, error) =>
    rejections.add('store', `a row of ${table} could not be read`, String(error)),
  );
  columns.load(await readAttributeColumns(writing));
  for (const row of await reader.rows('SELECT receiver, reason, detail, count FROM rejections')) {
    rejections.add(String(row.receiver), String(row.reason), String(row.detail), Number(row.count));
  }
  rejections.changed = false;
  const writer = new Writer(writing, columns, rejections, (await lastSequence(reader)) + 1n, {
    stored: (ids) => changes.add(ids),
    wrote: () => protect(file),
    failed: (table, count, error) => rejections.add('store', `could not be written to ${table}`, String(error), count),
  });
  const engine = new QueryEngine(() => instance.connect(), columns);
  let timer: NodeJS.Timeout | undefined;
  let closing: Promise<void> | undefined;

  function take(table: TableName, row: () => Row, attributes?: Parameters<Writer['push']>[2]): void {
    if (readOnly || closing) return;
    try {
      writer.push(table, row(), attributes);
    } catch (error) {
      reject('store', `not fit for ${table}`, error instanceof Error ? error.message : String(error));
      return;
    }
    writeSoon();
  }

  function reject(receiver: string, reason: string, detail: string): void {
    if (readOnly || closing) return;
    rejections.add(receiver, reason, detail);
    writeSoon();
  }

  function writeSoon(): void {
    // Not unref'd: rows are written even when nothing else keeps the process; close() ends the
    // wait.
    timer ??= setTimeout(() => {
      timer = undefined;
      void writer.flush();
    }, writeEveryMilliseconds);
  }

  /**
   * A read includes what was handed over before it, unless that is so much that the read would
   * wait.
   */
  async function settled(): Promise<void> {
    await withTimeout(writer.flush(), readWaitsMilliseconds);
  }

  async function* scan(range: Omit<TraceRange, 'limit'> = {}): AsyncGenerator<Trace[]> {
    await settled();
    const deadline = performance.now() + readLimitMilliseconds;
    let before = range.before;
    for (;;) {
      const page = await reader.range({ ...range, ...(before && { before }), limit: idsAtOnce });
      for (let at = 0; at < page.length; at += tracesAtOnce) {
        if (performance.now() > deadline) throw new ReadTimeout(readLimitMilliseconds);
        const ids = page.slice(at, at + tracesAtOnce).map(({ id }) => id);
        yield await reader.trees(ids, range.segmentsOnly);
      }
      if (page.length < idsAtOnce) return;
      before = page.at(-1);
    }
  }

  async function traces(query: TraceQuery = {}): Promise<TraceSummary[]> {
    const { errors = false, slowMilliseconds, limit = 100, ...range } = query;
    const found: TraceSummary[] = [];
    if (limit <= 0) return found;
    if (!errors && slowMilliseconds === undefined) {
      await settled();
      const page = await reader.range({ ...range, limit });
      for (let at = 0; at < page.length; at += tracesAtOnce) {
        const trees = await reader.trees(page.slice(at, at + tracesAtOnce).map(({ id }) => id));
        found.push(...trees.map(summaryOf));
      }
      return found;
    }
    // SQL keeps a superset: a trace lasts at least as long as its caller waited, and a troubled one
    // need not have failed.
    const sieve = {
      ...range,
      ...(slowMilliseconds !== undefined && { slowMilliseconds }),
      ...(errors && { troubled: true }),
    };
    const fits = ({ error, fault, throttle, duration }: TraceSummary) =>
      (!errors || error || fault || throttle) && duration >= (slowMilliseconds ?? 0);
    for await (const page of scan(sieve)) {
      found.push(...page.map(summaryOf).filter(fits));
      if (found.length >= limit) break;
    }
    return found.slice(0, limit);
  }

  async function close(): Promise<void> {
    clearTimeout(timer);
    changes.close();
    await Promise.all([readOnly ? writing.closeSync() : writer.close(), reading.close(), engine.close()]);
    instance.closeSync();
  }

  return {
    segment: (document) => take('segments', () => segmentRow(document)),
    span: (record) => take('spans', () => spanRow(record), { ...record.resource, ...record.attributes }),
    log: (record) => take('logs', () => logRow(record)),
    metric: (record) => take('metrics', () => metricRow(record)),
    error: (record) => take('errors', () => errorRow(record)),
    rejected: reject,
    flush: () => writer.flush(),
    async trace(traceId) {
      const id = normalTraceId(traceId);
      if (!id) return undefined;
      await settled();
      const trace = await reader.trace(id);
      return trace && maps ? mapStacks(trace, maps) : trace;
    },
    traces,
    scan,
    async count(range = {}) {
      await settled();
      return reader.count(range);
    },
    async segmentTrees(traceIds) {
      await settled();
      return reader.trees(traceIds, true);
    },
    async documents(traceIds) {
      const ids = traceIds.map(normalTraceId).filter((id) => id !== undefined);
      if (ids.length === 0) return new Map();
      await settled();
      const found = await reader.documents([...new Set(ids)]);
      return new Map([...found].map(([id, documents]) => [id, currentSegments(documents)]));
    },
    async logEvents(range) {
      await settled();
      return readLogEvents(reader, range);
    },
    async logStreams(group) {
      await settled();
      return readLogStreams(reader, group);
    },
    async metricNames() {
      await settled();
      return readMetricNames(reader);
    },
    async metricSamples(metric, range) {
      await settled();
      return readMetricSamples(reader, metric, range);
    },
    async orphans() {
      await settled();
      return reader.orphans(100);
    },
    rejections() {
      const lost = Object.entries(writer.dropped()).filter(([, count]) => count > 0);
      const dropped = lost.map(([table, count]) => ({
        intake: 'store',
        reason: `dropped from the full buffer of ${table}`,
        detail: '',
        count,
      }));
      return [...rejections.all(), ...dropped];
    },
    onTrace: (listener) => changes.listen(listener),
    attributeColumns: () => columns.all(),
    async ask(query, options) {
      // All of what was handed over before counts, however much it is.
      await writer.flush();
      return engine.run(query, options);
    },
    async snapshot(serviceDirectory) {
      await writer.flush();
      return writeSnapshot(instance, serviceDirectory);
    },
    async fields() {
      await settled();
      return engine.fields();
    },
    async services() {
      await settled();
      return engine.services();
    },
    async query(sql, values) {
      await settled();
      return reader.rows(sql, values);
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}
