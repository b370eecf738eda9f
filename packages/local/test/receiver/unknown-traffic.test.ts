import { connect } from 'node:http2';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningReceivers, runReceivers } from './collecting-sink.ts';

let running: RunningReceivers;
beforeEach(async () => {
  running = await runReceivers({ origins: ['http://localhost:5173'] });
});
afterEach(() => running.receivers.stop());

describe('traffic that nothing receives', () => {
  it.each([
    ["Sentry's envelope", '/api/42/envelope/', /^Sentry's protocol is not received: send OTLP/],
    ["Sentry's envelope of project 1", '/api/1/envelope/', /^Sentry's protocol is not received/],
    ["Zipkin's spans", '/api/v2/spans', /^Zipkin's spans are not received: send OTLP to \/v1\/traces/],
    ["Jaeger's Thrift", '/api/traces', /^Jaeger's Thrift is not received: send OTLP to \/v1\/traces/],
    ["Datadog's traces", '/v0.4/traces', /^Datadog's protocol is not received/],
    ['an unknown path', '/somewhere', /^nothing is received at this path: OTLP is at \/v1\//],
  ])('%s is counted, and its sender told what to send instead', async (_what, path, reason) => {
    const response = await running.post(path, '{}');
    expect(response.status).toBe(404);
    expect(running.sink.rejections).toEqual([
      { intake: 'unknown', reason: expect.stringMatching(reason), detail: `POST ${path}` },
    ]);
    expect(await response.text()).toContain(path);
  });

  it('gRPC on the port for HTTP is counted, and its port named', async () => {
    const session = connect(running.url);
    await new Promise<void>((resolve) => {
      session.on('error', () => {});
      session.on('close', resolve);
    });
    expect(running.sink.rejections).toMatchObject([
      { intake: 'unknown', reason: expect.stringContaining('send it to 4317') },
    ]);
  });
});

describe('a web page', () => {
  const preflight = (origin: string) =>
    fetch(`${running.url}/v1/traces`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    });

  it('of an origin that the settings name may send, and its browser is told so', async () => {
    const answer = await preflight('http://localhost:5173');
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-origin')).toBe('http://localhost:5173');
    expect(answer.headers.get('access-control-allow-headers')).toBe('content-type');
    const sent = await running.post('/v1/traces', '{}', { origin: 'http://localhost:5173' });
    expect(sent.status).toBe(200);
    expect(sent.headers.get('access-control-allow-origin')).toBe('http://localhost:5173');
  });

  it('of any other origin may not', async () => {
    expect((await preflight('https://evil.example')).status).toBe(403);
    expect((await running.post('/v1/traces', '{}', { origin: 'https://evil.example' })).status).toBe(403);
  });
});
