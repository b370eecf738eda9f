import { connect } from 'node:net';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { startReceivers } from '../../src/receiver/server.ts';
import { knownReceivers } from '../../src/services/index.ts';
import { jsonSpan, jsonTraceRequest, protobuf, span, traceRequest } from '../services/otlp/requests.ts';
import { collectingSink, type RunningReceivers, runReceivers } from './collecting-sink.ts';

let running: RunningReceivers;
afterEach(() => running.receivers.stop());

const paths: [string, Record<string, string>][] = [
  ['/v1/traces', {}],
  ['/v1/traces', protobuf],
  ['/1/events/home', { 'x-honeycomb-team': 'key' }],
  ['/1/batch/home', { 'x-honeycomb-team': 'key' }],
  ['/api/1/item/', { 'x-rollbar-access-token': 'token' }],
  ['/', { 'x-amz-target': 'Logs_20140328.PutLogEvents' }],
];

describe('a body', () => {
  const bomb = Buffer.alloc(50_000_000);
  const bombs: [string, Uint8Array][] = [
    ['gzip', gzipSync(bomb)],
    ['deflate', deflateSync(bomb)],
    ['zstd', zstdCompressSync(bomb)],
  ];

  it.each(paths)('that inflates beyond the limit is answered 413 in each encoding: %s', async (path, headers) => {
    running = await runReceivers();
    for (const [encoding, body] of bombs) {
      expect(body.length).toBeLessThan(100_000);
      const response = await running.post(path, body, { ...headers, 'content-encoding': encoding });
      expect(response.status, encoding).toBe(413);
    }
    expect(running.sink.rejections.map(({ reason }) => reason)).toEqual(Array(3).fill('request refused with 413'));
  });

  it.each(paths)(
    'that is larger than the limit is answered 413 while it is still being sent: %s',
    async (path, headers) => {
      running = await runReceivers({ limits: { bodyBytes: 1_000 } });
      const declared = await running.post(path, new Uint8Array(5_000_000), headers);
      expect(declared.status).toBe(413);
      const undeclared = await fetch(running.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: new ReadableStream({
          start(controller) {
            for (let i = 0; i < 50; i++) controller.enqueue(new Uint8Array(1_000));
            controller.close();
          },
        }),
        duplex: 'half',
      } as RequestInit);
      expect(undeclared.status).toBe(413);
      await undeclared.text();
    },
  );

  it('that is compressed twice is not inflated twice', async () => {
    running = await runReceivers();
    const twice = gzipSync(gzipSync(jsonTraceRequest([jsonSpan()])));
    expect((await running.post('/v1/traces', twice, { 'content-encoding': 'gzip' })).status).toBe(400);
    expect(running.sink.spans).toEqual([]);
  });

  it('that is cut off or no gzip at all is answered 400', async () => {
    running = await runReceivers();
    const whole = gzipSync(jsonTraceRequest([jsonSpan()]));
    for (const body of [whole.subarray(0, whole.length - 12), Buffer.from('plain')]) {
      expect((await running.post('/v1/traces', body, { 'content-encoding': 'gzip' })).status).toBe(400);
    }
  });
});

describe('nesting and counting', () => {
  it.each(paths.filter(([, headers]) => headers !== protobuf))(
    'JSON a million levels deep is answered 413: %s',
    async (path, headers) => {
      running = await runReceivers();
      const body = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`;
      expect(
        (await running.post(path, path.startsWith('/1/events') ? body.slice(500_000, -500_000) : body, headers)).status,
      ).toBe(413);
    },
  );

  it('brackets inside strings do not nest', async () => {
    running = await runReceivers();
    const name = `${'[{'.repeat(500)}"\\`;
    expect((await running.post('/v1/traces', jsonTraceRequest([jsonSpan({ name })]))).status).toBe(200);
    expect(running.sink.spans[0]?.name).toBe(name);
  });

  it('an attribute in protobuf that nests ten thousand levels deep is answered 413', async () => {
    running = await runReceivers();
    let value: Buffer = Buffer.from([0x0a, 0x01, 0x78]);
    // AnyValue { array_value { values: AnyValue } }, around and around.
    for (let level = 0; level < 10_000; level++) value = delimited(0x2a, delimited(0x0a, value));
    const keyValue = Buffer.concat([delimited(0x0a, Buffer.from('deep')), delimited(0x12, value)]);
    const body = delimited(0x0a, delimited(0x12, delimited(0x12, delimited(0x4a, keyValue))));
    const response = await running.post('/v1/traces', body, protobuf);
    expect(response.status).toBe(413);
  });

  it('millions of empty messages are answered 413 before they are made', async () => {
    running = await runReceivers();
    const empties = Buffer.alloc(10_000_000);
    for (let i = 0; i < empties.length; i += 2) empties[i] = 0x0a;
    const before = process.memoryUsage().heapUsed;
    const response = await running.post('/v1/traces', gzipSync(empties), { ...protobuf, 'content-encoding': 'gzip' });
    expect(response.status).toBe(413);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(100_000_000);
    const inJson = await running.post('/v1/traces', `[${'{},'.repeat(3_000_000)}{}]`);
    expect(inJson.status).toBe(413);
  });

  it('spans beyond the limit of one request are rejected, the first ones kept', async () => {
    running = await runReceivers({ limits: { records: 3 } });
    const spans = Array.from({ length: 5 }, (_, index) => span({ name: `span ${index}` }));
    const response = await running.post('/v1/traces', traceRequest(spans), protobuf);
    expect(response.status).toBe(200);
    expect(running.sink.spans.map(({ name }) => name)).toEqual(['span 0', 'span 1', 'span 2']);
    expect(running.sink.rejections).toHaveLength(2);
  });

  it('a Honeycomb batch of more events than one request may hold is refused, in a short answer', async () => {
    running = await runReceivers();
    const headers = { 'x-honeycomb-team': 'key' };
    const response = await running.post('/1/batch/d', `[${'{},'.repeat(1_600_000)}{}]`, headers);
    expect(response.status).toBe(413);
    expect((await response.text()).length).toBeLessThan(200);
    expect(running.sink.rejections).toHaveLength(1);
  });

  it('keeps a connection open for longer than senders do, so that it never closes one under a request', async () => {
    running = await runReceivers();
    const response = await running.post('/v1/traces', '{}');
    const [, seconds] = /timeout=(\d+)/.exec(response.headers.get('keep-alive') ?? '') ?? [];
    expect(Number(seconds)).toBeGreaterThan(300);
  });

  it('of a hundred thousand attributes a span keeps the first thousand, and says how many it lost', async () => {
    running = await runReceivers();
    const attributes = Array.from({ length: 100_000 }, (_, index) => ({
      key: `key ${index}`,
      value: { intValue: index },
    }));
    await running.post('/v1/traces', jsonTraceRequest([jsonSpan({ attributes, droppedAttributesCount: 7 })]));
    expect(Object.keys(running.sink.spans[0]?.attributes ?? {})).toHaveLength(1_000);
    expect(running.sink.spans[0]?.dropped).toEqual({ attributes: 99_007 });
  });
});

function delimited(tag: number, content: Uint8Array): Buffer {
  const length: number[] = [];
  for (let rest = content.length; ; rest = Math.floor(rest / 128)) {
    length.push(rest < 128 ? rest : (rest % 128) + 128);
    if (rest < 128) break;
  }
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

describe('a sender', () => {
  /**
   * Writes `text`, then nothing, and resolves to what came back when the receiver closed the
   * connection.
   */
  function sendSlowly(port: number, text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      let answer = '';
      socket.on('data', (chunk) => {
        answer += chunk;
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(answer));
    });
  }

  it('that never ends its headers or its body is cut off with 408', async () => {
    running = await runReceivers({ limits: { requestMilliseconds: 300 } });
    const head = `POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n`;
    expect(await sendSlowly(running.receivers.port, head)).toContain('408');
    await sendSlowly(running.receivers.port, `${head}Content-Length: 100\r\n\r\n{`);
    expect(running.sink.rejections).toMatchObject([{ reason: 'request refused with 400' }]);
    expect((await running.post('/v1/traces', jsonTraceRequest([jsonSpan()]))).status).toBe(200);
  });

  it('that goes away in the middle of a body leaves the receiver working', async () => {
    running = await runReceivers();
    const head = `POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`;
    await new Promise<void>((resolve) => {
      const socket = connect(running.receivers.port, '127.0.0.1', () => socket.write(head, () => socket.destroy()));
      socket.on('close', () => resolve());
    });
    expect((await running.post('/v1/traces', jsonTraceRequest([jsonSpan()]))).status).toBe(200);
    expect(running.sink.spans).toHaveLength(1);
  });

  it.each(paths)(
    'that is a web page, or that reached this machine by another name, is refused: %s',
    async (path, headers) => {
      running = await runReceivers();
      const fromPage = await running.post(path, '{}', { ...headers, origin: 'https://example.com' });
      expect(fromPage.status).toBe(403);
      const head = Object.entries(headers)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('');
      const rebound = await sendSlowly(
        running.receivers.port,
        `POST ${path} HTTP/1.1\r\nHost: rebound.example.com\r\n${head}Content-Length: 2\r\n\r\n{}`,
      );
      expect(rebound).toMatch(/^HTTP\/1\.1 403/);
      const { sink } = running;
      expect([sink.spans, sink.logs, sink.errors].flat()).toEqual([]);
    },
  );

  it('keeps its connection over several requests', async () => {
    running = await runReceivers();
    const body = jsonTraceRequest([jsonSpan()]);
    const one = `POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const last = one.replace('Host:', 'Connection: close\r\nHost:');
    const answers = await sendSlowly(running.receivers.port, one + one + last);
    expect(answers.match(/HTTP\/1\.1 200/g)).toHaveLength(3);
  });
});

describe('a failing store', () => {
  it('is answered 500 without its cause, is counted, and the receiver goes on', async () => {
    running = await runReceivers();
    const sink = collectingSink();
    let failing = true;
    const take = sink.span;
    sink.span = (record) => {
      if (failing) throw new Error('disk /secret/path is full');
      take(record);
    };
    const receivers = await startReceivers({ port: 0, receivers: knownReceivers, sink });
    const send = () =>
      fetch(`http://127.0.0.1:${receivers.port}/v1/traces`, {
        method: 'POST',
        body: jsonTraceRequest([jsonSpan()]),
        headers: { 'content-type': 'application/json' },
      });
    const refused = await send();
    expect(refused.status).toBe(500);
    expect(await refused.text()).not.toContain('secret');
    expect(sink.rejections).toMatchObject([{ intake: 'otlp', reason: 'receiver failed' }]);
    failing = false;
    expect((await send()).status).toBe(200);
    expect(sink.spans).toHaveLength(1);
    await receivers.stop();
  });
});

describe('the port', () => {
  it('is free again after stop, also with a connection that is open', async () => {
    running = await runReceivers();
    const socket = connect(running.receivers.port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.on('error', () => {});
    await running.receivers.stop();
    const again = await runReceivers({ port: running.receivers.port });
    expect(again.receivers.port).toBe(running.receivers.port);
    await again.receivers.stop();
  });

  it('that is taken is an EADDRINUSE', async () => {
    running = await runReceivers();
    await expect(runReceivers({ port: running.receivers.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
