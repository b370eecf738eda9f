import { calculationName, type QuerySpecification } from '../../query/specification.ts';
import type { Base } from './base.ts';
import { type CalculationContext, calculationSql, concurrency } from './calculations.ts';
import { numberLiteral } from './literal.ts';

/** Buckets of a heat map, from the smallest value to the largest. */
export const heatmapBuckets = 20;

const rightHand = (groups: string[], table: string) =>
  groups.length === 0
    ? 'true'
    : groups.map((group) => `m.${group} IS NOT DISTINCT FROM ${table}.${group}`).join(' AND ');

/**
 * @returns the statement of the result's table: the breakdowns, c0, c1, … and `groups`, how many
 * there are in all.
 */
export function tableSql(specification: QuerySpecification, base: Base, context: CalculationContext): string {
  const { groups } = base;
  const aggregates: string[] = [];
  const joins: string[] = [];
  const columns: string[] = [];
  const tables: string[] = [];
  for (const [at, calculation] of specification.calculations.entries()) {
    if (calculation.op === 'HEATMAP') {
      columns.push(`NULL AS c${at}`);
      continue;
    }
    const made = calculationSql(calculation, base.values.get(calculationName(calculation)), context);
    if (made.aggregate !== undefined) {
      aggregates.push(`${made.aggregate} AS c${at}`);
      columns.push(`m.c${at}`);
    } else {
      tables.push(`, p${at} AS (\n  ${made.table}\n)`);
      joins.push(`\n  LEFT JOIN p${at} ON ${rightHand(groups, `p${at}`)}`);
      columns.push(`p${at}.value AS c${at}`);
    }
  }
  const main = `SELECT ${[...groups, ...aggregates, 'count(*) AS events'].join(', ')} FROM base${groupBy(groups)}`;
  const having = specification.havings.map(({ op, column, compare, value }) => {
    const at = specification.calculations.findIndex(
      (calculation) => calculation.op === op && calculation.column === column,
    );
    const positive = compare === '!=' ? '=' : compare;
    const condition = `coalesce(c${at} ${positive} ${numberLiteral(value)}, false)`;
    return compare === '!=' ? `NOT ${condition}` : condition;
  });
  const filtered = having.length > 0 ? `\nWHERE ${having.join(' AND ')}` : '';
  const selected = [...groups.map((group) => `m.${group}`), ...columns].join(', ');
  return `WITH main AS (
  ${main}
)${tables.join('')}
SELECT *, count(*) OVER () AS groups FROM (
  SELECT ${selected} FROM main AS m${joins.join('')}
)${filtered}
ORDER BY ${orderBy(specification, groups)}
LIMIT ${specification.limit}`;
}

function groupBy(groups: string[], also: string[] = []): string {
  const all = [...groups, ...also];
  return all.length > 0 ? ` GROUP BY ${all.join(', ')}` : '';
}

function orderBy({ orders, calculations, breakdowns }: QuerySpecification, groups: string[]): string {
  const terms = orders.map(({ op, column, descending }) => {
    const at =
      op === undefined
        ? breakdowns.indexOf(column ?? '')
        : calculations.findIndex((calculation) => calculation.op === op && calculation.column === column);
    return `${op === undefined ? 'g' : 'c'}${at} ${descending ? 'DESC' : 'ASC'} NULLS LAST`;
  });
  // Honeycomb's own order: the first calculation, the largest first.
  const first = calculations.findIndex(({ op }) => op !== 'HEATMAP');
  if (orders.length === 0 && first !== -1) terms.push(`c${first} DESC NULLS LAST`);
  // So that the same query gives the same rows in the same order.
  terms.push(...groups.map((group) => `${group} ASC NULLS LAST`));
  return terms.length > 0 ? terms.join(', ') : '1';
}

/** @returns the statement of the chart: `b` (the interval's number), the breakdowns, c0, c1, … */
export function seriesSql(specification: QuerySpecification, base: Base, context: CalculationContext): string {
  const groups = ['b', ...base.groups];
  const columns = specification.calculations.map((calculation, at) => {
    const made =
      calculation.op === 'CONCURRENCY' || calculation.op === 'HEATMAP'
        ? { aggregate: 'NULL' }
        : calculationSql(calculation, base.values.get(calculationName(calculation)), { ...context, groups });
    return { at, ...made };
  });
  const rates = specification.calculations.map(({ op }) => op.startsWith('RATE_'));
  const aggregates = columns.map(({ at, aggregate }) => {
    if (!rates[at]) return `${aggregate ?? 'NULL'} AS c${at}`;
    const calculation = specification.calculations[at];
    const value = calculation && base.values.get(calculationName(calculation));
    const op = calculation?.op.replace('RATE_', '') as 'SUM' | 'AVG' | 'MAX';
    return `${calculationSql({ op }, value, context).aggregate} AS c${at}`;
  });
  const partition =
    base.groups.length > 0 ? `PARTITION BY ${base.groups.map((group) => `m.${group}`).join(', ')} ` : '';
  const tables = columns.flatMap(({ at, table }) => (table && !rates[at] ? [{ at, table }] : []));
  const shown = columns.map(({ at }) => {
    if (tables.some((table) => table.at === at)) return `p${at}.value AS c${at}`;
    return rates[at] ? `m.c${at} - lag(m.c${at} IGNORE NULLS) OVER (${partition}ORDER BY m.b) AS c${at}` : `m.c${at}`;
  });
  const joins = tables.map(({ at }) => ` LEFT JOIN p${at} ON ${rightHand(groups, `p${at}`)}`);
  return `WITH main AS (
  SELECT ${[...groups, ...aggregates].join(', ')} FROM base${groupBy(groups)}
)${tables.map(({ at, table }) => `, p${at} AS (\n  ${table}\n)`).join('')}
SELECT ${[...groups.map((group) => `m.${group}`), ...shown].join(', ')} FROM main AS m${joins.join('')}
ORDER BY m.b LIMIT 200000`;
}

/**
 * @returns the statement of how many spans run in each interval: `b`, the breakdowns and `value`.
 */
export function concurrencySeriesSql(base: Base, { interval, from, to }: CalculationContext): string {
  const [start, end] = [`(b * ${interval})`, `((b + 1) * ${interval})`];
  const last = `least(greatest(t_end - 1, t), ${to} - 1) // ${interval}`;
  return `WITH spread AS (
  SELECT * EXCLUDE (b), unnest(range(greatest(t, ${from}) // ${interval}, ${last} + 1)) AS b FROM base
)
SELECT ${['b', ...base.groups].join(', ')}, ${concurrency(start, end)} AS value
FROM spread${groupBy(['b', ...base.groups])}`;
}

/**
 * @returns the statement of a heat map: the breakdowns, `bucket`, `weight`, and `low` and `high`,
 * the same in each row.
 */
export function heatmapSql(base: Base, value: string): string {
  const bucket = `CASE WHEN high = low THEN 0
    ELSE least(${heatmapBuckets - 1}, CAST(floor((${value} - low) / (high - low) * ${heatmapBuckets}) AS INTEGER)) END`;
  return `WITH bounds AS (SELECT min(${value}) AS low, max(${value}) AS high FROM base)
SELECT ${[...base.groups, `${bucket} AS bucket`, 'sum(w) AS weight', 'any_value(low) AS low', 'any_value(high) AS high'].join(', ')}
FROM base, bounds WHERE ${value} IS NOT NULL${groupBy(base.groups, ['bucket'])} ORDER BY bucket`;
}
