import { createHash } from 'node:crypto';
import fc from 'fast-check';
import Rollbar from 'rollbar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exceptionFingerprint, messageFingerprint } from '../../../src/services/rollbar/fingerprint.ts';
import { type RunningReceivers, runReceivers } from '../../receiver/collecting-sink.ts';

const sampleTraceId = '5b8efff798038103d269b633813fc60c';
const token = { 'x-rollbar-access-token': 'local' };

let running: RunningReceivers;
beforeEach(async () => {
  running = await runReceivers();
});
afterEach(() => running.receivers.stop());

describe("Rollbar's own client", () => {
  function client(): Rollbar {
    return new Rollbar({
      accessToken: 'local',
      endpoint: `${running.url}/api/1/item/`,
      environment: 'test',
      codeVersion: 'abc123',
      captureUncaught: false,
      captureUnhandledRejections: false,
    });
  }

  function send(rollbar: Rollbar, method: 'error' | 'warning', ...values: Rollbar.LogArgument[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      rollbar[method](...values, (error: Error | null | undefined, response: unknown) => {
        if (error) reject(error);
        else resolve(response);
      });
    });
  }

  it('sends an error that carries person, request, trace and version, and is given its uuid', async () => {
    const request = {
      headers: { host: 'api.example.com', 'user-agent': 'test' },
      method: 'POST',
      url: '/api/activities',
      protocol: 'https',
      rollbar_person: { id: 'andrewbrown' },
    };
    const custom = {
      trace_id: sampleTraceId,
      span_id: 'eee19b7ec3c1b174',
      request_id: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef',
    };
    const response = await send(client(), 'error', new TypeError('no such table'), request, custom);
    const [record] = running.sink.errors;
    expect(record).toMatchObject({
      level: 'error',
      title: 'TypeError: no such table',
      environment: 'test',
      codeVersion: 'abc123',
      personId: 'andrewbrown',
      traceId: sampleTraceId,
      spanId: 'eee19b7ec3c1b174',
      requestId: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef',
      request: { method: 'POST', url: 'https://api.example.com/api/activities' },
    });
    expect(record?.fingerprint).toMatch(/^[0-9a-f]{40}$/);
    expect(response).toMatchObject({ uuid: record?.uuid.replaceAll('-', '') });
    expect(Math.abs((record?.timeMilliseconds ?? 0) - Date.now())).toBeLessThan(600_000);
  });

  it('sends the same error from the same place as one item, whatever its message', async () => {
    const rollbar = client();
    const fail = (message: string) => new RangeError(message);
    // Made before the first wait: a stack ends where the event loop began.
    const errors = ['user 17 is unknown', 'user 18 is unknown'].map(fail);
    for (const error of errors) await send(rollbar, 'error', error);
    await send(rollbar, 'error', new TypeError('user 19 is unknown'));
    const [first, second, third] = running.sink.errors.map(({ fingerprint }) => fingerprint);
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });

  it('sends a message', async () => {
    await send(client(), 'warning', 'the feed is slow', { trace_id: `1-5b8efff7-${sampleTraceId.slice(8)}` });
    expect(running.sink.errors).toMatchObject([
      { level: 'warning', title: 'the feed is slow', traceId: sampleTraceId },
    ]);
  });

  it('sends an error with its cause as a chain', async () => {
    await send(client(), 'error', new Error('outer', { cause: new RangeError('inner') }));
    expect(running.sink.errors).toMatchObject([{ title: 'Error: outer' }]);
    const { item } = running.sink.errors[0] ?? {};
    expect(item).toMatchObject({ body: { trace_chain: [{}, {}] } });
  });
});

describe('POST /api/1/item/', () => {
  const item = (data: object) => JSON.stringify({ access_token: 'local', data });
  const message = { environment: 'test', body: { message: { body: 'hello' } } };

  it('takes an item with the token in the body, at the path with and without its slash', async () => {
    for (const path of ['/api/1/item/', '/api/1/item']) {
      const response = await running.post(path, item({ ...message, uuid: '0f6d8b7e-6c1f-4d5c-9a53-54f1f6f1a111' }));
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({ err: 0, result: { id: null, uuid: '0f6d8b7e6c1f4d5c9a5354f1f6f1a111' } });
    }
    expect(running.sink.errors).toMatchObject([{ level: 'info', title: 'hello' }, {}]);
  });

  it.each([
    ['400', 'no JSON', '{', token, 400],
    ['400', 'a list', '[]', token, 400],
    ['401', 'no token', JSON.stringify({ data: message }), {}, 401],
    ['422', 'no data', '{}', token, 422],
    ['422', 'no environment', item({ body: message.body }), token, 422],
    ['422', 'no body', item({ environment: 'test' }), token, 422],
    ['422', 'two bodies', item({ environment: 'test', body: { message: { body: 'a' }, trace: {} } }), token, 422],
    ['422', 'an unknown level', item({ ...message, level: 'fatal' }), token, 422],
    ['422', 'a uuid of 37 characters', item({ ...message, uuid: 'x'.repeat(37) }), token, 422],
    ['422', 'a message without text', item({ environment: 'test', body: { message: {} } }), token, 422],
    [
      '422',
      'a trace without frames',
      item({ environment: 'test', body: { trace: { exception: { class: 'E' } } } }),
      token,
      422,
    ],
    [
      '422',
      'an exception without class',
      item({ environment: 'test', body: { trace: { frames: [], exception: {} } } }),
      token,
      422,
    ],
    [
      '422',
      'a frame without a file',
      item({ environment: 'test', body: { trace: { frames: [{}], exception: { class: 'E' } } } }),
      token,
      422,
    ],
  ])('answers %s to %s', async (_status, _name, body, headers: Record<string, string>, status) => {
    const response = await running.post('/api/1/item/', body, headers);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ err: 1, message: expect.any(String) });
    expect(running.sink.errors).toEqual([]);
    expect(running.sink.rejections).toMatchObject([{ intake: 'rollbar', reason: `request refused with ${status}` }]);
  });

  it.each([
    ['custom.trace_id', { custom: { trace_id: sampleTraceId } }],
    ['custom.xray_trace_id', { custom: { xray_trace_id: `1-5b8efff7-${sampleTraceId.slice(8)}` } }],
    ['the item itself', { trace_id: sampleTraceId }],
    ['its attributes', { attributes: [{ key: 'trace_id', value: sampleTraceId }] }],
    ['the extra of its body', { body: { message: { body: 'hello', extra: { trace_id: sampleTraceId } } } }],
    [
      "the request's X-Amzn-Trace-Id",
      { request: { headers: { 'X-Amzn-Trace-Id': `Root=1-5b8efff7-${sampleTraceId.slice(8)};Sampled=1` } } },
    ],
    ["the request's traceparent", { request: { headers: { traceparent: `00-${sampleTraceId}-eee19b7ec3c1b174-01` } } }],
  ])('finds the trace id in %s', async (_place, data) => {
    await running.post('/api/1/item/', item({ ...message, ...data }));
    expect(running.sink.errors).toMatchObject([{ traceId: sampleTraceId }]);
  });

  it.each(['a', '1', 'a.', '1.', '-', ' ', '2026-'])(
    'takes a message of a million characters of %s without stalling',
    async (part) => {
      const text = part.repeat(1_000_000 / part.length);
      const response = await running.post(
        '/api/1/item/',
        item({ environment: 'test', body: { message: { body: text } } }),
      );
      expect(response.status).toBe(200);
    },
  );

  it('may be any JSON: it is answered, and the receiver goes on', async () => {
    const body = fc.record(
      { trace: fc.anything(), trace_chain: fc.anything(), message: fc.anything() },
      { requiredKeys: [] },
    );
    const data = fc.record({
      environment: fc.constant('test'),
      body,
      custom: fc.anything(),
      attributes: fc.anything(),
      request: fc.anything(),
    });
    await fc.assert(
      fc.asyncProperty(data, async (value) => {
        const text = JSON.stringify({ data: value }, (_key, member) =>
          typeof member === 'bigint' ? String(member) : member,
        );
        const response = await running.post('/api/1/item/', text, token);
        expect([200, 422]).toContain(response.status);
      }),
      { numRuns: 300 },
    );
  });
});

describe('grouping', () => {
  const frames = [
    { filename: '/var/task/handlers/home.js', method: 'handler' },
    { filename: '/var/task/src/feed.js', method: 'read' },
  ];
  const trace = (changes: object = {}) => [{ frames, className: 'TypeError', message: 'no', ...changes }];

  it('hashes the files and methods of all frames and the class', () => {
    const text = [...frames.flatMap(({ filename, method }) => [filename, method]), 'TypeError'].join('\n');
    expect(exceptionFingerprint(trace(), undefined)).toBe(createHash('sha1').update(text).digest('hex'));
  });

  it('tells apart another class, another method, another depth', () => {
    const variants = [
      trace(),
      trace({ className: 'RangeError' }),
      trace({ frames: frames.slice(1) }),
      trace({ frames: [frames[0], { ...frames[1], method: 'write' }] }),
    ];
    expect(new Set(variants.map((traces) => exceptionFingerprint(traces, undefined))).size).toBe(4);
  });

  it('does not tell apart messages, deployments below another root, dates and hashes in paths, numbers in methods', () => {
    const at = (root: string, method: string) =>
      exceptionFingerprint(trace({ frames: [{ filename: `${root}/src/feed.js`, method }] }), root);
    expect(exceptionFingerprint(trace({ message: 'other' }), undefined)).toBe(exceptionFingerprint(trace(), undefined));
    expect(at('/releases/20261121', 'read17')).toBe(at('/var/task', 'read18'));
    const inPath = (part: string) =>
      exceptionFingerprint(trace({ frames: [{ filename: `/srv/${part}/a.js`, method: 'b' }] }), undefined);
    expect(inPath('20261121')).toBe(inPath('2026-11-22'));
    expect(inPath('a'.repeat(40))).toBe(inPath('0123456789'.repeat(4)));
  });

  it('groups messages that differ only in what looks like data', () => {
    const pairs = [
      ['user 1234 failed', 'user 98 failed'],
      ['from 10.0.0.1', 'from 192.168.17.200'],
      ['mail to a@example.com', 'mail to someone.else@example.org'],
      ['took 1.25 s', 'took 17.5 s'],
      ['at 2026-11-22T10:00:00Z', 'at 2025-01-01T00:00:00Z'],
      ['id deadbeef01', 'id 00ff17a2'],
    ] as const;
    for (const [one, other] of pairs) expect(messageFingerprint(one), one).toBe(messageFingerprint(other));
    expect(messageFingerprint('the decade')).not.toBe(messageFingerprint('the facade'));
  });
});
