import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { disagreements, type Trees, treesOf } from '../harness/agreement.ts';
import { type LambdaHarness, startLambdaHarness } from '../harness/lambda-harness.ts';

// It has no types of its own.
const dynalite = createRequire(import.meta.url)('dynalite') as (options: { createTableMs: number }) => Server;

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const close = (server: Server): Promise<unknown> => new Promise((resolve) => server.close(resolve));

describe('X-Ray and OpenTelemetry agree on a call that leaves:', () => {
  let harness: LambdaHarness;
  let database: Server;
  let others: Server;
  let url: string;

  beforeAll(async () => {
    database = dynalite({ createTableMs: 0 });
    // `/404` is answered 404, `/throttled` as DynamoDB throttles, `/reset` not at all.
    others = createServer((request, response) => {
      const [, way = ''] = request.url?.split(/[/?]/) ?? [];
      const exceptions: Record<string, string> = {
        throttled: 'ProvisionedThroughputExceededException',
        denied: 'AccessDeniedException',
      };
      if (way.startsWith('reset')) {
        request.socket.resetAndDestroy();
        return;
      }
      const exception = exceptions[way];
      const body = JSON.stringify(exception ? { __type: `com.amazonaws.dynamodb.v20120810#${exception}` } : {});
      response.writeHead(exception ? 400 : Number.parseInt(way, 10), { 'content-length': body.length });
      response.end(body);
    });
    url = await listen(others);
    harness = await startLambdaHarness({
      layer: true,
      handler: path.join(import.meta.dirname, '../fixture/table.ts'),
      environment: {
        AWS_ENDPOINT_URL_DYNAMODB: await listen(database),
        AWS_ACCESS_KEY_ID: 'local',
        AWS_SECRET_ACCESS_KEY: 'local',
      },
    });
    for (const table of ['things', 'others']) await harness.invoke({ path: '/create', query: { table } });
  });
  afterAll(async () => {
    await harness.stop();
    await Promise.all([close(database), close(others)]);
  });

  // The query is not shown; without one, the URL would be, and being the caller's word it would be
  // taken out.
  const treesAfter = async (target: string, to: string): Promise<Trees> =>
    treesOf(harness, await harness.invoke({ path: target, query: { url: `${url}${to}?more` } }));

  it.each([
    ['an AWS call that succeeds', '/query', '', { category: undefined, attributes: { 'aws.retries': 0 } }],
    ['one that names no table', '/no-table', '', { category: undefined, attributes: {} }],
    [
      'one that names several tables',
      '/batch',
      '',
      { category: undefined, attributes: { 'aws.dynamodb.table_names': ['things', 'others'] } },
    ],
    [
      'one that names a queue',
      '/queue',
      '',
      { category: undefined, attributes: { 'aws.sqs.queue.url': 'https://sqs.example.test/1/jobs' } },
    ],
    ['one that fails', '/nowhere', '', { category: 'error', attributes: { 'http.response.status_code': 400 } }],
    ['one that fails, and the request with it', '/uncaught', '', { category: 'error', attributes: {} }],
    [
      'one that is throttled, and tried again',
      '/refused',
      '/throttled',
      { category: 'throttle', attributes: { 'aws.retries': 1, 'cloud.region': 'eu-west-1' } },
    ],
    ['one that is throttled by its status', '/refused', '/429', { category: 'throttle', attributes: {} }],
    ['one that is denied', '/refused', '/denied', { category: 'error', attributes: {} }],
    ['one whose service is down', '/refused', '/503', { category: 'fault', attributes: { 'aws.retries': 1 } }],
    ['a fetch that succeeds', '/fetch', '/200', { category: undefined, attributes: { 'aws.xray.traced': true } }],
    ['one that finds nothing', '/fetch', '/404', { category: 'error', attributes: { 'http.response.body.size': 2 } }],
    ['one that comes too often', '/fetch', '/429', { category: 'throttle', attributes: {} }],
    ['one whose server fails', '/fetch', '/500', { category: 'fault', attributes: {} }],
    ['one that nobody answers', '/broken', '/reset', { category: 'fault', attributes: {} }],
  ])('%s', async (_, target, to, { category, attributes }) => {
    const trees = await treesAfter(target, to);
    const calls = trees.otel.filter(({ kind }) => kind === 'client');

    expect(disagreements(trees)).toEqual([]);
    expect(calls).toHaveLength(1);
    expect(calls[0]?.attributes).toMatchObject(attributes);
    expect(calls[0]?.attributes['error.category']).toBe(category);
  });

  it('the comparison finds whatever one of the two has and the other has not', async () => {
    const trees = await treesAfter('/batch', '');
    const call = trees.xray.findIndex(({ namespace }) => namespace === 'aws');
    const span = trees.otel.findIndex(({ kind }) => kind === 'client');
    const withSubsegment = (change: object): Trees => ({
      ...trees,
      xray: trees.xray.map((subsegment, at) => (at === call ? { ...subsegment, ...change } : subsegment)),
    });
    const withSpan = (change: object): Trees => ({
      ...trees,
      otel: trees.otel.map((other, at) => (at === span ? { ...other, ...change } : other)),
    });
    const { metadata, aws, http } = trees.xray[call] ?? {};
    const { attributes } = trees.otel[span] ?? {};
    const changed: Trees[] = [
      withSubsegment({ name: 'S3' }),
      withSubsegment({ parent_id: '0123456789abcdef' }),
      withSubsegment({ annotations: { more: 1 } }),
      withSubsegment({ metadata: { default: { ...metadata?.default, more: 1 } } }),
      withSubsegment({ metadata: { ...metadata, other: { more: 1 } } }),
      withSubsegment({ metadata: undefined }),
      withSubsegment({ aws: { ...aws, more: 1 } }),
      withSubsegment({ aws: { ...aws, operation: 'Query' } }),
      withSubsegment({ aws: undefined }),
      withSubsegment({ http: { ...http, request: { method: 'GET' } } }),
      withSubsegment({ namespace: 'remote' }),
      withSubsegment({ error: true }),
      withSubsegment({ cause: { exceptions: [{ type: 'Error', message: 'more' }] } }),
      withSubsegment({ user: 'andrewbrown' }),
      withSpan({ attributes: { ...attributes, more: 1 } }),
      withSpan({ attributes: { ...attributes, 'aws.retries': 1 } }),
      withSpan({ kind: 'internal' }),
      withSpan({ status: 'error' }),
      withSpan({ links: [{ traceId: 'ab'.repeat(16), spanId: '00f067aa0ba902b7', attributes: {} }] }),
      withSpan({ events: [{ name: 'exception', attributes: {} }] }),
      withSpan({ events: [{ name: 'more', attributes: {} }] }),
      { ...trees, xray: trees.xray.toSpliced(call, 1) },
      { ...trees, otel: trees.otel.toSpliced(span, 1) },
      { ...trees, otel: trees.otel.flatMap((other) => [other, other]) },
    ];

    expect(disagreements(trees)).toEqual([]);
    expect(changed.map((different) => disagreements(different).length > 0)).toEqual(changed.map(() => true));
  });
});
