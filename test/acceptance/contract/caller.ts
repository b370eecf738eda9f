import { expect } from 'vitest';
import { type Answer, type Api, json, type SendOptions } from '../../fixtures/cruddur/api.ts';

/** The seed's "Cloud is very fun!" by andrewbrown. */
export const cloudIsFun = '68f126b0-1ceb-4a33-88be-d90fa7109eee';
export const unknownUuid = '00000000-0000-4000-8000-000000000000';

/** Fields that the items of all lists have. */
export interface Listed {
  uuid: string;
  handle: string;
  message: string;
  created_at: string;
  replies?: Listed[];
}

/** How a section of the contract calls the API. */
export interface Caller {
  get(path: string, options?: SendOptions): Promise<Answer>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>;
  create(message: string, ttl?: string): Promise<Listed & Record<string, unknown>>;
  /** An origin that pages may call from. */
  origin(): string;
  /** A word that no other test has written. */
  uniqueWord(): string;
}

/** @param api asked for at each call: the suite's sections are put together before the API runs. */
export function callerOf(api: () => Api): Caller {
  const post: Caller['post'] = (path, body, headers) =>
    api().send('POST', path, { body, ...(headers ? { headers } : {}) });
  return {
    get: (path, options) => api().send('GET', path, options),
    post,
    create: async (message, ttl = '1-day') => json(await post('/api/activities', { message, ttl })),
    origin: () => api().origin ?? 'http://localhost:4000',
    uniqueWord: () => `w${Math.random().toString(36).slice(2)}x`,
  };
}

/** A problem document with everything that the contract wants of one. */
export async function expectProblem(answer: Answer | Promise<Answer>, status: number): Promise<void> {
  const { status: actual, headers, text } = await answer;
  expect([actual, text]).toEqual([status, expect.any(String)]);
  expect(headers['content-type']).toBe('application/problem+json');
  expect(JSON.parse(text)).toEqual({
    type: expect.any(String),
    title: expect.any(String),
    status,
    trace_id: expect.stringMatching(/^([0-9a-f]{32}|1-[0-9a-f]{8}-[0-9a-f]{24})$/),
  });
}
