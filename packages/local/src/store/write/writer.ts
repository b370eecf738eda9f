import { setImmediate } from 'node:timers/promises';
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBType,
  type DuckDBValue,
  VARCHAR,
} from '@duckdb/node-api';
import type { AttributeValue } from '../../trace/records.ts';
import {
  type AttributeColumns,
  type ColumnType,
  columnValue,
  readAttributeColumns,
  sqlKeys,
} from '../attribute-columns.ts';
import type { Row } from '../rows.ts';
import { knownColumns, knownTables, quoted, type TableName } from '../schema.ts';
import { BoundedBuffer } from './bounded-buffer.ts';
import type { Rejections } from './rejections.ts';

/**
 * Rows that are handed to the database in one go: some microseconds each, so that the event loop is
 * held for some 4 ms and no more. A span of 30 attributes has three times the columns of a segment.
 */
const rowsAtOnce = 500;
const spansAtOnce = 200;

/**
 * Rows of one transaction. A commit costs a sync to the disk however few they are; one that fails is
 * begun again in smaller parts, and a reader sees nothing of it before its end.
 */
const rowsOfTransaction = 5_000;

/**
 * After so many rows what is in the log goes into the file proper: off this thread, since DuckDB
 * would otherwise do it on its own within a write, which holds the event loop for as long as it
 * takes.
 */
const checkpointAfterRows = 50_000;

/**
 * Of the order of 500 MB when full of segments of 1 KB in a process that has stopped writing: never
 * unbounded.
 */
const mostBuffered = 200_000;

const columnTypes: Record<ColumnType, DuckDBType> = { BOOLEAN, BIGINT, DOUBLE, VARCHAR };

const none: ReadonlyMap<string, AttributeValue> = new Map();

interface Pending {
  row: Row;
  attributes?: Map<string, AttributeValue>;
}

interface Batch {
  table: TableName;
  rows: Pending[];
}

/** Counts of refused input are written at most so often: a flood of them must not fill the file. */
const rejectionsEveryMilliseconds = 1_000;

export interface WriterEvents {
  /** Trace ids of rows that can be read from now on. */
  stored(traceIds: Set<string>): void;
  /** The file's log may be a new one. */
  wrote(): Promise<void>;
  /** Rows that the database would not take. */
  failed(table: TableName, count: number, error: unknown): void;
}

/**
 * Takes rows at once and writes them in batches, one after another. Nothing else writes to the
 * file: two users of one connection would write a batch twice, or lose it.
 */
export class Writer {
  readonly #connection: DuckDBConnection;
  readonly #columns: AttributeColumns;
  readonly #rejections: Rejections;
  readonly #events: WriterEvents;
  readonly #buffers: Record<TableName, BoundedBuffer<Pending>>;
  #sequence: bigint;
  #draining: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #sinceCheckpoint = 0;
  #rejectionsWritten = 0;
  /** Since the last checkpoint. */
  #hasWritten = false;

  constructor(
    connection: DuckDBConnection,
    columns: AttributeColumns,
    rejections: Rejections,
    sequence: bigint,
    events: WriterEvents,
  ) {
    this.#connection = connection;
    this.#rejections = rejections;
    this.#columns = columns;
    this.#sequence = sequence;
    this.#events = events;
    const buffers = knownTables.map((table) => [table, new BoundedBuffer<Pending>(mostBuffered)] as const);
    this.#buffers = Object.fromEntries(buffers) as Record<TableName, BoundedBuffer<Pending>>;
  }

  get #pending(): number {
    return knownTables.reduce((sum, table) => sum + this.#buffers[table].length, 0);
  }

  /** Rows dropped because the buffer of their table was full. */
  dropped(): Record<TableName, number> {
    return Object.fromEntries(knownTables.map((table) => [table, this.#buffers[table].dropped])) as Record<
      TableName,
      number
    >;
  }

  push(table: TableName, values: Row, attributes?: Record<string, AttributeValue>): void {
    const row = [this.#sequence++, ...values];
    this.#buffers[table].push(attributes ? { row, attributes: sqlKeys(attributes) } : { row });
  }

  /** Resolves when all that was pushed before the call can be read. Never rejects. */
  flush(): Promise<void> {
    if (this.#pending === 0 && !this.#draining && !this.#hasRejections()) return Promise.resolve();
    if (!this.#draining) return this.#start();
    // The drain under way may have passed a table already: only the next one surely takes all.
    this.#next ??= this.#draining.then(() => this.#start());
    return this.#next;
  }

  #start(): Promise<void> {
    this.#next = undefined;
    // Another caller may have started it between the end of one and the start of the next.
    if (this.#draining) return this.#draining;
    this.#draining = this.#drain().then(() => {
      this.#draining = undefined;
    });
    return this.#draining;
  }

  async #drain(): Promise<void> {
    const left = Object.fromEntries(knownTables.map((table) => [table, this.#buffers[table].length]));
    for (;;) {
      const batches: Batch[] = [];
      let count = 0;
      for (const table of knownTables) {
        while (count < rowsOfTransaction) {
          const most = Math.min(left[table] ?? 0, table === 'spans' ? spansAtOnce : rowsAtOnce);
          const rows = this.#buffers[table].take(most);
          if (rows.length === 0) break;
          left[table] = (left[table] ?? 0) - rows.length;
          count += rows.length;
          batches.push({ table, rows });
        }
      }
      if (batches.length === 0) break;
      await this.#write(batches);
      this.#sinceCheckpoint += count;
    }
    if (this.#hasRejections()) await this.#writeRejections();
    if (!this.#hasWritten) await this.#events.wrote();
    this.#hasWritten = true;
    if (this.#sinceCheckpoint < checkpointAfterRows) return;
    this.#sinceCheckpoint = 0;
    this.#hasWritten = false;
    // One that fails now is made after as many rows again.
    await this.#connection.run('CHECKPOINT').catch(() => {});
  }

  /**
   * Writes everything, the counts too, and puts the log into the file. Rows that come later are not
   * written.
   */
  async close(): Promise<void> {
    this.#rejectionsWritten = 0;
    await this.flush();
    await this.#connection.run('CHECKPOINT').catch(() => {});
    this.#connection.closeSync();
  }

  #hasRejections(): boolean {
    return this.#rejections.changed && Date.now() - this.#rejectionsWritten >= rejectionsEveryMilliseconds;
  }

  async #writeRejections(): Promise<void> {
    this.#rejectionsWritten = Date.now();
    await this.#transaction(() => this.#rejections.write(this.#connection)).catch(() => {});
  }

  /** All of it or nothing, so that what failed can be tried again without being there twice. */
  async #transaction(work: () => Promise<void>): Promise<void> {
    await this.#connection.run('BEGIN');
    try {
      await work();
      await this.#connection.run('COMMIT');
    } catch (error) {
      await this.#connection.run('ROLLBACK').catch(() => {});
      throw error;
    }
  }

  /**
   * Writes the batches in one transaction. Where it fails, halves of it are tried in its place: one
   * bad row must not cost the others.
   */
  async #write(batches: Batch[]): Promise<void> {
    try {
      // Before the transaction, as rows cannot be appended to a table that it has altered.
      for (const { table, rows } of batches) {
        if (table !== 'spans') continue;
        await this.#fitColumns(rows);
        await setImmediate();
      }
      await this.#transaction(async () => {
        for (const { table, rows } of batches) {
          if (table === 'spans') await this.#writeSpans(rows);
          else await this.#append(table, Object.values(knownColumns[table]), transposed(rows, table));
          // Everybody else's turn: appending is the main thread's work.
          await setImmediate();
        }
      });
    } catch (error) {
      const [one, ...others] = batches;
      if (one && others.length === 0 && one.rows.length === 1) return this.#events.failed(one.table, 1, error);
      for (const half of halves(batches)) await this.#write(half);
      return;
    }
    const ids = new Set(batches.flatMap(traceIdsOf));
    if (ids.size > 0) this.#events.stored(ids);
  }

  async #append(table: string, types: DuckDBType[], columns: DuckDBValue[][], temporary = false): Promise<void> {
    const appender = await this.#connection.createAppender(table, null, temporary ? 'temp' : null);
    try {
      const chunk = DuckDBDataChunk.create(types, columns[0]?.length ?? 0);
      chunk.setColumns(columns);
      appender.appendDataChunk(chunk);
    } finally {
      appender.closeSync();
    }
  }

  /**
   * An appender wants a value for each of up to 2,000 columns; a batch has some dozens, and goes
   * through a table of just these.
   */
  async #writeSpans(batch: Pending[]): Promise<void> {
    const keys = new Set(batch.flatMap(({ attributes }) => [...(attributes ?? none).keys()]));
    const used = [...keys].map((key) => this.#columns.get(key)).filter((column) => column !== undefined);
    const fixed = Object.entries(knownColumns.spans).map(([name, type]) => `${quoted(name)} ${type}`);
    const definitions = [...fixed, ...used.map(({ name, type }) => `${quoted(name)} ${type}`)];
    const types = [...Object.values(knownColumns.spans), ...used.map(({ type }) => columnTypes[type])];
    const columns = [
      ...transposed(batch, 'spans'),
      ...used.map(({ key, type }) => batch.map(({ attributes }) => columnValue(attributes?.get(key), type))),
    ];
    await this.#connection.run(`CREATE OR REPLACE TEMP TABLE incoming_spans (${definitions.join(', ')})`);
    await this.#append('incoming_spans', types, columns, true);
    await this.#connection.run('INSERT INTO spans BY NAME SELECT * FROM incoming_spans');
  }

  /** In one transaction: a commit for each of many columns would take milliseconds each. */
  async #fitColumns(batch: Pending[]): Promise<void> {
    const statements = this.#columns.fit(batch.map(({ attributes }) => attributes ?? none));
    if (statements.length === 0) return;
    try {
      await this.#transaction(async () => {
        await this.#connection.run(statements.join(';\n'));
      });
    } catch (error) {
      this.#columns.load(await readAttributeColumns(this.#connection));
      throw error;
    }
  }
}

/** @returns two parts of the batches: half of them each, or half of the rows of the only one. */
function halves(batches: Batch[]): Batch[][] {
  const [one, ...others] = batches;
  if (!one) return [];
  if (others.length > 0) {
    const middle = Math.ceil(batches.length / 2);
    return [batches.slice(0, middle), batches.slice(middle)];
  }
  const middle = Math.ceil(one.rows.length / 2);
  return [[{ ...one, rows: one.rows.slice(0, middle) }], [{ ...one, rows: one.rows.slice(middle) }]];
}

function traceIdsOf({ table, rows }: Batch): string[] {
  const at = Object.keys(knownColumns[table]).indexOf('trace_id');
  return rows.flatMap(({ row }) => (typeof row[at] === 'string' ? [row[at]] : []));
}

function transposed(batch: Pending[], table: TableName): DuckDBValue[][] {
  return Object.values(knownColumns[table]).map((type, index) => batch.map(({ row }) => fitting(row[index], type)));
}

/**
 * @returns the value as its column takes it; null for a wrong type, which would refuse the whole
 * batch.
 */
function fitting(value: DuckDBValue | undefined, type: DuckDBType): DuckDBValue {
  if (value === undefined || value === null) return null;
  if (type === VARCHAR) return String(value).toWellFormed();
  if (type === DOUBLE) return typeof value === 'number' ? value : null;
  if (type === BOOLEAN) return typeof value === 'boolean' ? value : null;
  if (type === BIGINT) return typeof value === 'bigint' ? value : null;
  return value;
}
