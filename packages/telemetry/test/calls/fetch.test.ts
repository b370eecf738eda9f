import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import middy from '@middy/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { telemetry } from '../../src/middleware.ts';

/** Runs `work` as what a handler does with its request. */
const inRequest = async <T>(work: () => Promise<T>): Promise<T> => {
  const handler = middy(telemetry()).handler(work as never);
  return (await (handler as unknown as (event: object, context: object) => Promise<unknown>)({}, {})) as T;
};

// The form of a recorded call is tested in aws-sdk.test.ts and agreement-on-calls.test.ts, in
// a process of Lambda's.
describe('fetch', () => {
  const original = globalThis.fetch;
  const received: IncomingHttpHeaders[] = [];
  let server: Server;
  let url: string;

  beforeAll(async () => {
    server = createServer((request, response) => {
      received.push(request.headers);
      request.pipe(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    telemetry();
  });
  beforeEach(() => void received.splice(0));
  afterAll(async () => {
    globalThis.fetch = original;
    await new Promise((resolve) => server.close(resolve));
  });

  it('is wrapped once, however many functions a process holds', () => {
    const wrapped = globalThis.fetch;
    telemetry();
    expect([wrapped === original, globalThis.fetch]).toEqual([false, wrapped]);
  });

  it('of a request sends trace headers of which the first names the same trace as the second', async () => {
    const text = await inRequest(async () => (await fetch(url, { method: 'POST', body: 'a body' })).text());
    const [headers] = received;
    const [, traceId] = String(headers?.traceparent).split('-');

    expect(text).toBe('a body');
    expect(String(headers?.['x-amzn-trace-id']).replaceAll('-', '')).toContain(`Root=1${traceId};`);
  });

  it('outside a request sends none', async () => {
    await fetch(url);
    expect(received).toEqual([expect.not.objectContaining({ traceparent: expect.anything() })]);
    expect(received[0]).not.toHaveProperty('x-amzn-trace-id');
  });

  it.each([
    ['an invalid URL', () => fetch('nowhere')],
    ['a body for GET', () => fetch(url, { body: 'a body' })],
    ['a signal that has been aborted', () => fetch(url, { signal: AbortSignal.abort(new Error('no more')) })],
    ['a server that is away', () => fetch('http://127.0.0.1:1/')],
  ])('refuses %s as it does without telemetry', async (_, call) => {
    const outside = await call().catch((error: unknown) => error);
    const inside = await inRequest(() => call().catch((error: unknown) => error));
    expect(inside).toEqual(outside);
    expect(inside).toBeInstanceOf(Error);
  });

  it('reads what is not of HTTP as it does without telemetry', async () => {
    expect(await inRequest(async () => (await fetch('data:text/plain,here')).text())).toBe('here');
  });
});
