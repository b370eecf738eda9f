import type { MetricDistribution } from './records.ts';

/**
 * The statistics of a metric. A percentile of a distribution is estimated within its
 * bucket.
 */
export interface MetricStatistics {
  count: number;
  sum?: number;
  mean?: number;
  min?: number;
  max?: number;
  p50?: number;
  p90?: number;
  p95?: number;
  p99?: number;
}

/** Measurements from `low` to `high`, `count` of them. */
interface Bucket {
  low: number;
  high: number;
  count: number;
}

const percentiles = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 } as const;

/** @returns the statistics of single values, or of a distribution where one was sent. */
export function statisticsOf(values: readonly number[], distribution?: MetricDistribution): MetricStatistics {
  const buckets = distribution
    ? bucketsOf(distribution)
    : values.map((value) => ({ low: value, high: value, count: 1 }));
  const sorted = buckets.filter(({ count }) => count > 0).sort((one, other) => one.low - other.low);
  const counted = sorted.reduce((total, { count }) => total + count, 0);
  const count = distribution?.count ?? counted;
  const sum = distribution ? distribution.sum : values.reduce((total, value) => total + value, 0);
  const min = distribution?.min ?? finite(sorted[0]?.low);
  const max = distribution?.max ?? finite(sorted.at(-1)?.high);
  const statistics: MetricStatistics = { count };
  if (count === 0) return statistics;
  if (sum !== undefined) Object.assign(statistics, { sum, mean: sum / count });
  if (min !== undefined) statistics.min = min;
  if (max !== undefined) statistics.max = max;
  for (const [name, share] of Object.entries(percentiles) as [keyof typeof percentiles, number][]) {
    const value = distribution?.quantiles
      ? quantile(distribution.quantiles, share)
      : percentile(sorted, counted * share, min, max);
    if (value !== undefined) statistics[name] = value;
  }
  return statistics;
}

function finite(value: number | undefined): number | undefined {
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}

function bucketsOf(distribution: MetricDistribution): Bucket[] {
  const { values, counts = [], bounds, scale } = distribution;
  if (values) return values.map((value, at) => ({ low: value, high: value, count: counts[at] ?? 1 }));
  if (scale !== undefined) return exponentialBuckets(distribution, scale);
  return counts.map((count, at) => ({
    low: bounds?.[at - 1] ?? Number.NEGATIVE_INFINITY,
    high: bounds?.[at] ?? Number.POSITIVE_INFINITY,
    count,
  }));
}

/**
 * https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram: bucket i is
 * (base^i, base^(i+1)].
 */
function exponentialBuckets(distribution: MetricDistribution, scale: number): Bucket[] {
  const { positive, negative, zeroCount = 0, zeroThreshold = 0 } = distribution;
  const bound = (index: number) => 2 ** (index * 2 ** -scale);
  const above = (positive?.counts ?? []).map((count, at) => {
    const index = (positive?.offset ?? 0) + at;
    return { low: bound(index), high: bound(index + 1), count };
  });
  const below = (negative?.counts ?? []).map((count, at) => {
    const index = (negative?.offset ?? 0) + at;
    return { low: -bound(index + 1), high: -bound(index), count };
  });
  return [...below, { low: -zeroThreshold, high: zeroThreshold, count: zeroCount }, ...above];
}

/**
 * @returns the value below which `rank` measurements lie, as if they were spread evenly within
 * their bucket.
 */
function percentile(sorted: Bucket[], rank: number, min?: number, max?: number): number | undefined {
  let before = 0;
  for (const { low, high, count } of sorted) {
    if (before + count < rank) {
      before += count;
      continue;
    }
    // The outermost buckets have no bound of their own.
    const from = Math.max(low, min ?? Number.NEGATIVE_INFINITY);
    const to = Math.min(high, max ?? Number.POSITIVE_INFINITY);
    if (!Number.isFinite(from) || !Number.isFinite(to)) return finite(from) ?? finite(to);
    return from + ((to - from) * (rank - before)) / count;
  }
  return undefined;
}

/** @returns the smallest quantile of a summary that is not below the one asked for. */
function quantile(quantiles: { quantile: number; value: number }[], share: number): number | undefined {
  return quantiles.filter((one) => one.quantile >= share).sort((one, other) => one.quantile - other.quantile)[0]?.value;
}
