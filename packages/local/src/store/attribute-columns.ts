import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import type { AttributeValue } from '../trace/records.ts';
import { knownColumns, quoted } from './schema.ts';

export type ColumnType = 'BOOLEAN' | 'BIGINT' | 'DOUBLE' | 'VARCHAR';

export interface AttributeColumn {
  key: string;
  /**
   * The column in `spans`: the key itself, unless another column has that name in any case
   * (DuckDB's names ignore case).
   */
  name: string;
  type: ColumnType;
}

/** Honeycomb's own limit. What goes over it stays in the span's `detail` and cannot be queried. */
export const mostAttributeColumns = 2000;

/** `rowid` is every table's own, until a column of that name hides it. */
const taken = [...Object.keys(knownColumns.spans), 'rowid'];

const largestBigint = 2n ** 63n - 1n;

/** @returns the narrowest type that holds the value exactly; undefined for null, which fits any. */
export function typeOf(value: AttributeValue): ColumnType | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'boolean') return 'BOOLEAN';
  if (typeof value === 'bigint') return value > largestBigint || value < -largestBigint ? 'VARCHAR' : 'BIGINT';
  // Larger whole numbers have lost digits already: as DOUBLE they claim no more than they know.
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'BIGINT' : 'DOUBLE';
  return 'VARCHAR';
}

/**
 * @returns the type that holds what both hold: whole and fractional numbers meet in DOUBLE,
 * anything else as text.
 */
export function widened(one: ColumnType, other: ColumnType): ColumnType {
  if (one === other) return one;
  const numbers = (type: ColumnType) => type === 'BIGINT' || type === 'DOUBLE';
  return numbers(one) && numbers(other) ? 'DOUBLE' : 'VARCHAR';
}

/** @returns the value as a column of that type takes it. */
export function columnValue(value: AttributeValue | undefined, type: ColumnType): DuckDBValue {
  if (value === null || value === undefined) return null;
  if (type === 'BIGINT') return BigInt(value as number | bigint);
  if (type === 'DOUBLE') return Number(value);
  if (type === 'BOOLEAN') return value as boolean;
  return typeof value === 'object' ? jsonText(value) : String(value).toWellFormed();
}

/**
 * A lone surrogate as `JSON.stringify` writes it, or an escaped backslash before text that looks
 * like one.
 */
const loneSurrogate = /\\(\\|ud[89a-f][0-9a-f]{2})/g;

/**
 * Writes JSON of well-formed text, with each BigInt as a decimal string and each lone surrogate as
 * U+FFFD: DuckDB's JSON functions fail for the whole statement at one half of a pair.
 */
export function jsonText(value: unknown): string {
  const text =
    JSON.stringify(value, (_key, member) => (typeof member === 'bigint' ? String(member) : member)) ?? 'null';
  if (!text.includes('\\ud')) return text;
  return text.replace(loneSurrogate, (written, escaped) => (escaped === '\\' ? written : '\ufffd'));
}

/** Which attribute has which column in the table `spans`. */
export class AttributeColumns {
  readonly #columns = new Map<string, AttributeColumn>();
  readonly #names = new Set(taken);
  /** Values that found no column, since there are 2,000 already. */
  overflow = 0;

  /** Those that the file has, and no others. */
  load(columns: Iterable<AttributeColumn>): void {
    this.#columns.clear();
    this.#names.clear();
    for (const name of taken) this.#names.add(name);
    for (const column of columns) {
      this.#columns.set(column.key, column);
      this.#names.add(column.name.toLowerCase());
    }
  }

  get(key: string): AttributeColumn | undefined {
    return this.#columns.get(key);
  }

  all(): AttributeColumn[] {
    return [...this.#columns.values()];
  }

  /**
   * Makes room for the attributes of a batch of spans.
   * @returns the SQL that adds and widens columns; to be run before the spans are written.
   */
  fit(batch: Iterable<ReadonlyMap<string, AttributeValue>>): string[] {
    const added = new Set<AttributeColumn>();
    const changed = new Set<AttributeColumn>();
    for (const attributes of batch) {
      for (const [key, value] of attributes) {
        const type = typeOf(value);
        if (type === undefined) continue;
        const column = this.#columns.get(key);
        if (!column) {
          const fresh = this.#add(key, type);
          if (fresh) added.add(fresh);
        } else if (widened(column.type, type) !== column.type) {
          column.type = widened(column.type, type);
          if (!added.has(column)) changed.add(column);
        }
      }
    }
    if (added.size + changed.size === 0) return [];
    const rows = [...added, ...changed].map(({ key, name, type }) => `(${[key, name, type].map(text).join(', ')})`);
    return [
      ...[...added].map(({ name, type }) => `ALTER TABLE spans ADD COLUMN ${quoted(name)} ${type}`),
      ...[...changed].map(({ name, type }) => `ALTER TABLE spans ALTER COLUMN ${quoted(name)} SET DATA TYPE ${type}`),
      `INSERT OR REPLACE INTO span_attributes VALUES ${rows.join(', ')}`,
    ];
  }

  #add(key: string, type: ColumnType): AttributeColumn | undefined {
    if (this.#columns.size >= mostAttributeColumns) {
      this.overflow++;
      return undefined;
    }
    // DuckDB does not accept an empty identifier.
    const plain = key || 'unnamed';
    let name = plain;
    for (let copy = 2; this.#names.has(name.toLowerCase()); copy++) name = `${plain}~${copy}`;
    const column: AttributeColumn = { key, name, type };
    this.#columns.set(key, column);
    this.#names.add(name.toLowerCase());
    return column;
  }
}

/**
 * @returns the attributes with keys that SQL can hold, text without NUL and lone surrogates; of
 * keys that become the same, the last one's value.
 */
export function sqlKeys(attributes: Record<string, AttributeValue>): Map<string, AttributeValue> {
  return new Map(Object.entries(attributes).map(([key, value]) => [key.replaceAll('\0', '').toWellFormed(), value]));
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** @returns the columns that a file has. */
export async function readAttributeColumns(connection: DuckDBConnection): Promise<AttributeColumn[]> {
  const found = await connection.runAndReadAll('SELECT key, column_name, type FROM span_attributes');
  return found.getRowObjects().map((row) => ({
    key: String(row.key),
    name: String(row.column_name),
    type: row.type as ColumnType,
  }));
}
