import type { FilterOp } from '../../query/operators.ts';
import type { Filter, Scalar } from '../../query/specification.ts';
import type { ColumnType } from '../attribute-columns.ts';
import { cast } from './fields.ts';
import { numberLiteral, textLiteral } from './literal.ts';

/** A filter that its column's type does not allow. */
export class UnfitFilter extends Error {}

const negated: Partial<Record<FilterOp, FilterOp>> = {
  '!=': '=',
  'not-in': 'in',
  'does-not-start-with': 'starts-with',
  'does-not-end-with': 'ends-with',
  'does-not-contain': 'contains',
};

const textFunctions: Partial<Record<FilterOp, string>> = {
  'starts-with': 'starts_with',
  'ends-with': 'ends_with',
  contains: 'contains',
};

/**
 * @returns a condition that is true or false and never null. As in Honeycomb a negated filter
 *   holds for an event without the column.
 * @throws UnfitFilter with a sentence
 */
export function filterCondition({ op, value, column }: Filter, sql: string, type: ColumnType): string {
  if (op === 'exists') return `${sql} IS NOT NULL`;
  if (op === 'does-not-exist') return `${sql} IS NULL`;
  const positive = negated[op];
  if (positive) return `NOT ${holds(positive, value, sql, type, column)}`;
  return holds(op, value, sql, type, column);
}

function holds(op: FilterOp, value: Filter['value'], sql: string, type: ColumnType, column: string): string {
  if (Array.isArray(value)) {
    return `(${value.map((element) => `coalesce(${comparison('=', element, sql, type, column)}, false)`).join(' OR ')})`;
  }
  const wanted = value ?? '';
  const named = textFunctions[op];
  if (named) return `coalesce(${named}(${cast(sql, type, 'VARCHAR')}, ${textLiteral(String(wanted))}), false)`;
  return `coalesce(${comparison(op, wanted, sql, type, column)}, false)`;
}

function comparison(op: FilterOp, value: Scalar, sql: string, type: ColumnType, column: string): string {
  if (type === 'BIGINT' || type === 'DOUBLE') {
    const number = numeric(value);
    if (number === undefined) {
      if (op === '=') return 'false';
      throw new UnfitFilter(`${JSON.stringify(column)} holds numbers, and ${JSON.stringify(value)} is not one.`);
    }
    // To DuckDB, NaN is above every number.
    return type === 'DOUBLE' ? `(${sql} ${op} ${number} AND NOT isnan(${sql}))` : `${sql} ${op} ${number}`;
  }
  if (type === 'BOOLEAN') {
    if (op !== '=') throw new UnfitFilter(`${JSON.stringify(column)} holds booleans, which ${op} does not compare.`);
    const wanted = String(value).toLowerCase();
    return wanted === 'true' || wanted === 'false' ? `${sql} = ${wanted}` : 'false';
  }
  if (typeof value === 'number') return `TRY_CAST(${sql} AS DOUBLE) ${op} ${numberLiteral(value)}`;
  return `${sql} ${op} ${textLiteral(String(value))}`;
}

/**
 * @returns an SQL literal of the number that was written, also as a text; undefined where it is
 * none.
 */
function numeric(value: Scalar): string | undefined {
  if (typeof value === 'boolean') return undefined;
  if (typeof value === 'number') return numberLiteral(value);
  // Exact also beyond 2^53: DuckDB's own whole numbers have 38 digits.
  if (/^-?\d{1,38}$/.test(value)) return BigInt(value).toString();
  const number = Number(value);
  return value.trim() !== '' && Number.isFinite(number) ? numberLiteral(number) : undefined;
}
