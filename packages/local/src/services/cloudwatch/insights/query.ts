/** A value of a field, or of an expression; undefined if the event has no such field. */
export type Value = string | number | boolean | undefined;

export type Expression =
  | { kind: 'field'; name: string }
  | { kind: 'literal'; value: string | number | boolean }
  | { kind: 'bin'; milliseconds: number }
  | { kind: 'call'; name: string; parameters: Expression[] }
  | { kind: 'negative'; operand: Expression }
  | { kind: 'not'; operand: Expression }
  | { kind: 'binary'; operator: BinaryOperator; left: Expression; right: Expression }
  | { kind: 'like'; operand: Expression; pattern: RegExp | string; negated: boolean }
  | { kind: 'in'; operand: Expression; list: Expression[]; negated: boolean };

export type BinaryOperator = 'and' | 'or' | '=' | '!=' | '<' | '<=' | '>' | '>=' | '+' | '-' | '*' | '/' | '%' | '^';

/** An expression under the name of its column: its alias, or its own text. */
export interface Column {
  name: string;
  expression: Expression;
}

/** An aggregate function of `stats`. */
export interface Aggregate {
  name: string;
  operation: string;
  /** Absent for `count(*)`. */
  operand?: Expression;
  /** Of `pct`. */
  percent?: number;
}

/** One command of a query; they run one after another. */
export type Command =
  | { kind: 'fields'; columns: Column[] }
  | { kind: 'display'; columns: Column[] }
  | { kind: 'filter'; condition: Expression }
  | { kind: 'parse'; source: Expression; pattern: RegExp; names: string[] }
  | { kind: 'stats'; aggregates: Aggregate[]; by: Column[] }
  | { kind: 'sort'; keys: { expression: Expression; descending: boolean }[] }
  | { kind: 'limit'; rows: number }
  | { kind: 'dedup'; fields: Expression[] };
