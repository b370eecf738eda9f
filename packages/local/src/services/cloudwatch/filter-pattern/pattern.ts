/** A parsed filter pattern of CloudWatch Logs. */
export type FilterPattern =
  | { kind: 'everything' }
  /** All of `required`, none of `excluded`, and where there is nothing else any of `optional`. */
  | { kind: 'terms'; required: Term[]; excluded: Term[]; optional: Term[] }
  | { kind: 'json'; condition: JsonCondition }
  | { kind: 'fields'; fields: FieldPattern[] };

/** A text that the line contains, or a regular expression that finds something in it. */
export type Term = string | RegExp;

export type JsonCondition =
  | { kind: 'all'; parts: JsonCondition[] }
  | { kind: 'any'; parts: JsonCondition[] }
  | { kind: 'is'; path: (string | number)[]; value: true | false | null | undefined }
  | ({ kind: 'compare'; path: (string | number)[] } & Comparison);

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=';

export interface Comparison {
  operator: Operator;
  /** The text as it was written; a RegExp where it has wildcards, or is one. */
  text: string | RegExp;
  /** Absent: the text is not a number, or is in quotes. */
  number?: number;
}

/** One word of a line; `rest` stands for any number of them. */
export type FieldPattern = 'rest' | { name: string; condition?: FieldCondition };

export type FieldCondition =
  | { kind: 'all'; parts: FieldCondition[] }
  | { kind: 'any'; parts: FieldCondition[] }
  | ({ kind: 'compare' } & Comparison);

/** The conditions of one field: its name is repeated in each of them. */
export interface NamedCondition {
  name: string;
  condition?: FieldCondition;
}
