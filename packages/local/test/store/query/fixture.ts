import type { QueryOptions } from '../../../src/query/queries.ts';
import type { QueryResult } from '../../../src/query/result.ts';
import { readSavedQuery } from '../../../src/query/validate.ts';
import { openStore, type Store } from '../../../src/store/index.ts';
import type { AttributeValue, SpanRecord } from '../../../src/trace/records.ts';

/** Some moment; all that the tests store is around it. */
export const noon = Date.UTC(2026, 10, 26, 12);

export function memoryStore(): Promise<Store> {
  return openStore({ file: ':memory:' });
}

let spans = 0;

export interface SpanShape extends Partial<Omit<SpanRecord, 'attributes'>> {
  /** Epoch milliseconds; noon unless given. */
  at?: number;
  milliseconds?: number;
  attributes?: Record<string, AttributeValue>;
}

/** @returns a span with ids of its own. */
export function span({ at = noon, milliseconds = 1, ...more }: SpanShape = {}): SpanRecord {
  spans++;
  const start = BigInt(Math.round(at * 1e6));
  return {
    source: 'otlp',
    traceId: spans.toString(16).padStart(32, '0'),
    spanId: spans.toString(16).padStart(16, '0'),
    name: 'span',
    kind: 'internal',
    startNanoseconds: start,
    endNanoseconds: start + BigInt(Math.round(milliseconds * 1e6)),
    status: 'unset',
    serviceName: 'shop',
    attributes: {},
    resource: {},
    events: [],
    links: [],
    sampleRate: 1,
    ...more,
  };
}

export function ask(store: Pick<Store, 'ask'>, query: object, options?: QueryOptions): Promise<QueryResult> {
  return store.ask(readSavedQuery(JSON.stringify(query)), options);
}

/** @returns the rows as objects by the columns' names. */
export async function rowsOf(store: Pick<Store, 'ask'>, query: object, options?: QueryOptions) {
  const { columns, rows } = await ask(store, query, options);
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, at) => [name, row[at]])));
}
