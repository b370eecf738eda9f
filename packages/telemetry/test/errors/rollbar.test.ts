import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { reportFault } from '../../src/errors/error-reporting.ts';
import { sharedExporter } from '../../src/export/exporter.ts';
import type { Delivery } from '../harness/back-end.ts';
import { type LambdaHarness, startLambdaHarness } from '../harness/lambda-harness.ts';

interface Item {
  data: {
    level: string;
    context?: string;
    code_version: string;
    environment: string;
    person?: { id: string };
    request?: { method: string; url: string; headers: Record<string, string> };
    custom: Record<string, string>;
    body: { trace_chain?: { exception: { class: string; message: string } }[]; message?: { body: string } };
  };
}

const itemOf = ({ body }: Delivery): Item => JSON.parse(String(body)) as Item;

describe('a fault', () => {
  let harness: LambdaHarness;

  beforeAll(async () => {
    harness = await startLambdaHarness({ layer: true, environment: { ROLLBAR_ACCESS_TOKEN: 'token' } });
  });
  afterAll(() => harness.stop());

  it('reaches Rollbar once, with person, redacted request, route, code version, trace id and the way to the trace', async () => {
    const headers = { authorization: 'Bearer abcdef123456', 'user-agent': 'test' };
    const invocation = await harness.invoke({ path: '/known-fault', headers, query: { token: 'secret-in-query' } });
    const [delivery] = await harness.rollbar.received(1);
    if (!delivery) throw new Error('nothing was delivered');
    const { data } = itemOf(delivery);

    expect(delivery.headers['x-rollbar-access-token']).toBe('token');
    expect(delivery.path).toBe('/api/1/item/');
    expect(data).toMatchObject({
      level: 'error',
      environment: 'test',
      code_version: 'abc1234',
      context: 'GET /known-fault',
      person: { id: 'andrewbrown' },
      request: { method: 'GET', url: 'https://api.example.test/known-fault', headers: { 'user-agent': 'test' } },
      custom: {
        trace_id: invocation.traceId,
        xray_trace_id: invocation.root,
        function_request_id: invocation.requestId,
        trace_url: expect.stringContaining(invocation.root),
      },
      body: { trace_chain: [{ exception: { class: 'Error', message: 'out of cheese' } }] },
    });
    expect(String(delivery.body)).not.toMatch(/abcdef123456|secret-in-query/);
  });

  it('quotes of a frame one line of code, and the layer has no long ones', async () => {
    const before = harness.rollbar.deliveries.length;
    await harness.invoke({ path: '/known-fault' });
    const delivery = (await harness.rollbar.received(before + 1)).at(-1);
    const quoted: string[] = [];
    JSON.parse(String(delivery?.body), (key, value: unknown) => {
      if (key === 'code') quoted.push(String(value));
      return value;
    });

    expect(quoted.length).toBeGreaterThan(0);
    expect(quoted.filter((line) => line.length > 500)).toEqual([]);
  });

  it('names the URL that was asked for, with the stage where API Gateway answers under its own name', async () => {
    const before = harness.rollbar.deliveries.length;
    const headers = { Host: 'abc123.execute-api.eu-west-1.amazonaws.com', 'X-Forwarded-Proto': 'https' };
    await harness.invoke({ path: '/known-fault', headers });
    await harness.invoke({ path: '/known-fault', headers: { Host: '127.0.0.1:3000', 'X-Forwarded-Proto': 'http' } });
    const items = (await harness.rollbar.received(before + 2)).slice(before).map(itemOf);

    // In any order: each environment sends its own.
    expect(new Set(items.map(({ data }) => data.request?.url))).toEqual(
      new Set([
        'https://abc123.execute-api.eu-west-1.amazonaws.com/dev/known-fault',
        'http://127.0.0.1:3000/known-fault',
      ]),
    );
  });

  it('that is caught and reported by hand is not reported again when it reaches the edge', async () => {
    const before = harness.rollbar.deliveries.length;
    await harness.invoke({ path: '/reported-fault' });
    await harness.invoke({ path: '/message' });
    const items = (await harness.rollbar.received(before + 2)).slice(before).map(itemOf);

    // In any order: the second request may run in another environment.
    const said = items.map(({ data }) => data.body.trace_chain?.[0]?.exception.message ?? data.body.message?.body);
    expect(said.sort()).toEqual(['a word of warning', 'caught twice']);
    expect(items.map(({ data }) => data.level).sort()).toEqual(['error', 'warning']);
  });

  it('is not what a 4xx is', async () => {
    const before = harness.rollbar.deliveries.length;
    await harness.invoke({ path: '/missing' });
    await harness.invoke({ path: '/early' });
    await harness.invoke({ path: '/message' });

    expect(
      (await harness.rollbar.received(before + 1)).slice(before).map((delivery) => itemOf(delivery).data.level),
    ).toEqual(['warning']);
  });

  it('that comes after the answer is of the request that it comes from, and so is a line', async () => {
    const before = harness.rollbar.deliveries.length;
    const late = await harness.invoke({ path: '/late', method: 'POST', body: '{"note":"for your eyes only"}' });
    const isLate = ({ message }: Record<string, unknown>): boolean => String(message).startsWith('late, of');
    // Another request, in which it happens: an environment does nothing between two.
    await harness.invoke({ path: '/slow', query: { for: '100' } });
    await harness.until(() => harness.json().some(isLate));
    await harness.invoke({ path: '/message' });
    const { data } = itemOf((await harness.rollbar.received(before + 2))[before] as Delivery);

    expect(data).toMatchObject({
      context: 'POST /late',
      person: { id: 'andrewbrown' },
      request: { url: 'https://api.example.test/late' },
      custom: { trace_id: late.traceId, function_request_id: late.requestId },
    });
    const line = harness.json().find(isLate);
    expect(line).toMatchObject({ trace_id: late.traceId, xray_trace_id: late.root });
    expect(JSON.stringify(line)).not.toContain('for your eyes only');
  });

  it('is also what carries the 4xx of somebody else, when the answer is a 5xx', async () => {
    const before = harness.rollbar.deliveries.length;
    await harness.invoke({ path: '/foreign-404' });
    await harness.invoke({ path: '/message' });
    const items = (await harness.rollbar.received(before + 2)).slice(before).map(itemOf);

    expect(items.map(({ data }) => data.body.trace_chain?.[0]?.exception.message)).toEqual([
      'a back end knows of none',
      undefined,
    ]);
  });

  it('has frames of code alone, whatever its message looks like, and no line of any other file', async () => {
    const before = harness.rollbar.deliveries.length;
    await harness.invoke({ path: '/false-frames' });
    const delivery = (await harness.rollbar.received(before + 1))[before] as Delivery;
    const files: unknown[] = [];
    JSON.parse(String(delivery.body), (key, value: unknown) => {
      if (key === 'filename') files.push(value);
      return value;
    });

    expect(itemOf(delivery).data.body.trace_chain).toHaveLength(2);
    expect(files.some((file) => String(file).endsWith('probe.js'))).toBe(true);
    expect(files.filter((file) => !/^node:|\.[cm]?js$/.test(String(file)))).toEqual([]);
    expect(String(delivery.body)).not.toContain('root:');
  });

  it('that is no Error says what it is', async () => {
    const before = harness.rollbar.deliveries.length;
    await harness.invoke({ path: '/object-fault' });
    const delivery = (await harness.rollbar.received(before + 1))[before] as Delivery;

    expect(itemOf(delivery).data.body.trace_chain?.[0]?.exception.message).toBe(
      '{"reason":"no words","password":"[redacted]"}',
    );
  });

  it('whose cause is itself is written all the same', async () => {
    const before = harness.rollbar.deliveries.length;
    await harness.invoke({ path: '/own-cause' });

    expect((await harness.rollbar.received(before + 1)).length).toBe(before + 1);
  });
});

/**
 * What Rollbar's own wrapper for Lambda did when it was tried; each in the order of its discovery.
 */
describe('none of the defects of Rollbar’s own Lambda wrapper', () => {
  let harness: LambdaHarness;

  beforeAll(async () => {
    harness = await startLambdaHarness({
      layer: true,
      timeoutSeconds: 2,
      environment: { ROLLBAR_ACCESS_TOKEN: 'token' },
    });
  });
  afterAll(() => harness.stop());

  it('1: a handler that throws synchronously is reported, and no timeout with it', async () => {
    await harness.invoke({ path: '/synchronous' });
    await harness.invoke({ path: '/slow', query: { for: '2' } });

    expect(
      (await harness.rollbar.received(1)).map((item) => itemOf(item).data.body.trace_chain?.[0]?.exception.message),
    ).toEqual(['thrown at once']);
  });

  it('2: a handler that finishes within its last second is not a timeout', async () => {
    const before = harness.rollbar.deliveries.length;
    const invocation = await harness.invoke({ path: '/slow', query: { for: '1700' } });
    await harness.invoke({ path: '/message' });

    expect(invocation.response?.statusCode).toBe(200);
    const items = (await harness.rollbar.received(before + 1)).slice(before);
    expect(items.map((item) => itemOf(item).data.body.message?.body)).toEqual(['a word of warning']);
  });

  it('3 and 7: an error is answered before Rollbar has answered, even if that never does', async () => {
    await harness.rollbar.behave('never answers');
    const before = harness.rollbar.deliveries.length;
    const invocation = await harness.invoke({ path: '/fault' });
    const delivery = (await harness.rollbar.received(before + 1))[before];

    expect(invocation.error?.message).toBe('out of cheese');
    expect(delivery?.answered).toBeUndefined();
    await harness.rollbar.behave('works');
  });

  it('6: nothing of the event but what is shown on purpose goes along on a timeout', async () => {
    const before = harness.rollbar.deliveries.length;
    await harness.invoke({
      path: '/hang',
      method: 'POST',
      body: '{"message":"for your eyes only"}',
      headers: { cookie: 'a=secretcookie' },
    });
    const delivery = (await harness.rollbar.received(before + 1)).at(-1);

    expect(delivery && itemOf(delivery).data.body.trace_chain?.[0]?.exception.class).toBe('FunctionTimeout');
    expect(String(delivery?.body)).not.toMatch(/for your eyes only|secretcookie|originalEvent/);
  });
});

describe('without a token', () => {
  it('4: a fault changes nothing and nothing is sent', async () => {
    const harness = await startLambdaHarness({ layer: true });
    const first = await harness.invoke({ path: '/fault' });
    const second = await harness.invoke({ path: '/message' });

    expect([first.error?.message, second.response?.statusCode]).toEqual(['out of cheese', 200]);
    expect(harness.rollbar.deliveries).toEqual([]);
    await harness.stop();
  });
});

describe('in one process', () => {
  it('5: two invocations at a time both settle, each with a report of its own', async () => {
    const { startBackEnd } = await import('../harness/back-end.ts');
    const backEnd = await startBackEnd();
    process.env.ROLLBAR_ACCESS_TOKEN = 'token';
    process.env.ROLLBAR_ENDPOINT = `${backEnd.url}/api/1/`;
    const { handler } = await import('../fixture/probe.ts');
    const invoke = handler as unknown as (event: unknown, context: unknown) => Promise<unknown>;
    const both = ['a', 'b'].map((id) =>
      invoke({ httpMethod: 'GET', resource: '/fault', path: '/fault', headers: {} }, { awsRequestId: id }),
    );

    expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    // Here nothing is sent between requests: what took too long to be sent before the answer goes
    // with the next.
    const next = { httpMethod: 'GET', resource: '/pid', path: '/pid', headers: {} };
    while (backEnd.deliveries.length < 2) await invoke(next, { awsRequestId: 'c' });
    const items = (await backEnd.received(2)).map(itemOf);
    expect(items.map(({ data }) => data.custom.function_request_id).sort()).toEqual(['a', 'b']);
    expect(new Set(items.map(({ data }) => data.custom.trace_id)).size).toBe(2);
    await backEnd.stop();
  });
});

it('a report that waits is weighed with all the causes of its error, or 2,000 of them would be more than a function has memory', () => {
  vi.stubEnv('ROLLBAR_ACCESS_TOKEN', 'token');
  const add = vi.spyOn(sharedExporter().queue, 'add').mockImplementation(() => {});
  const failing = (cause?: Error): Error => new Error('x'.repeat(4_000), { cause });
  reportFault(failing());
  reportFault(failing(failing(failing(failing()))));
  const [alone = 0, withCauses = 0] = add.mock.calls.map(([{ size }]) => size ?? 0);
  add.mockRestore();
  vi.unstubAllEnvs();

  expect(alone).toBeGreaterThan(8_000);
  expect(withCauses - alone).toBeGreaterThan(3 * 8_000);
});
