import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createForwarder, forwardTargets, localKey } from '../../src/receiver/forward.ts';
import { startReceivers } from '../../src/receiver/server.ts';
import { knownReceivers } from '../../src/services/index.ts';
import type { TelemetrySink } from '../../src/trace/records.ts';

interface Received {
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** The real service, which answers everything with `status`, or nothing with 'never'. */
async function service(
  status: number | 'never' = 200,
): Promise<{ url: string; received: Received[]; answerWith(status: number): void }> {
  const received: Received[] = [];
  let current: number | 'never' = status;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() });
    if (current !== 'never') response.writeHead(current).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answerWith: (next) => {
      current = next;
    },
  };
}

async function receivers(environment: Record<string, string>) {
  const rejected: string[] = [];
  const details: string[] = [];
  const said: string[] = [];
  const nothing = () => {};
  const sink: TelemetrySink = {
    segment: nothing,
    span: nothing,
    log: nothing,
    metric: nothing,
    error: nothing,
    rejected: (name, reason, detail) => {
      rejected.push(`${name}: ${reason}`);
      details.push(detail);
    },
  };
  const started = await startReceivers({
    receivers: knownReceivers,
    port: 0,
    sink,
    forward: forwardTargets(environment),
    onForward: (sentence) => said.push(sentence),
  });
  stops.push(() => started.stop());
  const post = async (path: string, headers: Record<string, string>, body: string) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body };
    return (await fetch(`http://127.0.0.1:${started.port}${path}`, init)).status;
  };
  return { rejected, details, said, post, stop: () => started.stop() };
}

const item = JSON.stringify({ data: { environment: 'test', body: { message: { body: 'hello' } } } });

describe('forwarding to the real services', () => {
  it('sends OTLP on with its key, as it was', async () => {
    const honeycomb = await service();
    const { post } = await receivers({
      OTEL_EXPORTER_OTLP_ENDPOINT: `${honeycomb.url}/`,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-honeycomb-team=key',
    });
    expect(await post('/v1/traces', { 'x-honeycomb-team': 'key', cookie: 'private' }, '{"resourceSpans":[]}')).toBe(
      200,
    );
    await expect.poll(() => honeycomb.received).toHaveLength(1);
    expect(honeycomb.received[0]).toMatchObject({ path: '/v1/traces', body: '{"resourceSpans":[]}' });
    expect(honeycomb.received[0]?.headers).toMatchObject({ 'x-honeycomb-team': 'key' });
    expect(honeycomb.received[0]?.headers).not.toHaveProperty('cookie');
  });

  it("sends Rollbar's items on where there is a token, and keeps those with the local one here", async () => {
    const rollbar = await service();
    const { post } = await receivers({ ROLLBAR_ACCESS_TOKEN: 'token', ROLLBAR_ENDPOINT: `${rollbar.url}/api/1/item/` });
    expect(await post('/api/1/item/', { 'x-rollbar-access-token': localKey }, item)).toBe(200);
    expect(await post('/api/1/item/', { 'x-rollbar-access-token': 'token' }, item)).toBe(200);
    await expect.poll(() => rollbar.received).toHaveLength(1);
    expect(rollbar.received[0]?.path).toBe('/api/1/item/');
    expect(rollbar.received[0]?.headers['x-rollbar-access-token']).toBe('token');
  });

  it.each(['/api/1', '/api/1/', '/api/1/item', '/api/1/item/'])(
    'takes %s for the address of Rollbar, as its clients do',
    async (path) => {
      const rollbar = await service();
      const { post } = await receivers({ ROLLBAR_ACCESS_TOKEN: 'token', ROLLBAR_ENDPOINT: rollbar.url + path });
      await post('/api/1/item/', { 'x-rollbar-access-token': 'token' }, item);
      await expect.poll(() => rollbar.received.map((received) => received.path)).toEqual(['/api/1/item/']);
    },
  );

  it('does not send on what was refused here', async () => {
    const rollbar = await service();
    const { post } = await receivers({ ROLLBAR_ACCESS_TOKEN: 'token', ROLLBAR_ENDPOINT: rollbar.url });
    expect(await post('/api/1/item/', { 'x-rollbar-access-token': 'token' }, 'no JSON')).toBe(400);
    expect(await post('/api/1/item/', { 'x-rollbar-access-token': 'token' }, item)).toBe(200);
    await expect.poll(() => rollbar.received.map(({ body }) => body)).toEqual([item]);
  });

  it('answers as ever, and counts the loss, when the real service refuses or is not there', async () => {
    const refusing = await service(503);
    const first = await receivers({ ROLLBAR_ACCESS_TOKEN: 'token', ROLLBAR_ENDPOINT: refusing.url });
    expect(await first.post('/api/1/item/', { 'x-rollbar-access-token': 'token' }, item)).toBe(200);
    await expect.poll(() => first.rejected).toEqual(['forward rollbar: the service answered 503']);
    const absent = await receivers({ ROLLBAR_ACCESS_TOKEN: 'token', ROLLBAR_ENDPOINT: 'http://127.0.0.1:9/' });
    expect(await absent.post('/api/1/item/', { 'x-rollbar-access-token': 'token' }, item)).toBe(200);
    await expect.poll(() => absent.rejected).toEqual(['forward rollbar: the service was not reached']);
  });

  it('says once that a service does not take it, and once that it does again, with no key in any word', async () => {
    const honeycomb = await service(401);
    const { url } = honeycomb;
    const { said, rejected, details, post } = await receivers({
      OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/?team=a-key-in-the-query`,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-honeycomb-team=a-key',
    });
    const send = () => post('/v1/traces', { 'x-honeycomb-team': 'a-key' }, '{"resourceSpans":[]}');
    for (let times = 0; times < 3; times += 1) await send();
    await expect.poll(() => rejected).toHaveLength(3);
    const host = new URL(url).host;
    expect(said).toEqual([
      `otlp (${host}) does not take what is sent on to it: it answered 401. Here nothing is lost.`,
    ]);

    honeycomb.answerWith(200);
    await send();
    await expect
      .poll(() => said.slice(1), { timeout: 10_000 })
      .toEqual([`otlp (${host}) takes what is sent on to it again; 3 requests did not arrive there.`]);
    expect([...said, ...rejected, ...details].join(' ')).not.toContain('a-key');
  });

  it('lets no service wait for another that never answers', async () => {
    const honeycomb = await service('never');
    const rollbar = await service();
    const { post } = await receivers({
      OTEL_EXPORTER_OTLP_ENDPOINT: honeycomb.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-honeycomb-team=key',
      ROLLBAR_ACCESS_TOKEN: 'token',
      ROLLBAR_ENDPOINT: rollbar.url,
    });
    for (let times = 0; times < 3; times += 1)
      await post('/v1/traces', { 'x-honeycomb-team': 'key' }, '{"resourceSpans":[]}');
    await post('/api/1/item/', { 'x-rollbar-access-token': 'token' }, item);
    await expect.poll(() => rollbar.received).toHaveLength(1);
    expect(honeycomb.received).toHaveLength(1);
  });

  it('sends what waits when the run ends', async () => {
    const rollbar = await service();
    const { post, rejected, stop } = await receivers({ ROLLBAR_ACCESS_TOKEN: 'token', ROLLBAR_ENDPOINT: rollbar.url });
    const key = { 'x-rollbar-access-token': 'token' };
    await Promise.all(Array.from({ length: 20 }, () => post('/api/1/item/', key, item)));
    await stop();
    expect(rollbar.received).toHaveLength(20);
    expect(rejected).toEqual([]);
  });

  it('counts what a service that never answers has not taken when the run ends', async () => {
    const rollbar = await service('never');
    const { post, rejected, said, stop } = await receivers({
      ROLLBAR_ACCESS_TOKEN: 'token',
      ROLLBAR_ENDPOINT: rollbar.url,
    });
    for (let times = 0; times < 3; times += 1) await post('/api/1/item/', { 'x-rollbar-access-token': 'token' }, item);
    await stop();
    expect(rejected).toEqual(Array(3).fill('forward rollbar: the run ended before it was sent'));
    expect(said).toEqual([]);
  });

  it.each([
    ['in its address', 'https://user:a-key@collector.invalid', 'another'],
    ['that no header can hold', 'http://collector.invalid', 'a-key\u0001'],
  ])('shows no key %s, which an HTTP client quotes', async (_title, endpoint, key) => {
    const said: string[] = [];
    const details: string[] = [];
    const targets = forwardTargets({
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-honeycomb-team=k',
    });
    const sink = { rejected: (_intake: string, _reason: string, detail: string) => void details.push(detail) };
    const forwarder = createForwarder(targets, sink as TelemetrySink, (sentence) => said.push(sentence));
    forwarder.forward('/v1/traces', { 'x-honeycomb-team': key }, Buffer.from('{}'));
    await expect.poll(() => said).toHaveLength(1);

    expect(details).toHaveLength(1);
    expect([...said, ...details].join(' ')).not.toContain('a-key');
    await forwarder.stop();
  });

  it('logs in as the user that a URL names, and shows the URL without', async () => {
    const collector = await service(503);
    const url = collector.url.replace('//', '//user:pass%20word@');
    const { post, details, said } = await receivers({
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-team=key',
    });
    await post('/v1/traces', { 'x-team': 'key' }, '{"resourceSpans":[]}');
    await expect.poll(() => details).toHaveLength(1);
    expect(collector.received[0]?.headers.authorization).toBe(`Basic ${btoa('user:pass word')}`);
    expect([...details, ...said].join('\n')).not.toMatch(/pass/);
  });

  it('sends nothing anywhere where no key is set', () => {
    expect(
      forwardTargets({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://api.honeycomb.io', ROLLBAR_ACCESS_TOKEN: '' }),
    ).toEqual([]);
  });
});
