import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { renderWaterfall } from '../../../src/cli/render/waterfall.ts';
import { type Receivers, startReceivers } from '../../../src/receiver/server.ts';
import { knownReceivers } from '../../../src/services/index.ts';
import { openStore, type Store } from '../../../src/store/index.ts';
import type { Trace } from '../../../src/trace/trace.ts';

const traceId = '5b8efff798038103d269b633813fc60c';
const start = 1_795_363_079_000;
const nanoseconds = (milliseconds: number) => `${start + milliseconds}000000`;
const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const resource = (name: string) => ({ attributes: [text('service.name', name), text('service.version', '1.2')] });

let store: Store;
let receivers: Receivers;

beforeEach(async () => {
  store = await openStore({ file: ':memory:' });
  receivers = await startReceivers({ port: 0, receivers: knownReceivers, sink: store });
});
afterEach(async () => {
  await receivers.stop();
  await store.close();
});

async function post(path: string, body: unknown): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${receivers.port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(await response.json()).toEqual({});
}

async function shown(): Promise<{ trace: Trace; terminal: string }> {
  const trace = await store.trace(traceId);
  if (!trace) throw new Error('no trace');
  return { trace, terminal: renderWaterfall(trace, { width: 200, color: false }) };
}

const span = (spanId: string, more: object) => ({
  traceId,
  spanId,
  name: 'work',
  kind: 2,
  startTimeUnixNano: nanoseconds(0),
  endTimeUnixNano: nanoseconds(50),
  ...more,
});

describe('what a service sends by OTLP', () => {
  it('shows events, links, the status message, the stack of an exception and the resource of a span', async () => {
    const stack = 'Error: lost\n    at save (/srv/app/store.js:12:5)\n    at node:internal/main:1:1';
    await post('/v1/traces', {
      resourceSpans: [
        {
          resource: resource('shop'),
          scopeSpans: [
            {
              scope: { name: 'my-library', version: '3' },
              spans: [
                span('eee19b7ec3c1b174', {
                  status: { code: 2, message: 'could not save' },
                  events: [
                    { name: 'cache.miss', timeUnixNano: nanoseconds(5), attributes: [text('cache.key', 'k1')] },
                    {
                      name: 'exception',
                      timeUnixNano: nanoseconds(6),
                      attributes: [
                        text('exception.type', 'Error'),
                        text('exception.message', 'lost'),
                        text('exception.stacktrace', stack),
                      ],
                    },
                  ],
                  links: [{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), attributes: [text('why', 'batch')] }],
                }),
              ],
            },
          ],
        },
      ],
    });
    const { trace, terminal } = await shown();
    expect(trace.roots[0]).toMatchObject({
      serviceName: 'shop',
      resource: { 'service.name': 'shop', 'service.version': '1.2' },
      scopeName: 'my-library',
      statusMessage: 'could not save',
      events: [{ name: 'cache.miss', time: start + 5, attributes: { 'cache.key': 'k1' } }, { name: 'exception' }],
      links: [{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), attributes: { why: 'batch' } }],
      exceptions: [
        { type: 'Error', message: 'lost', stack: [{ label: 'save', path: '/srv/app/store.js', line: 12 }, {}] },
      ],
    });
    expect(terminal).toContain('cache.miss +5.00 ms cache.key=k1');
    expect(terminal).toContain(`linked to trace ${'a'.repeat(32)} span ${'b'.repeat(16)} why=batch`);
    expect(terminal).toContain('could not save');
    expect(terminal).toContain('at save /srv/app/store.js:12');
  });

  it('tells two services of one trace apart', async () => {
    const of = (name: string, one: object) => ({ resource: resource(name), scopeSpans: [{ spans: [one] }] });
    await post('/v1/traces', {
      resourceSpans: [
        of('web', span('1'.repeat(16), { name: 'GET /' })),
        of('db', span('2'.repeat(16), { parentSpanId: '1'.repeat(16), name: 'query' })),
      ],
    });
    const { terminal } = await shown();
    expect(terminal).toMatch(/GET \/ \[web\]/);
    expect(terminal).toMatch(/query \[db\]/);
  });

  it('shows the attributes and the exception of a log record', async () => {
    await post('/v1/traces', {
      resourceSpans: [{ resource: resource('shop'), scopeSpans: [{ spans: [span('1'.repeat(16), {})] }] }],
    });
    await post('/v1/logs', {
      resourceLogs: [
        {
          resource: resource('shop'),
          scopeLogs: [
            {
              logRecords: [
                {
                  traceId,
                  timeUnixNano: nanoseconds(3),
                  severityNumber: 17,
                  body: { stringValue: 'payment failed' },
                  attributes: [
                    text('order', 'o-1'),
                    text('exception.type', 'Refused'),
                    text('exception.message', 'no'),
                  ],
                },
              ],
            },
          ],
        },
      ],
    });
    const { trace, terminal } = await shown();
    expect(trace.logs).toMatchObject([{ serviceName: 'shop', severityNumber: 17, attributes: { order: 'o-1' } }]);
    expect(terminal).toMatch(/ERROR\s+payment failed\s+Refused: no\s+order=o-1/);
  });

  it.each([
    ['histogram', { explicitBounds: [10, 100], bucketCounts: ['1', '2', '1'] }],
    ['exponentialHistogram', { scale: 0, zeroCount: '0', positive: { offset: 3, bucketCounts: ['1', '2', '1'] } }],
  ])(
    'shows count, mean, extremes and percentiles of a %s, and no value that was not measured',
    async (kind, buckets) => {
      const exemplars = [{ traceId, spanId: '1'.repeat(16), timeUnixNano: nanoseconds(1), asDouble: 400 }];
      const point = { timeUnixNano: nanoseconds(9), count: '4', sum: 556, min: 6, max: 400, exemplars, ...buckets };
      await post('/v1/metrics', {
        resourceMetrics: [
          {
            resource: resource('shop'),
            scopeMetrics: [
              {
                metrics: [{ name: 'latency', unit: 'ms', [kind]: { aggregationTemporality: 1, dataPoints: [point] } }],
              },
            ],
          },
        ],
      });
      const { trace, terminal } = await shown();
      expect(trace.metrics[0]?.statistics).toMatchObject({ count: 4, sum: 556, mean: 139, min: 6, max: 400 });
      expect(trace.metrics[0]?.statistics.p99).toBeGreaterThan(0);
      expect(terminal).toMatch(/latency mean 139 ms, 6\.00 ms to 400 ms, p50 /);
      expect(terminal).not.toMatch(/latency 0/);
    },
  );
});
