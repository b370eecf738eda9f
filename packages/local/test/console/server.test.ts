import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startConsole } from '../../src/console/server.ts';
import type { Trace, TraceSummary } from '../../src/trace/trace.ts';
import { newTrace, segment, serviceIn, startFixture } from './fixture.ts';

let fixture: Awaited<ReturnType<typeof startFixture>>;

beforeEach(async () => {
  fixture = await startFixture();
});

afterEach(async () => {
  await fixture.stop();
});

const get = (path: string, init?: RequestInit) => fetch(fixture.url + path, init);

/** Node's fetch does not let a caller set Host; Node's http does, and sends a path as it is. */
function raw(path: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port: fixture.port, path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('the JSON of traces', () => {
  it('gives a trace by either form of its id', async () => {
    const { root, id } = newTrace();
    fixture.store.segment(segment(root));
    for (const form of [root, id, id.toUpperCase()]) {
      const trace = (await (await get(`/api/traces/${form}`)).json()) as Trace;
      expect(trace).toMatchObject({ id, xrayId: root, http: { method: 'GET', status: 200 } });
      expect(trace.roots[0]?.name).toBe('dev-shop/dev');
    }
  });

  it('answers 404 with a problem document for an unknown id and for an invalid one', async () => {
    for (const id of ['f'.repeat(32), 'x', '%2e%2e%2fstatus', '1-6561dad1-xyz']) {
      const response = await get(`/api/traces/${id}`);
      expect(response.status).toBe(404);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      expect(await response.json()).toMatchObject({ status: 404, title: 'Not Found' });
    }
  });

  it('lists traces, the newest first, filtered by error and by duration', async () => {
    const [fast, slow, failed] = [newTrace(), newTrace(), newTrace()];
    const start = Date.now() / 1000;
    fixture.store.segment(segment(fast.root, { start_time: start, end_time: start + 0.01 }));
    fixture.store.segment(segment(slow.root, { start_time: start + 1, end_time: start + 1.7 }));
    fixture.store.segment(segment(failed.root, { start_time: start + 2, end_time: start + 2.01, fault: true }));
    const ids = async (query: string) =>
      ((await (await get(`/api/traces${query}`)).json()) as TraceSummary[]).map(({ id }) => id);
    expect(await ids('')).toEqual([failed.id, slow.id, fast.id]);
    expect(await ids('?errors=true')).toEqual([failed.id]);
    expect(await ids('?slow=500')).toEqual([slow.id]);
    expect(await ids('?limit=2')).toEqual([failed.id, slow.id]);
    expect(await ids('?q=time%3A%3E500ms')).toEqual([slow.id]);
    expect(await ids('?q=-is%3Afailed%20route%3A%2Forders&limit=1')).toEqual([slow.id]);
  });

  it('answers 400 for a filter that it does not know', async () => {
    const response = await get('/api/traces?status=500');
    expect(response.status).toBe(400);
    expect((await get('/api/traces?slow=99999999999999999999999')).status).toBe(400);
    expect(await (await get('/api/traces?q=statsu%3A5')).json()).toMatchObject({
      detail: expect.stringContaining('"q": There is no field "statsu"'),
    });
    expect(await response.json()).toMatchObject({ detail: expect.stringContaining('"status"') });
  });

  it('writes whole numbers beyond 2^53 as their digits, and no control character as it is', async () => {
    const { root, id } = newTrace();
    fixture.store.segment(segment(root));
    fixture.store.span({
      source: 'otlp',
      traceId: id,
      spanId: '2222222222222222',
      parentId: '1111111111111111',
      name: 'span \u009b31m',
      kind: 'internal',
      startNanoseconds: 1n,
      endNanoseconds: 2n,
      status: 'unset',
      serviceName: 'shop',
      attributes: { huge: 9_007_199_254_740_993n },
      resource: {},
      events: [],
      links: [],
      sampleRate: 1,
    });
    const text = await (await get(`/api/traces/${id}`)).text();
    expect(text).toContain('9007199254740993');
    expect(text).not.toContain('\u009b');
    expect(JSON.parse(text)).toMatchObject({ id });
  });
});

describe('the status', () => {
  it('says what runs where, and what the intakes could not take', async () => {
    fixture.store.rejected('xray', 'not JSON', 'from 127.0.0.1:4711');
    expect(await (await get('/api/status')).json()).toMatchObject({
      product: 'throughline',
      service: { name: 'shop', stage: 'dev', region: 'eu-west-1' },
      directory: '/nowhere/shop',
      addresses: { api: 'http://127.0.0.1:3000' },
      rejections: [expect.objectContaining({ intake: 'xray', reason: 'not JSON', count: 1 })],
    });
  });
});

describe('the stream of traces', () => {
  async function* stream(signal: AbortSignal): AsyncGenerator<TraceSummary> {
    const response = await get('/api/traces/stream', { signal });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const body = response.body ?? new ReadableStream<Uint8Array<ArrayBuffer>>();
    const events = body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    for await (const { event, data } of events) if (event === 'trace') yield JSON.parse(data) as TraceSummary;
  }

  async function first(after: () => void): Promise<TraceSummary | undefined> {
    const ending = new AbortController();
    const events = stream(ending.signal);
    const next = events.next();
    // The stream listens once its head is here; what it is told is what ends from now on.
    await sleep(200);
    after();
    const { value } = await next;
    ending.abort();
    return value ?? undefined;
  }

  it('tells a trace once it has ended', async () => {
    const { root, id } = newTrace();
    expect(await first(() => fixture.store.segment(segment(root)))).toMatchObject({
      id,
      status: 200,
      inProgress: false,
    });
  });

  it('waits for the parent of what came first, and tells them together', async () => {
    const { root, id } = newTrace();
    const child = segment(root, {
      id: '2222222222222222',
      parent_id: '1111111111111111',
      type: 'subsegment',
      name: 'early',
    });
    const summary = await first(() => {
      fixture.store.segment(child);
      setTimeout(() => fixture.store.segment(segment(root)), 500);
    });
    expect(summary).toMatchObject({ id, method: 'GET', status: 200 });
  });

  it('tells a trace whose parent never comes all the same', async () => {
    const { root, id } = newTrace();
    const orphan = segment(root, { parent_id: '9999999999999999' });
    expect(await first(() => fixture.store.segment(orphan))).toMatchObject({ id });
  });

  it('ends when the console stops', async () => {
    const response = await get('/api/traces/stream');
    const whole = response.text();
    await fixture.stop();
    expect(await whole).toBe(': the traces of this run, as they end\n\n');
    fixture = await startFixture();
  });
});

describe('who may ask', () => {
  it('refuses a Host that is not this machine, as a rebound DNS name sends it', async () => {
    expect(await raw('/api/traces', { host: 'evil.example' })).toBe(403);
    expect(await raw('/', { host: `evil.example:${fixture.port}` })).toBe(403);
    expect(await raw('/api/traces', { host: `localhost:${fixture.port}` })).toBe(200);
  });

  it('refuses a page of another origin, its stream too, and answers its own', async () => {
    for (const path of ['/api/traces', '/api/traces/stream', '/api/status']) {
      expect((await get(path, { headers: { origin: 'http://evil.example' } })).status).toBe(403);
      expect((await get(path, { headers: { origin: 'http://127.0.0.1:1' } })).status).toBe(403);
    }
    expect((await get('/api/traces', { headers: { origin: fixture.url } })).status).toBe(200);
  });

  it('lets no other page read an answer, and gives every one the strict headers', async () => {
    for (const path of ['/', '/api/traces', '/nothing', '/console.js']) {
      const { headers } = await get(path);
      expect(headers.get('access-control-allow-origin')).toBeNull();
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'self';/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    }
  });

  it('serves its own few files and nothing else of the disk', async () => {
    expect(await (await get('/')).text()).toContain('<title>Throughline</title>');
    for (const path of [
      '/../index.ts',
      '/%2e%2e/index.ts',
      '/..%2f..%2fpackage.json',
      '/console.js/../../index.js',
      '//etc/passwd',
    ]) {
      expect(await raw(path)).toBe(404);
    }
  });

  it('changes nothing, so takes nothing but GET', async () => {
    expect((await get('/api/traces', { method: 'POST', body: '{}' })).status).toBe(404);
  });
});

describe('starting and stopping', () => {
  it('says in one sentence that its port is taken, and by which setting to change it', async () => {
    const again = startConsole({ port: fixture.port, store: fixture.store, service: serviceIn('/'), addresses: {} });
    await expect(again).rejects.toThrow(`Port ${fixture.port} (console) is in use.`);
  });

  it('leaves no port behind, although a browser holds connections open', async () => {
    const idle = connect(fixture.port, '127.0.0.1');
    await new Promise((resolve) => idle.once('connect', resolve));
    idle.on('error', () => {});
    await (await get('/api/status')).text();
    await fixture.stop();
    await expect(get('/api/status')).rejects.toThrow();
    fixture = await startFixture();
  });
});
