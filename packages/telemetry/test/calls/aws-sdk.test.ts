import type { IncomingMessage, Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { SegmentDocument, SpanRecord } from 'serverless-throughline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BackEnd, spansOf, startBackEnd } from '../harness/back-end.ts';
import { type Invocation, type LambdaHarness, startLambdaHarness } from '../harness/lambda-harness.ts';

// It has no types of its own.
const dynalite = createRequire(import.meta.url)('dynalite') as (options: { createTableMs: number }) => Server;

describe('a call that leaves', () => {
  let harness: LambdaHarness;
  let database: Server;
  let backEnd: BackEnd;
  const requests: IncomingMessage[] = [];

  beforeAll(async () => {
    backEnd = await startBackEnd();
    database = dynalite({ createTableMs: 0 });
    database.on('request', (request: IncomingMessage) => requests.push(request));
    await new Promise<void>((resolve) => database.listen(0, '127.0.0.1', () => resolve()));
    harness = await startLambdaHarness({
      layer: true,
      handler: path.join(import.meta.dirname, '../fixture/table.ts'),
      environment: {
        AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${(database.address() as AddressInfo).port}`,
        AWS_ACCESS_KEY_ID: 'local',
        AWS_SECRET_ACCESS_KEY: 'local',
      },
    });
    await harness.invoke({ path: '/create' });
    await harness.invoke({ path: '/put' });
  });
  afterAll(async () => {
    await harness.stop();
    await backEnd.stop();
    await new Promise((resolve) => database.close(resolve));
  });

  interface Seen {
    invocation: Invocation;
    xray: SegmentDocument;
    otel: SpanRecord;
    xrayCount: number;
    otelCount: number;
  }

  /** The span of the one call that a request makes, in both. */
  async function callOf(target: string, query?: Record<string, string>): Promise<Seen> {
    const invocation = await harness.invoke({ path: target, ...(query ? { query } : {}) });
    for (;;) {
      const spans = (await spansOf(harness.otlp.deliveries)).filter(({ traceId }) => traceId === invocation.traceId);
      if (spans.length > 0) {
        const own = (): SegmentDocument[] => harness.subsegments.filter(({ trace_id }) => trace_id === invocation.root);
        await harness.until(() => own().some(({ name }) => name.startsWith('## ')));
        const calls = own().filter(({ name }) => !name.startsWith('## '));
        const others = spans.filter(({ name }) => !name.startsWith('## '));
        const [xray] = calls;
        const [otel] = others;
        if (!xray || !otel) throw new Error('the call was not recorded');
        return { invocation, xray, otel, xrayCount: calls.length, otelCount: others.length };
      }
      await harness.otlp.received(harness.otlp.deliveries.length + 1);
    }
  }

  it('to DynamoDB is one span in both, named and filled as X-Ray names and fills it', async () => {
    const { xray, otel, xrayCount, otelCount } = await callOf('/query');

    expect([xrayCount, otelCount]).toEqual([1, 1]);
    expect(xray).toMatchObject({
      name: 'DynamoDB',
      namespace: 'aws',
      aws: {
        operation: 'Query',
        region: 'us-east-1',
        table_name: 'things',
        retries: 0,
        request_id: expect.stringMatching(/./),
      },
      http: { response: { status: 200, content_length: expect.any(Number) } },
    });
    expect(otel).toMatchObject({
      name: 'DynamoDB',
      kind: 'client',
      spanId: xray.id,
      parentId: xray.parent_id,
      attributes: {
        'rpc.system': 'aws-api',
        'rpc.service': 'DynamoDB',
        'rpc.method': 'Query',
        'aws.dynamodb.table_names': ['things'],
        'aws.request_id': xray.aws?.request_id,
        'http.response.status_code': 200,
      },
    });
  });

  it('to DynamoDB carries exactly one trace header of each kind, both naming this span', async () => {
    const before = requests.length;
    const { invocation, xray } = await callOf('/query');
    const request = requests.slice(before).at(-1);
    const values = (name: string): string[] =>
      (request?.rawHeaders ?? []).filter((_, index, all) => index % 2 === 1 && all[index - 1]?.toLowerCase() === name);

    expect(values('x-amzn-trace-id')).toEqual([`Root=${invocation.root};Parent=${xray.id};Sampled=1`]);
    expect(values('traceparent')).toEqual([`00-${invocation.traceId}-${xray.id}-01`]);
  });

  it.each([
    ['/condition', 'PutItem', 'things'],
    ['/nowhere', 'GetItem', 'nowhere'],
  ])('that DynamoDB refuses, %s, is an error with its exception, and no fault', async (target, operation, table) => {
    const { xray, otel } = await callOf(target);

    expect(xray).toMatchObject({
      error: true,
      aws: { operation, table_name: table },
      http: { response: { status: 400 } },
      cause: { exceptions: [{ type: expect.stringMatching(/Exception$/) }] },
    });
    expect(xray.fault).toBeUndefined();
    expect(otel.status).toBe('error');
  });

  it('to DynamoDB is counted and timed in the wide event', async () => {
    const { invocation } = await callOf('/query');
    await harness.until(() => harness.json(invocation).some((line) => '_aws' in line));
    const event = harness.json(invocation).find((line) => 'event' in line)?.event as Record<string, unknown>;

    expect(event.database_calls).toBe(1);
    expect(event.database_ms).toBeGreaterThan(0);
  });

  it('by fetch is one span named after the host, with one trace header of each kind and without the query', async () => {
    const before = backEnd.deliveries.length;
    const { invocation, xray, otel } = await callOf('/fetch', { url: `${backEnd.url}/path?secret=1` });
    const { headers } = (await backEnd.received(before + 1))[before] ?? {};

    expect(xray).toMatchObject({
      name: '127.0.0.1',
      namespace: 'remote',
      http: { request: { method: 'GET', url: `${backEnd.url}/path` }, response: { status: 200 } },
    });
    expect(otel).toMatchObject({ spanId: xray.id, kind: 'client', attributes: { 'url.full': `${backEnd.url}/path` } });
    expect(headers).toMatchObject({
      'x-own': '1',
      'x-amzn-trace-id': `Root=${invocation.root};Parent=${xray.id};Sampled=1`,
      traceparent: `00-${invocation.traceId}-${xray.id}-01`,
    });
  });

  it('and is not answered is a fault', async () => {
    const away = await startBackEnd();
    await away.behave('refused');
    const { xray, otel } = await callOf('/broken', { url: away.url });

    expect(xray).toMatchObject({ fault: true, namespace: 'remote' });
    expect(otel.status).toBe('error');
  });
});

describe('a call that leaves a function without the layer', () => {
  it.each([
    [true, '01', '1'],
    [false, '00', '0'],
  ])("says by traceparent what X-Ray's sampling decided: %s", async (sampled, flags, value) => {
    const harness = await startLambdaHarness();
    const backEnd = await startBackEnd();
    const invocation = await harness.invoke({ path: '/fetch', query: { url: backEnd.url }, sampled });
    const [delivery] = await backEnd.received(1);

    expect(delivery?.headers.traceparent).toMatch(new RegExp(`^00-${invocation.traceId}-[0-9a-f]{16}-${flags}$`));
    expect(delivery?.headers['x-amzn-trace-id']).toMatch(
      new RegExp(`^Root=${invocation.root};Parent=[0-9a-f]{16};Sampled=${value}$`),
    );
    await harness.stop();
    await backEnd.stop();
  });
});
