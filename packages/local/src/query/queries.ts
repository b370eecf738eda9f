import type { FieldInfo, QueryResult } from './result.ts';
import type { SavedQuery } from './validate.ts';

/** The context in which a query's relative time range and data set are resolved. */
export interface QueryOptions {
  /**
   * What "now" is to a relative time range, in epoch milliseconds; the newest event's time unless
   * given.
   */
  now?: number;
  /** Seconds: makes a series where the query names no granularity itself. */
  granularity?: number;
  /** Refuses a column that no event has, as Honeycomb does; otherwise its place is noted. */
  strict?: boolean;
  /** Events of this service alone. */
  service?: string;
}

/** A service that events came from: with Honeycomb, a data set. */
export interface ServiceInfo {
  name: string;
  /** Epoch milliseconds. */
  first: number;
  last: number;
}

/** Answers queries in Honeycomb's specification. */
export interface Queries {
  ask(query: Pick<SavedQuery, 'specification' | 'source'>, options?: QueryOptions): Promise<QueryResult>;
  /** Every column that a query may name. */
  fields(): Promise<FieldInfo[]>;
  services(): Promise<ServiceInfo[]>;
}
