import type { CalculationOp, FilterOp, HavingOp } from './operators.ts';

export type Scalar = string | number | boolean;

export interface Calculation {
  op: CalculationOp;
  column?: string;
}

export interface Filter {
  column: string;
  op: FilterOp;
  /** None for exists and does-not-exist, a list for in and not-in. */
  value?: Scalar | Scalar[];
}

/** A term of the calculations (`op`, with its column) or of the breakdowns (`column` alone). */
export interface Order {
  op?: CalculationOp;
  column?: string;
  descending: boolean;
}

export interface Having {
  op: CalculationOp;
  column?: string;
  compare: HavingOp;
  value: number;
}

/** Honeycomb's query specification, checked, with its defaults filled in. */
export interface QuerySpecification {
  calculations: Calculation[];
  filters: Filter[];
  filterCombination: 'AND' | 'OR';
  breakdowns: string[];
  orders: Order[];
  havings: Having[];
  limit: number;
  /** Seconds. */
  timeRange?: number;
  /** Epoch seconds. */
  startTime?: number;
  /** Epoch seconds. */
  endTime?: number;
  /** Seconds; none where no chart is asked for. */
  granularity?: number;
}

export const defaultTimeRangeSeconds = 7_200;
export const mostRows = 1_000;

/**
 * @returns the column of a result that the calculation fills, as Honeycomb names it:
 * `P95(duration_ms)`, `COUNT`.
 */
export function calculationName({ op, column }: { op: string; column?: string }): string {
  return column === undefined ? op : `${op}(${column})`;
}

/** A place in the text of a query. */
export interface Place {
  /** A JSON pointer (RFC 6901), such as `/filters/0/op`; empty for the whole. */
  pointer: string;
  /** Both begin at 1. */
  line: number;
  column: number;
}

/** A problem in a query, and its place. */
export interface QueryProblem extends Place {
  message: string;
}

/** A query that cannot be run as it stands. */
export class InvalidQuerySpecification extends Error {
  readonly problems: QueryProblem[];

  constructor(problems: QueryProblem[]) {
    super(problems.map((problem) => `${problem.line}:${problem.column} ${problem.message}`).join('\n'));
    this.name = 'InvalidQuerySpecification';
    this.problems = problems;
  }
}
