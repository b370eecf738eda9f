import type { CalculationOp } from './operators.ts';
import type { QueryProblem } from './specification.ts';

/**
 * So much weight of what was measured lies from `from` up to `to`, which only the last bucket
 * holds.
 */
export interface HeatmapBucket {
  from: number;
  to: number;
  count: number;
}

export type Value = string | number | bigint | boolean | null | HeatmapBucket[];

export interface ResultColumn {
  /** As Honeycomb names it: the breakdown itself, or `P95(duration_ms)`. */
  name: string;
  /** Absent in a breakdown. */
  op?: CalculationOp;
  /** The column of a breakdown or calculation. */
  field?: string;
}

/** A row of the chart: of one group, in one interval. */
export interface SeriesPoint {
  /** Epoch milliseconds of the interval's beginning. */
  time: number;
  values: Value[];
}

/** The result of a query. */
export interface QueryResult {
  columns: ResultColumn[];
  /** In the order of the columns. */
  rows: Value[][];
  /** Empty where the query asks for no granularity. */
  series: SeriesPoint[];
  /** Epoch milliseconds; `to` is not part of it. */
  from: number;
  to: number;
  /** Seconds; absent without a series. */
  granularity?: number;
  /** How many groups there are; more than the rows where the limit cut some off. */
  groups: number;
  /** Notes about the answer for the reader, with their place in the query. */
  notes: QueryProblem[];
  /** The statements that were run. */
  sql: string[];
}

/** A column that a query may name. */
export interface FieldInfo {
  key: string;
  type: 'string' | 'float' | 'integer' | 'boolean';
}
