import { calculationName, type Filter, type QuerySpecification } from '../../query/specification.ts';
import type { ColumnType } from '../attribute-columns.ts';
import { cast, type Field } from './fields.ts';
import { filterCondition } from './filters.ts';
import { textLiteral } from './literal.ts';

/** The events that a query asks about, as a table `base` that its calculations are made over. */
export interface Base {
  /**
   * The statement that makes the table. Its later uses are several, and each would look at every
   * event again.
   */
  sql: string;
  /** Names in `base` of the breakdowns, in their order. */
  groups: string[];
  /** Name in `base` of what is calculated over, by the calculation's name. */
  values: Map<string, string>;
  /**
   * Columns of text that numbers are calculated over: the raw text, by the calculation's column.
   */
  texts: Map<string, string>;
}

export interface BaseOptions {
  /** Epoch nanoseconds; `to` is not part of it. */
  from: bigint;
  to: bigint;
  /** Nanoseconds: of the intervals that are numbered in `b`. */
  interval: bigint;
  /** Events other than spans. */
  others: boolean;
  /** Events of this service alone. */
  service?: string;
}

const ofAnything = ['COUNT', 'COUNT_DISTINCT'];

/** @throws UnfitFilter for a filter that its column's type does not allow. */
export function baseSql(
  specification: QuerySpecification,
  fields: ReadonlyMap<string, Field>,
  conditions: string[],
  { from, to, interval, others, service }: BaseOptions,
): Base {
  const used = [...fields.values()];
  const names = new Map(used.map(({ key }, at) => [key, `f${at}`]));
  const list = (pick: (field: Field) => string) => used.map((field) => `, ${pick(field)} AS ${names.get(field.key)}`);
  const exceptions = used.some(({ needsExceptions }) => needsExceptions)
    ? ' LEFT JOIN span_exceptions AS x ON x.sequence = s.sequence'
    : '';
  const ofService = (alias: string) =>
    service === undefined ? '' : ` AND ${alias}.service_name = ${textLiteral(service)}`;
  const spans = `SELECT s.start_nanoseconds AS t, s.end_nanoseconds AS t_end, s.sample_rate AS w${list(({ span }) => span).join('')}
    FROM spans AS s${exceptions} WHERE s.start_nanoseconds >= ${from} AND s.start_nanoseconds < ${to}${ofService('s')}`;
  const events = `SELECT e.time, e.time, e.sample_rate${list(({ other }) => other).join('')}
    FROM other_events AS e WHERE e.time >= ${from} AND e.time < ${to}${ofService('e')}`;

  const nameOf = (column: string) => names.get(column) ?? 'NULL';
  const groups = specification.breakdowns.map((_, at) => `g${at}`);
  const selected = specification.breakdowns.map((column, at) => `, ${nameOf(column)} AS g${at}`);
  const values = new Map<string, string>();
  const texts = new Map<string, string>();
  const numbers = new Map<string, string>();
  for (const calculation of specification.calculations) {
    const { op, column } = calculation;
    const field = column === undefined ? undefined : fields.get(column);
    if (column === undefined || field === undefined) continue;
    const isNumeric = !ofAnything.includes(op);
    const key = `${isNumeric} ${column}`;
    let name = numbers.get(key);
    if (name === undefined) {
      name = `v${numbers.size}`;
      numbers.set(key, name);
      selected.push(`, ${isNumeric ? numeric(nameOf(column), field.type) : nameOf(column)} AS ${name}`);
      if (isNumeric && field.type === 'VARCHAR' && field.known) {
        texts.set(column, `x${numbers.size}`);
        selected.push(`, ${nameOf(column)} AS x${numbers.size}`);
      }
    }
    values.set(calculationName(calculation), name);
  }
  const where =
    conditions.length > 0 ? `\n  WHERE ${conditions.join(`\n    ${specification.filterCombination} `)}` : '';
  const sql = `CREATE OR REPLACE TEMP TABLE base AS WITH events AS (
  ${spans}${others ? `\n  UNION ALL\n  ${events}` : ''}
)
SELECT t, t_end, t // ${interval} AS b, w${selected.join('')} FROM events${where}`;
  return { sql, groups, values, texts };
}

/** @returns each filter as a condition over the table `events`. @throws UnfitFilter */
export function conditionOf(filter: Filter, fields: ReadonlyMap<string, Field>): string {
  const field = fields.get(filter.column);
  const at = [...fields.keys()].indexOf(filter.column);
  return field ? filterCondition(filter, `f${at}`, field.type) : 'false';
}

function numeric(sql: string, type: ColumnType): string {
  if (type === 'BIGINT') return sql;
  const number = cast(sql, type, 'DOUBLE');
  return `CASE WHEN isfinite(${number}) THEN ${number} END`;
}
