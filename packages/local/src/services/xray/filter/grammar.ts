/** A parsed filter expression; each part has its position. */
export type Filter =
  | { kind: 'and' | 'or'; parts: Filter[] }
  | { kind: 'not'; part: Filter }
  | { kind: 'compare'; keyword: Keyword; operator: Operator; value: string | number | boolean }
  | { kind: 'service'; service: ServiceSelector; where?: Filter }
  | { kind: 'edge'; from: ServiceSelector; to: ServiceSelector; where?: Filter };

/** Holds for every trace. */
export const everything: Filter = { kind: 'and', parts: [] };
/** Holds for no trace. */
export const nothing: Filter = { kind: 'or', parts: [] };

/** What `group.name` and `group.arn` stand for, by name and by ARN. */
export type GroupFilters = ReadonlyMap<string, Filter>;

export type Keyword =
  | { kind: 'boolean'; name: BooleanKeyword }
  | { kind: 'number'; name: NumberKeyword }
  | { kind: 'string'; name: StringKeyword }
  | { kind: 'annotation'; key: string };

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'CONTAINS' | 'BEGINSWITH' | 'ENDSWITH';

/** Each that is given must be equal; none: any service. */
export interface ServiceSelector {
  name?: string;
  type?: string;
  accountId?: string;
}

export const booleans = ['ok', 'error', 'throttle', 'fault', 'partial', 'inferred', 'remote', 'root'] as const;
export const numbers = ['responsetime', 'duration', 'http.status'] as const;
export const strings = [
  'http.url',
  'http.method',
  'http.useragent',
  'http.clientip',
  'user',
  'name',
  'type',
  'message',
  'availabilityzone',
  'instance.id',
  'resource.arn',
] as const;

export type BooleanKeyword = (typeof booleans)[number];
export type NumberKeyword = (typeof numbers)[number];
export type StringKeyword = (typeof strings)[number];

/** Keywords that say something of a service or an edge, and nothing of a trace. */
export const ofAService: readonly string[] = ['inferred', 'remote', 'root', 'name', 'type', 'message'];

/**
 * Keywords of X-Ray that are known and refused: root causes are made by AWS's own analysis, which is
 * not here.
 */
export const notHere: readonly string[] = ['first', 'last', 'index', 'coverage'];
