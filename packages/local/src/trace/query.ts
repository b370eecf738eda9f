import { type Condition, InvalidSearch, parseSearch } from './search.ts';

/** Selects traces for a list; times are epoch milliseconds. */
export interface TraceQuery {
  /** Only traces that are marked error, fault or throttle as a whole. */
  errors?: boolean;
  /** Only traces that lasted at least this long. */
  slowMilliseconds?: number;
  /** Traces that were not over before this. */
  from?: number;
  /** Traces that had begun by this. */
  to?: number;
  /** Only traces that fit all of these. */
  search?: Condition[];
  /** 100 unless given. */
  limit?: number;
}

/** Selects traces by time for the read APIs; times are epoch milliseconds. */
export interface TraceRange {
  from?: number;
  to?: number;
  /**
   * Which time must lie from `from` to `to`. overlap (the default): any part of the trace; start:
   * its first moment; end: the end of any of its segments; received: the arrival of any of its
   * documents.
   */
  within?: 'overlap' | 'start' | 'end' | 'received';
  /** Only traces that lasted at least this long. */
  slowMilliseconds?: number;
  /** Only traces in which something, anywhere, is marked error, fault or throttle. */
  troubled?: boolean;
  /** Only traces with an X-Ray document, and only those documents. */
  segmentsOnly?: boolean;
  /** Only traces whose X-Ray documents hold this. */
  holding?: Holding;
  /** Continues after the last trace of a page: only traces older than this one. */
  before?: { start: number; id: string };
  limit: number;
}

/**
 * What the documents of a trace hold, as far as their JSON shows it: for a filter that is not SQL,
 * more traces than it asks for and never fewer. all: each part; any: one of them; text: one
 * document has this text; number: a document has a member `key` with such a number; lasting: from
 * the first of all times to the last it is at least so long.
 */
export type Holding =
  | { kind: 'all' | 'any'; parts: Holding[] }
  | { kind: 'text'; text: string }
  | { kind: 'number'; key: string; operator: '=' | '!=' | '<' | '<=' | '>' | '>='; value: number }
  | { kind: 'lasting'; seconds: number };

/** A query parameter that cannot be understood; its message names it. */
export class InvalidQuery extends Error {}

const known = new Set(['errors', 'slow', 'from', 'to', 'limit', 'last', 'q']);
export const mostTraces = 1_000;
/** Longer than any run lasts. */
const mostMilliseconds = 1e12;
/** Of a date that JavaScript can hold. */
const latestTime = 8.64e15;

/**
 * Reads the query string of `GET /api/traces`: `errors` (true), `slow` (ms), `from` and `to` (epoch
 * ms or ISO 8601), `q` (a search, as on the page and in the terminal: `status>=500 route:/api`),
 * `limit` (1-1000, default 100); `last` is another word for `limit`.
 * @throws InvalidQuery for a parameter that is unknown, repeated or malformed: it never answers
 *   with other traces than were asked for.
 */
export function readQuery(parameters: URLSearchParams): TraceQuery & { limit: number } {
  for (const key of new Set(parameters.keys())) {
    if (!known.has(key)) throw new InvalidQuery(`There is no parameter "${key}"; there are ${[...known].join(', ')}.`);
    if (parameters.getAll(key).length > 1) throw new InvalidQuery(`"${key}" is given more than once.`);
  }
  const query: TraceQuery & { limit: number } = {
    limit: whole(parameters, 'limit') ?? whole(parameters, 'last') ?? 100,
  };
  if (flag(parameters, 'errors')) query.errors = true;
  const slow = number(parameters, 'slow');
  if (slow !== undefined) query.slowMilliseconds = slow;
  const from = time(parameters, 'from');
  if (from !== undefined) query.from = from;
  const to = time(parameters, 'to');
  if (to !== undefined) query.to = to;
  const search = searchOf(parameters.get('q') ?? '');
  if (search.length > 0) query.search = search;
  return query;
}

function searchOf(text: string): Condition[] {
  try {
    return parseSearch(text);
  } catch (error) {
    if (error instanceof InvalidSearch) throw new InvalidQuery(`"q": ${error.message}`);
    throw error;
  }
}

function flag(parameters: URLSearchParams, key: string): boolean {
  const value = parameters.get(key);
  if (value === null || value === 'false' || value === '0') return false;
  if (value === '' || value === 'true' || value === '1') return true;
  throw new InvalidQuery(`"${key}" is true or false.`);
}

function number(parameters: URLSearchParams, key: string): number | undefined {
  const value = parameters.get(key);
  if (value === null) return undefined;
  if (/^\d+(\.\d+)?$/.test(value) && Number(value) <= mostMilliseconds) return Number(value);
  throw new InvalidQuery(`"${key}" is a number of milliseconds from 0 to ${mostMilliseconds}, such as 500.`);
}

function whole(parameters: URLSearchParams, key: string): number | undefined {
  const value = parameters.get(key);
  if (value === null) return undefined;
  if (/^\d{1,4}$/.test(value) && Number(value) >= 1 && Number(value) <= mostTraces) return Number(value);
  throw new InvalidQuery(`"${key}" is a whole number from 1 to ${mostTraces}.`);
}

function time(parameters: URLSearchParams, key: string): number | undefined {
  const value = parameters.get(key);
  if (value === null) return undefined;
  const milliseconds = /^\d{1,16}(\.\d+)?$/.test(value) ? Number(value) : Date.parse(value);
  if (Math.abs(milliseconds) <= latestTime) return milliseconds;
  throw new InvalidQuery(`"${key}" is a time, as epoch milliseconds or ISO 8601.`);
}
