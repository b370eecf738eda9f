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
import {
  type AttributeColumns,
  type ColumnType,
  columnValue,
  readAttributeColumns,
  sqlKeys,
} from './attribute-columns.ts';
import { BoundedBuffer } from './buffer.ts';
import type { AttributeValue } from './records.ts';
import type { Row } from './rows.ts';
import { COLUMNS, quoted, TABLES, type TableName } from './schema.ts';

/** Rows that are written in one go: about 8 µs each, so that the event loop is held for some 4 ms and no more. */
const ROWS_AT_ONCE = 500;

/** A span of 30 attributes has three times the columns of a segment. */
const SPANS_AT_ONCE = 200;

/**
 * After so many rows what is in the log goes into the file proper: off this thread, since DuckDB would otherwise do it on its own
 * within a write, which holds the event loop for as long as it takes.
 */
const CHECKPOINT_AFTER_ROWS = 50_000;

/** Of the order of 500 MB when full of segments of 1 KB in a process that has stopped writing: never unbounded. */
const MOST_BUFFERED = 200_000;

const COLUMN_TYPES: Record<ColumnType, DuckDBType> = { BOOLEAN, BIGINT, DOUBLE, VARCHAR };

const NONE: ReadonlyMap<string, AttributeValue> = new Map();

interface Pending {
  row: Row;
  attributes?: Map<string, AttributeValue>;
}

export interface WriterEvents {
  /** Trace ids of rows that can be read from now on. */
  stored(traceIds: Set<string>): void;
  /** Rows that the database would not take. */
  failed(table: TableName, count: number, error: unknown): void;
}

/** Takes rows at once and writes them in batches, one after another, on a connection of its own. */
export class Writer {
  readonly #connection: DuckDBConnection;
  readonly #columns: AttributeColumns;
  readonly #events: WriterEvents;
  readonly #buffers: Record<TableName, BoundedBuffer<Pending>>;
  #sequence: bigint;
  #draining: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #sinceCheckpoint = 0;

  constructor(connection: DuckDBConnection, columns: AttributeColumns, sequence: bigint, events: WriterEvents) {
    this.#connection = connection;
    this.#columns = columns;
    this.#sequence = sequence;
    this.#events = events;
    const buffers = TABLES.map((table) => [table, new BoundedBuffer<Pending>(MOST_BUFFERED)] as const);
    this.#buffers = Object.fromEntries(buffers) as Record<TableName, BoundedBuffer<Pending>>;
  }

  /** Rows that wait to be written. */
  get pending(): number {
    return TABLES.reduce((sum, table) => sum + this.#buffers[table].length, 0);
  }

  /** Rows dropped because the buffer of their table was full. */
  dropped(): Record<TableName, number> {
    return Object.fromEntries(TABLES.map((table) => [table, this.#buffers[table].dropped])) as Record<
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
    if (this.pending === 0 && !this.#draining) return Promise.resolve();
    if (!this.#draining) return this.#start();
    // A drain under way may have passed a table by already: only one that begins now surely takes all. All who ask meanwhile share it.
    this.#next ??= this.#draining.then(() => this.#start());
    return this.#next;
  }

  #start(): Promise<void> {
    this.#next = undefined;
    // Someone may have been quicker, in the moment between the end of one and the start of the next.
    if (this.#draining) return this.#draining;
    this.#draining = this.#drain().then(() => {
      this.#draining = undefined;
    });
    return this.#draining;
  }

  async #drain(): Promise<void> {
    for (const table of TABLES) {
      const buffer = this.#buffers[table];
      let left = buffer.length;
      while (left > 0) {
        const batch = buffer.take(Math.min(left, table === 'spans' ? SPANS_AT_ONCE : ROWS_AT_ONCE));
        left -= batch.length;
        if (batch.length === 0) break;
        await this.#write(table, batch);
        this.#sinceCheckpoint += batch.length;
        await setImmediate();
      }
    }
    if (this.#sinceCheckpoint < CHECKPOINT_AFTER_ROWS) return;
    this.#sinceCheckpoint = 0;
    // Where it cannot be had now it is had after as many rows again.
    await this.#connection.run('CHECKPOINT').catch(() => {});
  }

  async #write(table: TableName, batch: Pending[]): Promise<void> {
    try {
      if (table === 'spans') await this.#writeSpans(batch);
      else await this.#append(table, Object.values(COLUMNS[table]), transposed(batch, table));
    } catch (error) {
      if (batch.length === 1) return this.#events.failed(table, 1, error);
      // What one row is to blame for shall not cost the others.
      const half = Math.ceil(batch.length / 2);
      await this.#write(table, batch.slice(0, half));
      return this.#write(table, batch.slice(half));
    }
    const traceIdAt = Object.keys(COLUMNS[table]).indexOf('trace_id');
    const ids = new Set<string>();
    for (const { row } of batch) if (typeof row[traceIdAt] === 'string') ids.add(row[traceIdAt]);
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

  /** An appender wants a value for each of up to 2,000 columns; a batch has some dozens, and goes through a table of just these. */
  async #writeSpans(batch: Pending[]): Promise<void> {
    await this.#fitColumns(batch);
    const keys = new Set(batch.flatMap(({ attributes }) => [...(attributes ?? NONE).keys()]));
    const used = [...keys].map((key) => this.#columns.get(key)).filter((column) => column !== undefined);
    const fixed = Object.entries(COLUMNS.spans).map(([name, type]) => `${quoted(name)} ${type}`);
    const definitions = [...fixed, ...used.map(({ name, type }) => `${quoted(name)} ${type}`)];
    await this.#connection.run(`CREATE OR REPLACE TEMP TABLE incoming_spans (${definitions.join(', ')})`);
    await this.#append(
      'incoming_spans',
      [...Object.values(COLUMNS.spans), ...used.map(({ type }) => COLUMN_TYPES[type])],
      [
        ...transposed(batch, 'spans'),
        ...used.map(({ key, type }) => batch.map(({ attributes }) => columnValue(attributes?.get(key), type))),
      ],
      true,
    );
    await this.#connection.run('INSERT INTO spans BY NAME SELECT * FROM incoming_spans');
  }

  /** In one transaction: a commit for each of many columns would take milliseconds each. */
  async #fitColumns(batch: Pending[]): Promise<void> {
    const statements = this.#columns.fit(batch.map(({ attributes }) => attributes ?? NONE));
    if (statements.length === 0) return;
    try {
      await this.#connection.run(['BEGIN', ...statements, 'COMMIT'].join(';\n'));
    } catch (error) {
      await this.#connection.run('ROLLBACK').catch(() => {});
      this.#columns.load(await readAttributeColumns(this.#connection));
      throw error;
    }
  }
}

function transposed(batch: Pending[], table: TableName): DuckDBValue[][] {
  return Object.values(COLUMNS[table]).map((type, index) => batch.map(({ row }) => fitting(row[index], type)));
}

/** What a sender's wrong type would make of a whole batch is an exception: it is made of its own field alone, and it is null. */
function fitting(value: DuckDBValue | undefined, type: DuckDBType): DuckDBValue {
  if (value === undefined || value === null) return null;
  if (type === VARCHAR) return typeof value === 'string' ? value : String(value);
  if (type === DOUBLE) return typeof value === 'number' ? value : null;
  if (type === BOOLEAN) return typeof value === 'boolean' ? value : null;
  if (type === BIGINT) return typeof value === 'bigint' ? value : null;
  return value;
}
