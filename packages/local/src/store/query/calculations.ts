import { type CalculationOp, isPercentile, isRate, percentiles } from '../../query/operators.ts';
import type { Calculation } from '../../query/specification.ts';

/**
 * Bounds of a bucket of the weighted percentiles lie this factor apart: a value within one is at
 * most 0.5 % off. Exact percentiles of weighted values need a sort of them all, which takes 200 ms
 * for 200,000.
 */
const sketch = Math.log(1.005);

/**
 * A calculation over the table `base`, whose columns are t, t_end, b (the interval), w (the
 * weight), g0, g1, … and v0, v1, ….
 */
export interface CalculationSql {
  /** An aggregate over `base` grouped by the breakdowns; absent where `table` has it. */
  aggregate?: string;
  /** A table with the breakdowns and a column `value`. */
  table?: string;
}

export interface CalculationContext {
  /** Names of the breakdowns' columns. */
  groups: string[];
  /** Whether all events weigh the same. */
  sameWeight: boolean;
  /** Epoch nanoseconds. */
  from: bigint;
  to: bigint;
  /** Nanoseconds: of the intervals that `b` numbers. */
  interval: bigint;
}

/**
 * @param value the column of `base` that is calculated over: numbers without NaN and infinities,
 *   but anything for COUNT and COUNT_DISTINCT; absent for a calculation without a column.
 */
export function calculationSql(
  { op }: Calculation,
  value: string | undefined,
  context: CalculationContext,
): CalculationSql {
  if (value === undefined) {
    if (op === 'CONCURRENCY') return { aggregate: concurrency(String(context.from), String(context.to)) };
    return { aggregate: 'coalesce(sum(w), 0)' };
  }
  if (isPercentile(op)) {
    const quantile = percentiles[op];
    if (context.sameWeight) return { aggregate: `quantile_disc(${value}, ${quantile})` };
    return { table: weightedPercentile(value, quantile, context.groups) };
  }
  if (isRate(op)) return { table: rate(value, op, context) };
  return { aggregate: simple(op, value) };
}

function simple(op: CalculationOp, value: string): string {
  const average = `sum(${value} * w) / sum(CASE WHEN ${value} IS NOT NULL THEN w END)`;
  const aggregates: Partial<Record<CalculationOp, string>> = {
    COUNT: `coalesce(sum(CASE WHEN ${value} IS NOT NULL THEN w END), 0)`,
    SUM: `sum(${value} * w)`,
    RATE_SUM: `sum(${value} * w)`,
    AVG: average,
    RATE_AVG: average,
    // As Honeycomb does, without the weights: how many values were never seen cannot be known.
    COUNT_DISTINCT: `count(DISTINCT ${value})`,
    MAX: `max(${value})`,
    RATE_MAX: `max(${value})`,
    MIN: `min(${value})`,
  };
  return aggregates[op] ?? 'NULL';
}

/**
 * How many spans run at a time, on average over the interval: the time that spans cover, over its
 * length.
 */
export function concurrency(from: string, to: string): string {
  return `coalesce(sum(w * greatest(0, least(t_end, ${to}) - greatest(t, ${from}))) / (${to} - ${from}), 0)`;
}

/**
 * The smallest value that so much of the weight is at or below, from buckets that are narrow by
 * comparison with their values.
 */
function weightedPercentile(value: string, quantile: number, groups: string[]): string {
  const by = groups.length > 0 ? `${groups.join(', ')}, ` : '';
  const partition = groups.length > 0 ? `PARTITION BY ${groups.join(', ')}` : '';
  const bucket = `CASE WHEN ${value} = 0 THEN 0
    ELSE CAST(sign(${value}) * (1000000 + ceil(ln(abs(${value})) / ${sketch})) AS BIGINT) END`;
  const target = `${quantile} * total * (1 - 1e-12)`;
  return `SELECT ${by}min_by(CASE WHEN low = high THEN low
      ELSE low + (high - low) * greatest(0, least(1, (${target} - (up_to - weight)) / weight)) END, bucket)
      FILTER (up_to >= ${target}) AS value
    FROM (SELECT *, sum(weight) OVER (${partition} ORDER BY bucket) AS up_to, sum(weight) OVER (${partition}) AS total
      FROM (SELECT ${by}${bucket} AS bucket, sum(w) AS weight, min(${value}) AS low, max(${value}) AS high
        FROM base WHERE ${value} IS NOT NULL GROUP BY ${by}bucket))
    ${groups.length > 0 ? `GROUP BY ${groups.join(', ')}` : ''}`;
}

/** How much the aggregate changes from one interval that has values to the next, on average. */
function rate(value: string, op: CalculationOp, { groups }: CalculationContext): string {
  const by = groups.length > 0 ? `${groups.join(', ')}, ` : '';
  const partition = groups.length > 0 ? `PARTITION BY ${groups.join(', ')}` : '';
  return `SELECT ${by}avg(difference) AS value
    FROM (SELECT ${by}v - lag(v) OVER (${partition} ORDER BY b) AS difference
      FROM (SELECT ${by}b, ${simple(op, value)} AS v
        FROM base WHERE ${value} IS NOT NULL GROUP BY ${by}b))
    ${groups.length > 0 ? `GROUP BY ${groups.join(', ')}` : ''}`;
}
