import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { fromBinary } from '@bufbuild/protobuf';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ExportTraceServiceResponseSchema } from '../../../src/services/otlp/generated/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import { type RunningReceivers, runReceivers } from '../../receiver/collecting-sink.ts';
import {
  jsonSpan,
  jsonTraceRequest,
  protobuf,
  sampleSpanId,
  sampleTraceId,
  span,
  start,
  traceRequest,
} from './requests.ts';

let running: RunningReceivers;
beforeEach(async () => {
  running = await runReceivers();
});
afterEach(() => running.receivers.stop());

/** The reason, the span in protobuf, and in JSON where that can say it. */
const invalid: [reason: string, inProtobuf: Parameters<typeof span>[0], inJson?: Record<string, unknown>][] = [
  ['trace id is not 16 bytes', { traceId: new Uint8Array(8).fill(1) }, { traceId: '0102030405060708' }],
  ['trace id is not 16 bytes', { traceId: new Uint8Array() }, { traceId: '' }],
  ['trace id is not 16 bytes', { traceId: new Uint8Array(17).fill(1) }, { traceId: 'not hex digits at all' }],
  ['trace id is all zero', { traceId: new Uint8Array(16) }, { traceId: '0'.repeat(32) }],
  ['span id is not 8 bytes', { spanId: new Uint8Array(16).fill(1) }, { spanId: sampleTraceId }],
  ['span id is all zero', { spanId: new Uint8Array(8) }, { spanId: '0'.repeat(16) }],
  ['parent span id is not 8 bytes', { parentSpanId: new Uint8Array(4).fill(1) }, { parentSpanId: 'abc' }],
  ['start time is missing', { startTimeUnixNano: 0n }, { startTimeUnixNano: '0' }],
  ['start time is negative or no number', { startTimeUnixNano: 2n ** 64n - 5n }, { startTimeUnixNano: '-5' }],
  ['end time is negative or no number', { endTimeUnixNano: 2n ** 63n }, { endTimeUnixNano: 'NaN' }],
  ['span ends before it starts', { endTimeUnixNano: start - 1n }, { endTimeUnixNano: String(start - 1n) }],
];

describe('a span that is not valid', () => {
  it.each(invalid)('is rejected in protobuf, and the valid ones beside it are kept: %s', async (reason, changes) => {
    const body = traceRequest([span({ name: 'first' }), span({ name: 'wrong', ...changes }), span({ name: 'last' })]);
    const response = await running.post('/v1/traces', body, protobuf);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/x-protobuf');
    const { partialSuccess } = fromBinary(
      ExportTraceServiceResponseSchema,
      new Uint8Array(await response.arrayBuffer()),
    );
    expect(partialSuccess?.rejectedSpans).toBe(1n);
    expect(partialSuccess?.errorMessage).toContain(
      `1 × ${reason} (first: resourceSpans[0].scopeSpans[0].spans[1] "wrong")`,
    );
    expect(running.sink.spans.map(({ name }) => name)).toEqual(['first', 'last']);
    expect(running.sink.rejections).toMatchObject([{ intake: 'otlp', reason }]);
  });

  it.each(invalid)('is rejected in JSON, and the valid ones beside it are kept: %s', async (reason, _, changes) => {
    const spans = [jsonSpan({ name: 'first' }), jsonSpan({ name: 'wrong', ...changes }), jsonSpan({ name: 'last' })];
    const response = await running.post('/v1/traces', jsonTraceRequest(spans));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ partialSuccess: { rejectedSpans: '1' } });
    expect(running.sink.spans.map(({ name }) => name)).toEqual(['first', 'last']);
    expect(running.sink.rejections).toMatchObject([{ intake: 'otlp', reason }]);
  });

  it('is rejected alone when a field has the wrong JSON type, with its place', async () => {
    const spans = [
      jsonSpan(),
      jsonSpan({ name: { nested: true } }),
      jsonSpan({ attributes: [{ key: 'a', value: 5 }] }),
    ];
    const response = await running.post('/v1/traces', jsonTraceRequest(spans));
    const { partialSuccess } = (await response.json()) as {
      partialSuccess: { rejectedSpans: string; errorMessage: string };
    };
    expect(partialSuccess.rejectedSpans).toBe('2');
    expect(partialSuccess.errorMessage).toContain('resourceSpans[0].scopeSpans[0].spans[1]');
    expect(running.sink.spans).toHaveLength(1);
  });

  it.each([null, 5, 'text', []])(
    'is rejected alone when it is not an object, and so are the objects that hold spans: %j',
    async (none) => {
      const request = JSON.parse(String(jsonTraceRequest([none as never, jsonSpan({ name: 'kept' })]))) as {
        resourceSpans: { scopeSpans: unknown[] }[];
      };
      request.resourceSpans[0]?.scopeSpans.unshift(none);
      request.resourceSpans.unshift(none as never);
      const response = await running.post('/v1/traces', JSON.stringify(request));
      expect(response.status).toBe(200);
      const { partialSuccess } = (await response.json()) as {
        partialSuccess: { rejectedSpans: string; errorMessage: string };
      };
      expect(partialSuccess.errorMessage).toBe('3 spans rejected: 3 × not an object (first: resourceSpans[0])');
      expect(running.sink.rejections.map(({ detail }) => detail)).toEqual([
        'resourceSpans[0]',
        'resourceSpans[1].scopeSpans[0]',
        'resourceSpans[1].scopeSpans[1].spans[0]',
      ]);
      expect(running.sink.spans.map(({ name }) => name)).toEqual(['kept']);
    },
  );

  it('is rejected with its resource or scope, and what is beside these is kept', async () => {
    const bad = { attributes: [{ key: 'a', value: 5 }] };
    const [spans, kept] = [[jsonSpan(), jsonSpan()], [jsonSpan({ name: 'kept' })]];
    const response = await running.post(
      '/v1/traces',
      JSON.stringify({
        resourceSpans: [
          { resource: bad, scopeSpans: [{ spans }] },
          { scopeSpans: [{ scope: bad, spans }, { spans: 5 }, { spans: kept }] },
          { scopeSpans: 5 },
          { scopeSpans: [{ spans: kept }] },
        ],
      }),
    );
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ partialSuccess: { rejectedSpans: '6' } });
    expect(running.sink.rejections.map(({ reason, detail }) => `${reason}: ${detail.split(': ')[0]}`)).toEqual([
      'its resource or scope is not valid OTLP JSON: resourceSpans[0].scopeSpans[0].spans[0]',
      'its resource or scope is not valid OTLP JSON: resourceSpans[0].scopeSpans[0].spans[1]',
      'its resource or scope is not valid OTLP JSON: resourceSpans[1].scopeSpans[0].spans[0]',
      'its resource or scope is not valid OTLP JSON: resourceSpans[1].scopeSpans[0].spans[1]',
      'not an array: resourceSpans[1].scopeSpans[1].spans',
      'not an array: resourceSpans[2].scopeSpans',
    ]);
    expect(running.sink.spans.map(({ name }) => name)).toEqual(['kept', 'kept']);
  });

  it('is not mentioned when there is none: the answer is empty', async () => {
    const inProtobuf = await running.post('/v1/traces', traceRequest([span()]), protobuf);
    expect((await inProtobuf.arrayBuffer()).byteLength).toBe(0);
    const inJson = await running.post('/v1/traces', jsonTraceRequest([jsonSpan()]));
    expect(await inJson.text()).toBe('{}');
  });
});

describe('log records and data points', () => {
  it('keep a log record whose ids are invalid, without them', async () => {
    const logRecords = [
      { timeUnixNano: String(start), traceId: 'abcd', spanId: sampleSpanId, body: { stringValue: 'hello' } },
    ];
    const body = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
    const response = await running.post('/v1/logs', body);
    expect(await response.text()).toBe('{}');
    expect(running.sink.logs).toMatchObject([{ message: 'hello' }]);
    expect(running.sink.logs[0]).not.toHaveProperty('traceId');
    expect(running.sink.logs[0]).not.toHaveProperty('spanId');
  });

  it('reject a log record with an invalid time', async () => {
    const logRecords = [{ timeUnixNano: 'NaN', body: { stringValue: 'no' } }, { body: { stringValue: 'yes' } }];
    const response = await running.post(
      '/v1/logs',
      JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }),
    );
    expect(await response.json()).toMatchObject({ partialSuccess: { rejectedLogRecords: '1' } });
    expect(running.sink.logs).toMatchObject([{ message: 'yes' }]);
  });

  it('keep the data points beside one that is malformed', async () => {
    const point = (asDouble: unknown, more = {}) => ({ timeUnixNano: String(start), asDouble, ...more });
    const exemplars = [{ timeUnixNano: String(start), asDouble: 1, traceId: sampleTraceId, spanId: sampleSpanId }];
    const dataPoints = [
      point(1, { exemplars }),
      point(2, { attributes: [{ key: 'a', value: 5 }] }),
      point({}),
      point(4),
    ];
    const metrics = [{ name: 'm', unit: 's', sum: { isMonotonic: true, dataPoints } }];
    const response = await running.post(
      '/v1/metrics',
      JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }),
    );
    expect(await response.json()).toMatchObject({ partialSuccess: { rejectedDataPoints: '2' } });
    expect(running.sink.rejections.map(({ detail }) => detail.split(': ')[0])).toEqual([
      'resourceMetrics[0].scopeMetrics[0].metrics[0] point 1',
      'resourceMetrics[0].scopeMetrics[0].metrics[0] point 2',
    ]);
    const shared = { name: 'm', unit: 's', monotonic: true };
    expect(running.sink.metrics).toMatchObject([
      { ...shared, values: [1], traceId: sampleTraceId },
      { ...shared, values: [4] },
    ]);
  });

  it('count data points, not metrics, as rejected', async () => {
    const dataPoints = [
      { timeUnixNano: String(start), asDouble: 1.5 },
      { timeUnixNano: String(start), asDouble: 'NaN' },
      { timeUnixNano: '0', asInt: '3' },
      { timeUnixNano: String(start) },
    ];
    const metrics = [
      { name: 'm', gauge: { dataPoints } },
      { name: 7, gauge: { dataPoints: [{}, {}] } },
    ];
    const response = await running.post(
      '/v1/metrics',
      JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] }),
    );
    expect(await response.json()).toMatchObject({ partialSuccess: { rejectedDataPoints: '5' } });
    expect(running.sink.metrics).toMatchObject([{ name: 'm', values: [1.5] }]);
  });
});

describe('a request', () => {
  it('is read alike in protobuf and JSON, plain and compressed in each way', async () => {
    const inProtobuf = traceRequest([span()]);
    const inJson = Buffer.from(jsonTraceRequest([jsonSpan()]));
    for (const [body, type] of [
      [inProtobuf, 'application/protobuf'],
      [inJson, 'application/json; charset=utf-8'],
    ] as const) {
      const ways: [string, Uint8Array][] = [
        ['identity', body],
        ['gzip', gzipSync(body)],
        ['deflate', deflateSync(body)],
        ['zstd', zstdCompressSync(body)],
      ];
      for (const [encoding, sent] of ways) {
        const response = await running.post('/v1/traces', sent, { 'content-type': type, 'content-encoding': encoding });
        expect(response.status, `${type} ${encoding}`).toBe(200);
      }
    }
    expect(running.sink.spans).toHaveLength(8);
    for (const record of running.sink.spans) expect(record).toEqual(running.sink.spans[0]);
  });

  it.each([
    ['415 for another media type', 'text/plain', 'x', 415],
    ['415 for no media type', '', 'x', 415],
    ['400 for invalid JSON, with the position', 'application/json', '{"resourceSpans": [}', 400],
    ['400 for JSON that is not an object', 'application/json', '[]', 400],
    ['400 for a list that is not one, by its name', 'application/json', '{"resourceSpans": 5}', 400],
  ])('is answered %s', async (_name, type, body, status) => {
    const response = await running.post('/v1/traces', body, { 'content-type': type });
    expect(response.status).toBe(status);
    const { code, message } = (await response.json()) as { code: number; message: string };
    expect(code).toBe(3);
    expect(message.length).toBeGreaterThan(10);
    if (body.includes(' 5')) expect(message).toBe('resourceSpans is not an array.');
  });

  it('is answered with a google.rpc.Status in protobuf when it came in protobuf', async () => {
    const response = await running.post('/v1/traces', Buffer.from('not protobuf'), protobuf);
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/x-protobuf');
    const reader = new BinaryReader(new Uint8Array(await response.arrayBuffer()));
    expect(reader.tag()).toEqual([1, 0]);
    expect(reader.int32()).toBe(3);
    expect(reader.tag()).toEqual([2, 2]);
    expect(reader.string()).toContain('ExportTraceServiceRequest');
  });

  it('is answered 415 for an encoding that is not supported, or more than one', async () => {
    for (const encoding of ['br', 'gzip, gzip', '__proto__']) {
      const response = await running.post('/v1/traces', jsonTraceRequest([jsonSpan()]), {
        'content-encoding': encoding,
      });
      expect(response.status, encoding).toBe(415);
    }
  });

  it('is answered 405 for GET and 404 for another signal', async () => {
    expect((await fetch(`${running.url}/v1/traces`)).status).toBe(405);
    expect((await running.post('/v1/profiles', '{}')).status).toBe(404);
  });

  it('may be any bytes: it is answered, and the receiver goes on', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom('traces', 'logs', 'metrics'),
        async (body, signal) => {
          const response = await running.post(`/v1/${signal}`, body, protobuf);
          expect([200, 400]).toContain(response.status);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('may be any JSON under the right keys: it is answered, and the receiver goes on', async () => {
    const anything = fc.array(fc.anything({ values: [fc.string(), fc.integer(), fc.boolean(), fc.constant(null)] }));
    await fc.assert(
      fc.asyncProperty(anything, async (spans) => {
        const response = await running.post('/v1/traces', jsonTraceRequest(spans));
        expect([200, 400]).toContain(response.status);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps attributes under any key, __proto__ among them', async () => {
    const attributes = [
      { key: '__proto__', value: { stringValue: 'polluted' } },
      { key: 'constructor', value: { stringValue: 'kept' } },
      { key: '', value: { intValue: '9007199254740993' } },
    ];
    await running.post('/v1/traces', jsonTraceRequest([jsonSpan({ attributes })]));
    const [record] = running.sink.spans;
    expect(Object.entries(record?.attributes ?? {})).toEqual([
      ['__proto__', 'polluted'],
      ['constructor', 'kept'],
      ['', 9007199254740993n],
    ]);
    expect(Object.getPrototypeOf(record?.attributes)).toBe(Object.prototype);
  });

  it.each([
    ['SampleRate', 'an integer', { intValue: '20' }, 20],
    ['sampleRate', 'an integer', { intValue: '20' }, 20],
    ['SampleRate', 'text', { stringValue: '20' }, 20],
    ['SampleRate', 'a double, which is rounded', { doubleValue: 2.6 }, 3],
    ['SampleRate', 'zero, which is not a rate', { intValue: '0' }, 1],
    ['SampleRate', 'below zero, which is not a rate', { intValue: '-3' }, 1],
    ['SampleRate', 'text that is not a number', { stringValue: 'often' }, 1],
    ['SampleRate', 'true, which is not a rate', { boolValue: true }, 1],
  ])('takes its rate from the attribute %s when that is %s, as Honeycomb does', async (key, _name, value, rate) => {
    await running.post('/v1/traces', jsonTraceRequest([jsonSpan({ attributes: [{ key, value }] })]));
    expect(running.sink.spans[0]).toMatchObject({ sampleRate: rate });
    expect(running.sink.spans[0]?.attributes).not.toHaveProperty(key);
  });
});
