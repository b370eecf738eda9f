import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SendableRequest } from '../../src/console/send/requests.ts';
import type { SentAnswer } from '../../src/console/send/send-request.ts';
import type { Trace } from '../../src/trace/trace.ts';
import { isBrowserHere, openBrowser, skipNote } from './browser.ts';
import { functionWith, segment, startFixture } from './fixture.ts';

interface Received {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

let directory: string;
let api: Server;
let received: Received[];
let answer: { status: number; body: string | Buffer };
let fixture: Awaited<ReturnType<typeof startFixture>>;

beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'throughline-send-'));
  mkdirSync(path.join(directory, 'events', 'order'), { recursive: true });
  writeFileSync(
    path.join(directory, 'events/order/ok.json'),
    JSON.stringify({
      httpMethod: 'POST',
      path: '/orders',
      multiValueQueryStringParameters: { tag: ['a', 'b c'] },
      headers: {
        Host: 'x',
        'Content-Type': 'application/json',
        'X-Amzn-Trace-Id': 'Root=1-0-0',
        'X-Forwarded-For': '1',
      },
      body: Buffer.from('{"name":"tea"}').toString('base64'),
      isBase64Encoded: true,
    }),
  );
  writeFileSync(path.join(directory, 'events/order/broken.json'), '{');
  received = [];
  answer = { status: 200, body: '{"made":true}' };
  api = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    received.push({ method, url, headers, body: await text(request) });
    response.writeHead(answer.status, { 'content-type': 'application/json', 'x-own': 'yes' }).end(answer.body);
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  fixture = await startFixture(directory, {
    api: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
    functions: [functionWith('list', 'GET /orders', 'ANY /orders/{id}'), functionWith('order', 'POST /orders')],
  });
});

afterEach(async () => {
  await fixture.stop();
  api.close();
  rmSync(directory, { recursive: true });
});

const send = (value: unknown) =>
  fetch(`${fixture.url}/api/send`, {
    method: 'POST',
    body: JSON.stringify(value),
    headers: { 'content-type': 'application/json' },
  });

const detailOf = async (response: Response) => ((await response.json()) as { detail: string }).detail;

describe('the requests that the page offers', () => {
  it('are the events of a function, or its routes where it has none', async () => {
    const requests = (await (await fetch(`${fixture.url}/api/requests`)).json()) as SendableRequest[];
    expect(requests).toEqual([
      { title: 'GET /orders', method: 'GET', path: '/orders', headers: {}, body: '' },
      { title: 'ANY /orders/{id}', method: 'GET', path: '/orders/{id}', headers: {}, body: '' },
      {
        title: 'events/order/ok.json',
        method: 'POST',
        path: '/orders?tag=a&tag=b+c',
        headers: { 'content-type': 'application/json' },
        body: '{"name":"tea"}',
      },
    ]);
  });
});

describe('sending a request', () => {
  it('passes it on as it is, and the answer back', async () => {
    answer = { status: 201, body: 'made' };
    const request = { method: 'PUT', path: '//evil.example/x?y=1', headers: { 'x-a': 'b' }, body: 'tea' };
    const response = await send(request);
    expect(await response.json()).toMatchObject({ status: 201, text: 'made', bytes: 4, isCut: false });
    expect(received).toMatchObject([
      { method: 'PUT', url: '//evil.example/x?y=1', body: 'tea', headers: { 'x-a': 'b' } },
    ]);
  });

  it('shows the beginning of a long answer, and no bytes that are not text', async () => {
    answer = { status: 200, body: 'ä'.repeat(200_000) };
    const long = (await (await send({ method: 'GET', path: '/' })).json()) as SentAnswer;
    expect([long.bytes, long.isCut, long.text.length]).toEqual([400_000, true, 100_000]);
    answer = { status: 200, body: Buffer.from([0xff, 0xfe, 0x00]) };
    expect(await (await send({ method: 'GET', path: '/' })).json()).toMatchObject({ text: '', bytes: 3 });
  });

  it.each([
    ['no object', 'x', 'The request is not an object.'],
    ['a method that is not one', { method: 'get it', path: '/' }, 'The method must be'],
    ['a whole URL', { method: 'GET', path: 'http://evil.example/' }, 'The path must begin with /'],
    ['a header with a line break', { method: 'GET', path: '/', headers: { a: 'b\r\nc: d' } }, 'The header a has'],
    ['a Host header', { method: 'GET', path: '/', headers: { Host: 'evil' } }, 'The header Host is set by'],
  ])('refuses %s with a sentence', async (_, value, sentence) => {
    const response = await send(value);
    expect([response.status, await detailOf(response)]).toEqual([400, expect.stringContaining(sentence)]);
    expect(received).toEqual([]);
  });

  it('says that the API does not answer', async () => {
    api.closeAllConnections();
    await new Promise((resolve) => api.close(resolve));
    const response = await send({ method: 'GET', path: '/' });
    expect([response.status, await detailOf(response)]).toEqual([502, expect.stringContaining('ECONNREFUSED')]);
  });

  it('is refused to a page of another origin', async () => {
    const response = await fetch(`${fixture.url}/api/send`, {
      method: 'POST',
      headers: { origin: 'http://evil.example', 'content-type': 'application/json' },
      body: JSON.stringify({ method: 'GET', path: '/' }),
    });
    expect(response.status).toBe(403);
    expect(received).toEqual([]);
  });
});

describe.skipIf(!isBrowserHere)(`the send panel in a browser${skipNote}`, () => {
  it('sends an edited event as the root of one trace, and leads to that trace', async () => {
    const { page, complaints, close } = await openBrowser();
    try {
      await page.goto(fixture.url);
      await page.getByText('live', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Send', exact: true }).click();
      await page.getByLabel('From').selectOption('events/order/ok.json');
      await page.getByLabel('Body').fill('{"name":"coffee"}');
      await page.getByRole('button', { name: 'Send', exact: true }).last().click();
      await page.getByText('in the browser').waitFor();
      expect(received).toMatchObject([{ method: 'POST', url: '/orders?tag=a&tag=b+c', body: '{"name":"coffee"}' }]);
      const headers = received[0]?.headers;
      const [, traceId = '', spanId = ''] =
        /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/.exec(String(headers?.traceparent)) ?? [];
      const root = `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`;
      expect(headers?.['x-amzn-trace-id']).toBe(`Root=${root};Parent=${spanId};Sampled=1`);
      const start = Date.now() / 1000;
      fixture.store.segment(segment(root, { parent_id: spanId, start_time: start - 0.02, end_time: start }));
      await page.getByRole('button', { name: 'Show its trace' }).click();
      await page.locator('.row').nth(1).waitFor();
      const trace = (await (await fetch(`${fixture.url}/api/traces/${traceId}`)).json()) as Trace;
      expect(trace.roots).toMatchObject([{ id: spanId, serviceName: 'browser', children: [{ name: 'dev-shop/dev' }] }]);
      expect(trace.roots[0]?.events?.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['fetchStart', 'requestStart', 'responseStart', 'responseEnd']),
      );
      expect(complaints).toEqual([]);
    } finally {
      await close();
    }
  });

  it('offers the requests of the service before the first trace', async () => {
    const { page, complaints, close } = await openBrowser();
    try {
      await page.goto(fixture.url);
      await page.getByRole('button', { name: 'Send GET /orders', exact: true }).click();
      await page.getByText('in the browser').waitFor();
      expect(received.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /orders']);
      expect(complaints).toEqual([]);
    } finally {
      await close();
    }
  });
});
