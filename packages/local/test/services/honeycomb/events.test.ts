import { createRequire } from 'node:module';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { encode } from '@msgpack/msgpack';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningReceivers, runReceivers } from '../../receiver/collecting-sink.ts';

/** As much of it as is called here: the package has no types. */
interface Libhoney {
  newEvent(): { add(fields: object): void; timestamp: Date; sampleRate: number; send(): void; sendPresampled(): void };
  flush(): Promise<void>;
}
const Libhoney: new (options: object) => Libhoney = createRequire(import.meta.url)('libhoney');

const sampleTraceId = '5b8efff798038103d269b633813fc60c';
const sampleTeam = { 'x-honeycomb-team': 'local' };
const sampleSpan = {
  'trace.trace_id': sampleTraceId,
  'trace.span_id': 'eee19b7ec3c1b174',
  'trace.parent_id': '00f067aa0ba902b7',
  name: 'home-activities',
  'service.name': 'cruddur',
  duration_ms: 12.345678,
  'app.user_id': 'andrewbrown',
};

let running: RunningReceivers;
beforeEach(async () => {
  running = await runReceivers();
});
afterEach(() => running.receivers.stop());

describe("Honeycomb's own client", () => {
  it('sends events, with and without a trace, and is told 202 for each', async () => {
    const responses: { status_code?: number; error?: unknown }[] = [];
    const honey = new Libhoney({
      apiHost: running.url,
      writeKey: 'local',
      dataset: 'activities',
      responseCallback: (queue: typeof responses) => responses.push(...queue),
    });
    const span = honey.newEvent();
    span.add(sampleSpan);
    span.timestamp = new Date('2026-11-22T10:00:00.250Z');
    span.sampleRate = 4;
    span.sendPresampled();
    const event = honey.newEvent();
    event.add({ message: 'a deployment', version: 7 });
    event.send();
    await honey.flush();

    expect(responses.map((response) => response.status_code)).toEqual([202, 202]);
    const start = BigInt(Date.parse('2026-11-22T10:00:00.250Z')) * 1_000_000n;
    expect(running.sink.spans).toEqual([
      {
        source: 'honeycomb',
        traceId: sampleTraceId,
        spanId: 'eee19b7ec3c1b174',
        parentId: '00f067aa0ba902b7',
        name: 'home-activities',
        kind: 'unspecified',
        startNanoseconds: start,
        endNanoseconds: start + 12_345_678n,
        status: 'unset',
        serviceName: 'cruddur',
        attributes: { 'service.name': 'cruddur', 'app.user_id': 'andrewbrown' },
        resource: { 'service.name': 'cruddur' },
        events: [],
        links: [],
        sampleRate: 4,
      },
    ]);
    expect(running.sink.logs).toMatchObject([
      { source: 'honeycomb', message: 'a deployment', logGroup: 'activities', attributes: { version: 7 } },
    ]);
  });
});

describe('POST /1/events/<dataset>', () => {
  it('takes time and sample rate from the headers', async () => {
    const response = await running.post('/1/events/my%20data', JSON.stringify(sampleSpan), {
      ...sampleTeam,
      'x-honeycomb-event-time': '2026-11-22T10:00:00.123456789Z',
      'x-honeycomb-samplerate': '20',
    });
    expect(response.status).toBe(200);
    expect(running.sink.spans).toMatchObject([{ sampleRate: 20 }]);
    const nanoseconds = running.sink.spans[0]?.startNanoseconds ?? 0n;
    // A double holds milliseconds of today to a quarter of a microsecond.
    const off = nanoseconds - (BigInt(Date.parse('2026-11-22T10:00:00.123Z')) * 1_000_000n + 456_789n);
    expect(off < 300n && off > -300n).toBe(true);
  });

  it.each([
    ['seconds', '1795363200.5', 1_795_363_200_500],
    ['milliseconds', '1795363200500', 1_795_363_200_500],
    ['microseconds', '1795363200500000', 1_795_363_200_500],
    ['nanoseconds', '1795363200500000000', 1_795_363_200_500],
  ])('understands epoch %s as time, in the header and as a number in the event', async (_name, time, expected) => {
    await running.post('/1/events/d', '{"a":1}', { ...sampleTeam, 'x-honeycomb-event-time': time });
    await running.post('/1/events/d', `{"a":1,"timestamp":${time}}`, sampleTeam);
    expect(running.sink.logs.map(({ timeMilliseconds }) => timeMilliseconds)).toEqual([expected, expected]);
  });

  it.each([
    ['an empty event', '{}', 400],
    ['a list', '[]', 400],
    ['no JSON', '{', 400],
    [
      'more than 2,000 columns',
      JSON.stringify(Object.fromEntries(Array.from({ length: 2_001 }, (_, i) => [`c${i}`, i]))),
      400,
    ],
    ['a string field over 65,535 bytes', JSON.stringify({ a: 'x'.repeat(65_536) }), 400],
    ['a negative duration', JSON.stringify({ ...sampleSpan, duration_ms: -1 }), 400],
    ['a time that is text but not a date', JSON.stringify({ ...sampleSpan, timestamp: 'yesterday' }), 400],
    ['a time before 1970', '{"a":1,"timestamp":-1000000000000000000}', 400],
    ['a time after 2262', JSON.stringify({ ...sampleSpan, timestamp: '2263-01-01T00:00:00Z' }), 400],
    ['a time that JavaScript cannot hold', '{"a":1,"timestamp":99999999999999999999999}', 400],
    ['a duration that ends after 2262', JSON.stringify({ ...sampleSpan, duration_ms: 1e300 }), 400],
    [
      'more than 1,000,000 bytes',
      JSON.stringify(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`c${i}`, 'x'.repeat(60_000)]))),
      413,
    ],
  ])('refuses %s', async (_name, body, status) => {
    const response = await running.post('/1/events/d', body, sampleTeam);
    expect(response.status).toBe(status);
    expect(await response.json()).toHaveProperty('error');
    expect([...running.sink.spans, ...running.sink.logs]).toEqual([]);
    expect(running.sink.rejections).toHaveLength(1);
  });

  it.each(['application/x-www-form-urlencoded', 'text/plain'])('takes JSON that is sent as %s', async (type) => {
    const response = await running.post('/1/events/TestViaCurl', '{"method":"GET"}', {
      ...sampleTeam,
      'content-type': type,
    });
    expect(response.status).toBe(200);
    expect(running.sink.logs).toMatchObject([{ attributes: { method: 'GET' } }]);
  });

  it('answers 401 without a key, 404 elsewhere', async () => {
    const withoutKey = await running.post('/1/events/d', '{"a":1}');
    expect(withoutKey.status).toBe(401);
    expect(await withoutKey.json()).toEqual({ error: 'unknown API key - check your credentials' });
    expect((await running.post('/1/markers/d', '{"a":1}', sampleTeam)).status).toBe(404);
  });

  it('shows an error as an error, and ids that are no OpenTelemetry ids as a log record', async () => {
    await running.post(
      '/1/events/d',
      JSON.stringify({ ...sampleSpan, error: 'throttled', status_message: 'slow down' }),
      sampleTeam,
    );
    expect(running.sink.spans).toMatchObject([{ status: 'error', statusMessage: 'slow down' }]);
    await running.post('/1/events/d', JSON.stringify({ ...sampleSpan, 'trace.trace_id': 'my-trace' }), sampleTeam);
    expect(running.sink.logs).toMatchObject([
      { message: 'home-activities', attributes: { 'trace.trace_id': 'my-trace' } },
    ]);
    expect(running.sink.logs[0]).not.toHaveProperty('traceId');
  });

  it('joins a span event to its span', async () => {
    const event = {
      'trace.trace_id': sampleTraceId,
      'trace.parent_id': 'eee19b7ec3c1b174',
      'meta.annotation_type': 'span_event',
      name: 'cache.miss',
    };
    await running.post('/1/events/d', JSON.stringify(event), sampleTeam);
    expect(running.sink.logs).toMatchObject([
      { traceId: sampleTraceId, spanId: 'eee19b7ec3c1b174', message: 'cache.miss' },
    ]);
  });
});

describe('POST /1/batch/<dataset>', () => {
  const batch = [
    { data: sampleSpan, time: '2026-11-22T10:00:00Z', samplerate: 10 },
    { data: {} },
    'nonsense',
    { data: { ...sampleSpan, duration_ms: 'long' } },
    { time: '2026-11-22T10:00:00Z' },
    { data: { message: 'last' } },
  ];

  it('answers a status per event, and keeps the valid ones', async () => {
    const response = await running.post('/1/batch/d', JSON.stringify(batch), sampleTeam);
    expect(response.status).toBe(200);
    const statuses = (await response.json()) as { status: number; error?: string }[];
    expect(statuses.map(({ status }) => status)).toEqual([202, 400, 400, 400, 400, 202]);
    expect(statuses[3]?.error).toBe('duration_ms is not a positive number');
    expect(running.sink.spans).toMatchObject([{ sampleRate: 10 }]);
    expect(running.sink.logs).toMatchObject([{ message: 'last' }]);
    expect(running.sink.rejections).toHaveLength(4);
  });

  it('refuses an event whose time is a large negative number alone', async () => {
    const body = `[{"time":-1000000000000000000,"data":{"a":1}},{"data":{"message":"valid"}}]`;
    const response = await running.post('/1/batch/d', body, sampleTeam);
    expect(await response.json()).toEqual([
      { status: 400, error: 'The time "-1000000000000000000" is neither RFC 3339 nor an epoch time' },
      { status: 202 },
    ]);
    expect(running.sink.logs).toMatchObject([{ message: 'valid' }]);
  });

  it('refuses an event over 1,000,000 bytes alone, and a batch over 5,000,000 whole', async () => {
    const large = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`c${index}`, 'x'.repeat(60_000)]));
    const response = await running.post(
      '/1/batch/d',
      JSON.stringify([{ data: large }, { data: { message: 'small' } }]),
      sampleTeam,
    );
    expect(((await response.json()) as { status: number }[]).map(({ status }) => status)).toEqual([400, 202]);
    expect((await running.post('/1/batch/d', JSON.stringify(Array(5).fill({ data: large })), sampleTeam)).status).toBe(
      413,
    );
  });

  it.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
    ['zst', zstdCompressSync],
  ])('inflates %s', async (encoding, compress) => {
    const body = compress(Buffer.from(JSON.stringify(batch)));
    const response = await running.post('/1/batch/d', body, { ...sampleTeam, 'content-encoding': encoding });
    expect(response.status).toBe(200);
    expect(running.sink.spans).toHaveLength(1);
  });
});

describe('GET /1/auth', () => {
  it('tells what a local key may do: send events', async () => {
    const response = await fetch(`${running.url}/1/auth`, { headers: sampleTeam });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      api_key_access: { events: true, queries: false },
      environment: { slug: 'local' },
      team: { slug: 'local' },
    });
    expect((await fetch(`${running.url}/1/auth`)).status).toBe(401);
  });

  it('takes MessagePack, in single events and in batches, as it takes JSON', async () => {
    const headers = { 'content-type': 'application/msgpack', 'x-honeycomb-team': 'key' };
    const event = { name: 'packed', big: 9007199254740993n, when: new Date(0), bytes: new Uint8Array([1, 2]) };
    expect((await running.post('/1/events/d', encode(event, { useBigInt64: true }), headers)).status).toBe(200);
    const batch = encode([{ data: { name: 'one' } }, { data: {} }, { data: { name: 'two' }, time: new Date(1e12) }]);
    const answer = await running.post('/1/batch/d', batch, headers);
    expect(((await answer.json()) as { status: number }[]).map(({ status }) => status)).toEqual([202, 400, 202]);
    expect(running.sink.logs.map(({ message }) => message)).toEqual(['packed', 'one', 'two']);
    expect(running.sink.logs[0]?.attributes).toEqual({
      name: 'packed',
      big: 9007199254740993n,
      when: '1970-01-01T00:00:00.000Z',
      bytes: 'AQI=',
    });
    expect(running.sink.logs[2]?.timeMilliseconds).toBe(1e12);
    expect((await running.post('/1/events/d', Buffer.from([0xc1]), headers)).status).toBe(400);
  });
});
