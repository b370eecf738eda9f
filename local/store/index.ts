import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { type AttributeColumn, AttributeColumns, readAttributeColumns } from './attribute-columns.ts';
import { currentSegments, summaryOf } from './build-trace.ts';
import { Changes } from './changes.ts';
import { readOrphans } from './orphans.ts';
import { IDS_AT_ONCE, Reader, TRACES_AT_ONCE, type TraceRange } from './reader.ts';
import type { SegmentDocument, TelemetrySink } from './records.ts';
import { type Rejection, Rejections } from './rejections.ts';
import { errorRow, logRow, metricRow, type Row, segmentRow, spanRow } from './rows.ts';
import { SCHEMA_VERSION, schemaStatements, TABLES, type TableName } from './schema.ts';
import type { Orphans, Trace, TraceSummary } from './trace.ts';
import { normalTraceId } from './trace-id.ts';
import { Writer } from './writer.ts';

export interface StoreOptions {
  /** Path of a DuckDB file, or `:memory:`. */
  file: string;
  readOnly?: boolean;
}

export interface TraceQuery {
  /** The latest so many; the same as `limit`. */
  last?: number;
  /** Only traces that are marked error, fault or throttle as a whole. */
  errors?: boolean;
  /** Only traces that lasted at least so long. */
  slowMilliseconds?: number;
  /** Epoch milliseconds: traces that were not over before this. */
  from?: number;
  /** Epoch milliseconds: traces that had begun by this. */
  to?: number;
  /** 100 unless given. */
  limit?: number;
}

/** What was received in one run: written by the intakes as a sink, read by the read APIs, the console and the command line. */
export interface Store extends TelemetrySink {
  /** Resolves when all that was handed over before can be read. Never rejects. */
  flush(): Promise<void>;
  /** @param traceId 32 hex digits or X-Ray's form. @returns undefined for an id that is none, or of which nothing has arrived. */
  trace(traceId: string): Promise<Trace | undefined>;
  /** @returns the latest begun first. */
  traces(query?: TraceQuery): Promise<TraceSummary[]>;
  /** Traces of a range of time, latest begun first, in pages as large as memory likes: for a filter that is not SQL. Without logs, metrics and errors. */
  scan(range?: Omit<TraceRange, 'limit'>): AsyncGenerator<Trace[]>;
  /** @returns those of the traces that X-Ray has documents of, from these alone. @param traceIds 32 hex digits each. */
  segmentTrees(traceIds: readonly string[]): Promise<Trace[]>;
  /** @returns of each trace that is here, by its 32 hex digits, the X-Ray documents that count, as they were sent. */
  documents(traceIds: readonly string[]): Promise<Map<string, SegmentDocument[]>>;
  /** @returns of each kind the newest 100 that belong to no trace: no id of theirs leads to one. */
  orphans(): Promise<Orphans>;
  /** What could not be taken, and what was dropped for want of room (intake `store`). */
  rejections(): Rejection[];
  /** @param listener is called with the id of each trace of which something can newly be read, at most ten times a second for one trace. @returns what ends it. */
  onTrace(listener: (traceId: string) => void): () => void;
  /** The columns of the table `spans` that hold attributes. */
  attributeColumns(): AttributeColumn[];
  /** Reads with SQL; see schema.ts for the tables. @throws what DuckDB says of the statement. */
  query: Reader['rows'];
  /** Forgets what was before `milliseconds` since the epoch. */
  prune(milliseconds: number): Promise<void>;
  /** Writes what waits and closes the file. What comes after it is dropped in silence. */
  close(): Promise<void>;
}

/** How long what arrives may wait for company before it is written. */
const WRITE_EVERY_MILLISECONDS = 50;

/** A reader waits so long for what is being written, then reads without it. */
const READ_WAITS_MILLISECONDS = 250;

/**
 * Opens the store of a run.
 * @throws Error in one sentence when the file is another's, no database, or of another schema version.
 */
export async function openStore({ file, readOnly = false }: StoreOptions): Promise<Store> {
  const instance = await open(file, readOnly);
  try {
    const connections = await Promise.all([instance.connect(), instance.connect()]);
    const [writing, reading] = connections;
    if (!readOnly) for (const sql of schemaStatements()) await writing.run(sql);
    const reader = new Reader(reading);
    await checkVersion(reader, file);
    return await assemble(instance, writing, reader, connections, readOnly);
  } catch (error) {
    instance.closeSync();
    throw error;
  }
}

async function open(file: string, readOnly: boolean): Promise<DuckDBInstance> {
  try {
    // Out of reach: the writer makes its checkpoints itself.
    return await DuckDBInstance.create(file, {
      access_mode: readOnly ? 'READ_ONLY' : 'READ_WRITE',
      checkpoint_threshold: '4GB',
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (/lock/i.test(message)) {
      throw new Error(`${file} is open in another process: its run has not ended.`, { cause: error });
    }
    throw new Error(`${file} cannot be opened as a store of traces: ${message.split('\n')[0]}`, { cause: error });
  }
}

async function checkVersion(reader: Reader, file: string): Promise<void> {
  const found = await reader.rows('SELECT version FROM schema').catch(() => []);
  const version = found[0]?.['version'];
  if (version !== SCHEMA_VERSION) {
    throw new Error(`${file} has schema version ${version ?? 'none'}, this reads version ${SCHEMA_VERSION}.`);
  }
}

async function lastSequence(reader: Reader): Promise<bigint> {
  const highest = TABLES.map((table) => `SELECT max(sequence) AS sequence FROM ${table}`).join(' UNION ALL ');
  const [row] = await reader.rows(`SELECT max(sequence) AS last FROM (${highest})`);
  return typeof row?.['last'] === 'bigint' ? row['last'] : 0n;
}

async function assemble(
  instance: DuckDBInstance,
  writing: DuckDBConnection,
  reader: Reader,
  connections: DuckDBConnection[],
  readOnly: boolean,
): Promise<Store> {
  const rejections = new Rejections();
  const columns = new AttributeColumns();
  const changes = new Changes();
  columns.load(await readAttributeColumns(writing));
  for (const row of await reader.rows('SELECT intake, reason, detail, count FROM rejections')) {
    rejections.add(String(row['intake']), String(row['reason']), String(row['detail']), Number(row['count']));
  }
  const writer = new Writer(writing, columns, (await lastSequence(reader)) + 1n, {
    stored: (ids) => changes.add(ids),
    failed: (table, count, error) => rejections.add('store', `could not be written to ${table}`, String(error), count),
  });
  let timer: NodeJS.Timeout | undefined;
  let closing: Promise<void> | undefined;

  function take(table: TableName, row: () => Row, attributes?: Parameters<Writer['push']>[2]): void {
    if (readOnly || closing) return;
    try {
      writer.push(table, row(), attributes);
    } catch (error) {
      rejections.add('store', `not fit for ${table}`, error instanceof Error ? error.message : String(error));
      return;
    }
    // Not unref'd: what was taken is written although nothing else keeps the process; close() ends the wait.
    timer ??= setTimeout(() => {
      timer = undefined;
      void flush();
    }, WRITE_EVERY_MILLISECONDS);
  }

  async function flush(): Promise<void> {
    await writer.flush();
    if (readOnly || !rejections.changed) return;
    await rejections.write(writing).catch(() => {});
  }

  /** What was handed over before a question is part of its answer, unless there is so much of it that the answer would wait. */
  async function settled(): Promise<void> {
    if (writer.pending === 0) return;
    let patience: NodeJS.Timeout | undefined;
    const enough = new Promise<void>((resolve) => {
      patience = setTimeout(resolve, READ_WAITS_MILLISECONDS);
    });
    await Promise.race([flush(), enough]);
    clearTimeout(patience);
  }

  async function* scan(range: Omit<TraceRange, 'limit'> = {}): AsyncGenerator<Trace[]> {
    await settled();
    let before = range.before;
    for (;;) {
      const page = await reader.range({ ...range, ...(before && { before }), limit: IDS_AT_ONCE });
      for (let at = 0; at < page.length; at += TRACES_AT_ONCE) {
        const ids = page.slice(at, at + TRACES_AT_ONCE).map(({ id }) => id);
        yield await reader.trees(ids, range.segmentsOnly);
      }
      if (page.length < IDS_AT_ONCE) return;
      before = page.at(-1);
    }
  }

  async function traces(query: TraceQuery = {}): Promise<TraceSummary[]> {
    const { last, errors = false, limit = last ?? 100, ...range } = query;
    const found: TraceSummary[] = [];
    if (limit <= 0) return found;
    if (!errors) {
      await settled();
      const page = await reader.range({ ...range, limit });
      for (let at = 0; at < page.length; at += TRACES_AT_ONCE) {
        const trees = await reader.trees(page.slice(at, at + TRACES_AT_ONCE).map(({ id }) => id));
        found.push(...trees.map(summaryOf));
      }
      return found;
    }
    for await (const page of scan({ ...range, troubled: true })) {
      found.push(...page.map(summaryOf).filter(({ error, fault, throttle }) => error || fault || throttle));
      if (found.length >= limit) break;
    }
    return found.slice(0, limit);
  }

  async function close(): Promise<void> {
    clearTimeout(timer);
    changes.close();
    await flush();
    if (!readOnly) await writing.run('CHECKPOINT').catch(() => {});
    for (const connection of connections) connection.closeSync();
    instance.closeSync();
  }

  return {
    segment: (document) => take('segments', () => segmentRow(document)),
    span: (record) => take('spans', () => spanRow(record), { ...record.resource, ...record.attributes }),
    log: (record) => take('logs', () => logRow(record)),
    metric: (record) => take('metrics', () => metricRow(record)),
    error: (record) => take('errors', () => errorRow(record)),
    rejected: (intake, reason, detail) => rejections.add(intake, reason, detail),
    flush,
    async trace(traceId) {
      const id = normalTraceId(traceId);
      if (!id) return undefined;
      await settled();
      return reader.trace(id);
    },
    traces,
    scan,
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
    async orphans() {
      await settled();
      return readOrphans(reader, 100);
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
    async query(sql, values) {
      await settled();
      return reader.rows(sql, values);
    },
    async prune(milliseconds) {
      await flush();
      for (const table of TABLES) {
        const time = table === 'spans' ? 'start_nanoseconds / 1e6' : table === 'segments' ? 'start_time' : 'time';
        await writing.run(`DELETE FROM ${table} WHERE ${time} < $1::DOUBLE`, [milliseconds]);
      }
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}
