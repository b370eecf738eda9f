/**
 * Honeycomb's operators, as its query specification names them. Source:
 * docs.honeycomb.io/reference/query-specification.
 */

export const percentiles = {
  P001: 0.001,
  P01: 0.01,
  P05: 0.05,
  P10: 0.1,
  P20: 0.2,
  P25: 0.25,
  P50: 0.5,
  P75: 0.75,
  P80: 0.8,
  P90: 0.9,
  P95: 0.95,
  P99: 0.99,
  P999: 0.999,
} as const;

export type Percentile = keyof typeof percentiles;

export const rates = ['RATE_AVG', 'RATE_SUM', 'RATE_MAX'] as const;
export type Rate = (typeof rates)[number];

export const knownCalculations = [
  'COUNT',
  'CONCURRENCY',
  'SUM',
  'AVG',
  'COUNT_DISTINCT',
  'MAX',
  'MIN',
  ...(Object.keys(percentiles) as Percentile[]),
  'HEATMAP',
  ...rates,
] as const;
export type CalculationOp = (typeof knownCalculations)[number];

export const knownFilters = [
  '=',
  '!=',
  '>',
  '>=',
  '<',
  '<=',
  'starts-with',
  'does-not-start-with',
  'ends-with',
  'does-not-end-with',
  'exists',
  'does-not-exist',
  'contains',
  'does-not-contain',
  'in',
  'not-in',
] as const;
export type FilterOp = (typeof knownFilters)[number];

export const knownHavings = ['=', '!=', '>', '>=', '<', '<='] as const;
export type HavingOp = (typeof knownHavings)[number];

/** @returns whether the operator is a percentile. */
export function isPercentile(op: CalculationOp): op is Percentile {
  return Object.hasOwn(percentiles, op);
}

/** @returns whether the operator compares one interval of time with the one before it. */
export function isRate(op: CalculationOp): op is Rate {
  return (rates as readonly string[]).includes(op);
}
