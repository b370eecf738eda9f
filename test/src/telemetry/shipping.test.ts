import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { retryAfter } from '../../../src/telemetry/delivery.ts';
import { type Destination, Shipper } from '../../../src/telemetry/shipping.ts';
import { type BackEnd, type Behaviour, spansOf, startBackEnd } from './back-end.ts';
import { awsRuntimeClient, type Stage, startStage } from './stage.ts';

const faults: Behaviour[] = [
  'refused',
  'answers 503',
  'slow by 1 s',
  'never answers',
  'garbage',
  'reset',
  'endless answer',
  'answers 429',
  'redirects',
];

const runtimes = [
  { runtime: 'local', name: "this project's runtime client", skipped: false },
  {
    runtime: 'aws',
    name: awsRuntimeClient ? "AWS's runtime client" : "AWS's runtime client (skipped: AWS_LAMBDA_RIC is not set)",
    skipped: !awsRuntimeClient,
  },
] as const;

for (const { runtime, name, skipped } of runtimes) {
  describe.skipIf(skipped)(`as an extension under ${name}`, () => {
    let stage: Stage;

    beforeAll(async () => {
      stage = await startStage({ runtime, layer: true, environment: { ROLLBAR_ACCESS_TOKEN: 'token' } });
    });
    afterAll(() => stage.stop());

    it.each(['/ok', '/message'])('answers %s before the back end has answered, cold and warm', async (path) => {
      const back = path === '/ok' ? stage.otlp : stage.rollbar;
      await back.behave('answers when told');
      for (let times = 0; times < 3; times += 1) {
        const before = back.deliveries.length;
        const invocation = await stage.invoke({ path });
        const delivery = (await back.received(before + 1))[before];

        expect(invocation.response?.statusCode).toBe(200);
        expect(delivery?.answered).toBeUndefined();
        back.answer();
        await stage.idle(invocation);
      }
      await back.behave('works');
    });

    it.each(faults)('answers as ever, and goes on, when both back ends: %s', async (behaviour) => {
      await Promise.all([stage.otlp.behave(behaviour), stage.rollbar.behave(behaviour)]);
      const invocations = [await stage.invoke({ path: '/ok' }), await stage.invoke({ path: '/message' })];
      await Promise.all([stage.otlp.behave('works'), stage.rollbar.behave('works')]);

      expect(invocations.map(({ response }) => response)).toEqual([
        { statusCode: 200, body: 'ok' },
        { statusCode: 200, body: 'ok' },
      ]);
      expect(stage.lines.filter(({ message }) => /Unhandled|Uncaught|Runtime exited/.test(message))).toEqual([]);
    });
  });
}

describe('without the layer', () => {
  /** What a process says that registers while its module is loaded, with a server in the place of Lambda. */
  async function register(status: number): Promise<{ said: string[]; asked: string[] }> {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers['lambda-extension-name'] ?? ''}`.trim());
      response.setHeader('lambda-extension-identifier', 'an-identifier');
      if (request.method === 'POST') response.writeHead(status).end('{}');
      else response.end('{"eventType":"INVOKE","requestId":"an-id","deadlineMs":1795363295000}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const child = spawn(
      process.execPath,
      [path.join(import.meta.dirname, 'fixture/register.ts'), `127.0.0.1:${port}`],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk;
    });
    await once(child, 'close');
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    return { said: said.trim().split('\n'), asked };
  }

  it('a function has registered for INVOKE when its module has been loaded, and then takes events', async () => {
    expect(await register(200)).toEqual({
      said: ['registered', '{"requestId":"an-id","deadline":1795363295000}'],
      asked: ['POST /2020-01-01/extension/register throughline-shipper', 'GET /2020-01-01/extension/event/next'],
    });
  });

  it('a function that is refused goes on without', async () => {
    expect((await register(403)).said).toEqual(['refused']);
  });

  it.each(runtimes.filter(({ skipped }) => !skipped))(
    'a fault is answered whatever Rollbar does, under $name',
    async ({ runtime }) => {
      const stage = await startStage({ runtime, environment: { ROLLBAR_ACCESS_TOKEN: 'token' } });
      await stage.rollbar.behave('never answers');
      const invocation = await stage.invoke({ path: '/message' });
      const [delivery] = await stage.rollbar.received(1);

      expect(invocation.response?.statusCode).toBe(200);
      expect(delivery?.answered).toBeUndefined();
      await stage.stop();
    },
  );
});

describe('what could not be sent', () => {
  let stage: Stage;

  beforeEach(async () => {
    stage = await startStage({ layer: true });
  });
  afterEach(() => stage.stop());

  it('goes out after a later request, when the back end answers again', async () => {
    await stage.otlp.behave('refused');
    const lost = await stage.invoke({ path: '/ok' });
    await stage.otlp.behave('works');
    const ids = async (): Promise<Set<string>> =>
      new Set((await spansOf(stage.otlp.deliveries)).map(({ traceId }) => traceId));
    while (!(await ids()).has(lost.traceId)) {
      await stage.invoke({ path: '/slow', query: { for: '100' } });
    }

    expect((await spansOf(stage.otlp.deliveries)).filter(({ traceId }) => traceId === lost.traceId)).toHaveLength(6);
  });

  it('because it is refused for good is counted in the next metrics, and one warning names the destination', async () => {
    await stage.otlp.behave('answers 400');
    await stage.idle(await stage.invoke({ path: '/ok' }));
    const next = await stage.invoke({ path: '/ok' });
    await stage.until(() => stage.json(next).some((line) => '_aws' in line));
    await stage.invoke({ path: '/ok' });

    expect(stage.json(next).find((line) => '_aws' in line)).toMatchObject({ TelemetryLost_spans: 6 });
    expect(stage.json().filter(({ level }) => level === 'WARN')).toMatchObject([
      { message: 'Telemetry was not delivered to OTLP: it answered 400; it is lost and counted', destination: 'OTLP' },
    ]);
  });
});

describe('an environment that ends', () => {
  it('writes what it could not send any more into the metrics', async () => {
    const stage = await startStage({ layer: true });
    await stage.otlp.behave('refused');
    await stage.idle(await stage.invoke({ path: '/ok' }));
    stage.cool();
    await stage.until(() => stage.json().some((line) => 'TelemetryLost_spans' in line));

    expect(stage.json().find((line) => 'TelemetryLost_spans' in line)).toMatchObject({
      TelemetryLost_spans: 6,
      service: 'stage',
    });
    await stage.stop();
  });
});

describe('where there is no Extensions API', () => {
  let backEnd: BackEnd;
  let destination: Destination;
  let shipper: Shipper;

  beforeEach(async () => {
    backEnd = await startBackEnd();
    destination = {
      name: 'Test',
      unit: 'records',
      batch: 10,
      url: backEnd.url,
      build: (payloads) => ({ headers: {}, body: JSON.stringify(payloads) }),
    };
    shipper = new Shipper();
    shipper.warn = () => {};
  });
  afterEach(() => backEnd.stop());

  const add = (payload: unknown, count = 1): void => shipper.add({ destination, payload, count });

  it('sends before the answer', async () => {
    add('first');
    await shipper.end('1');

    expect(backEnd.deliveries.map(({ body }) => String(body))).toEqual(['["first"]']);
  });

  it('waits for no answer that does not come', async () => {
    await backEnd.behave('never answers');
    add('first');
    await shipper.end('1');

    expect(backEnd.deliveries.map(({ answered }) => answered)).toEqual([undefined]);
  });

  it('puts as many records into one request as the destination takes', async () => {
    for (let record = 0; record < 25; record += 1) add(record);
    await shipper.end('1');

    expect(backEnd.deliveries.map(({ body }) => (JSON.parse(String(body)) as unknown[]).length)).toEqual([10, 10, 5]);
  });

  it('keeps 2,000 records for a back end that is away, drops the oldest, and counts them', async () => {
    await backEnd.behave('refused');
    for (let record = 0; record < 2_500; record += 1) add(record);
    await shipper.end('1');

    expect([...shipper.takeLost()]).toEqual([['records', 500]]);
    expect([...shipper.takeLost()]).toEqual([]);

    await backEnd.behave('works');
    await shipper.shutDown();
    expect(JSON.parse(String(backEnd.deliveries[0]?.body))).toEqual([500, 501, 502, 503, 504, 505, 506, 507, 508, 509]);
  });

  it('keeps fewer where they are large: 16 million characters, a hundred of 160,000', async () => {
    await backEnd.behave('refused');
    for (let record = 0; record < 130; record += 1) {
      shipper.add({ destination, payload: record, count: 1, size: 160_000 });
    }
    await shipper.end('1');

    expect([...shipper.takeLost()]).toEqual([['records', 30]]);

    await backEnd.behave('works');
    await shipper.shutDown();
    expect(JSON.parse(String(backEnd.deliveries[0]?.body))).toEqual([30, 31, 32, 33, 34, 35, 36, 37, 38, 39]);
  });

  it('tries again what was not taken for the moment, and not what was refused', async () => {
    await backEnd.behave('answers 429');
    add('for the moment');
    await shipper.end('1');
    await backEnd.behave('answers 400');
    add('for good');
    await shipper.end('2');
    await backEnd.behave('works');
    await shipper.end('3');

    expect(backEnd.deliveries.map(({ body }) => String(body))).toEqual([
      '["for the moment"]',
      '["for the moment","for good"]',
    ]);
    expect([...shipper.takeLost()]).toEqual([['records', 2]]);
  });

  it('counts at its end what is on its way and not answered', async () => {
    await backEnd.behave('never answers');
    add('on its way');
    await shipper.end('1');
    add('waiting');
    const written: [string, number][] = [];
    shipper.writeLosses = (lost) => written.push(...lost);
    await shipper.shutDown();

    expect(written).toEqual([['records', 2]]);
  });

  it('counts records that cannot be written, and goes on', async () => {
    add('fine');
    shipper.add({
      destination: { ...destination, name: 'Broken', build: () => Promise.reject(new Error('no')) },
      payload: 1,
      count: 3,
    });
    await shipper.end('1');

    expect(backEnd.deliveries).toHaveLength(1);
    expect([...shipper.takeLost()]).toEqual([['records', 3]]);
  });

  it('sends again at once over a new connection what went out over a pooled one that was dead', async () => {
    add('first');
    await shipper.end('1');
    backEnd.dropConnections();
    add('second');
    await shipper.end('2');

    expect(backEnd.deliveries.map(({ body }) => String(body))).toEqual(['["first"]', '["second"]']);
    expect([...shipper.takeLost()]).toEqual([]);
  });

  it('connects ahead of time and sends nothing, and the next POST takes that connection', async () => {
    shipper.destinations.add(destination);
    shipper.prepare();
    await vi.waitUntil(() => backEnd.connections.open === 1);
    expect(backEnd.deliveries).toEqual([]);
    add('first');
    await shipper.end('1');

    expect(backEnd.deliveries.map(({ body }) => String(body))).toEqual(['["first"]']);
    expect(backEnd.connections.ever).toBe(1);
  });

  it('closes what it has opened ahead of time and did not need', async () => {
    shipper.destinations.add(destination);
    shipper.prepare();
    await vi.waitUntil(() => backEnd.connections.open === 1);
    shipper.unprepare();
    await vi.waitUntil(() => backEnd.connections.open === 0);

    add('later');
    await shipper.end('1');
    expect(backEnd.deliveries.map(({ body }) => String(body))).toEqual(['["later"]']);
  });

  it('connects again where the connection of before was lost', async () => {
    shipper.destinations.add(destination);
    shipper.prepare();
    await vi.waitUntil(() => backEnd.connections.open === 1);
    backEnd.dropConnections();
    await vi.waitUntil(() => backEnd.connections.open === 0);
    add('first');
    await shipper.end('1');

    expect(backEnd.deliveries.map(({ body }) => String(body))).toEqual(['["first"]']);
    expect([...shipper.takeLost()]).toEqual([]);
  });
});

describe('a process', () => {
  let backEnd: BackEnd;

  beforeEach(async () => {
    backEnd = await startBackEnd();
  });
  afterEach(() => backEnd.stop());

  const start = (...words: string[]): ChildProcess =>
    spawn(process.execPath, [path.join(import.meta.dirname, 'fixture/ship.ts'), backEnd.url, ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });

  it.each(['works', 'never answers', 'refused'] as const)(
    'ends by itself when it has nothing to do and the back end: %s',
    async (behaviour) => {
      await backEnd.behave(behaviour);
      const [code] = await once(start('and end'), 'exit');

      expect(code).toBe(0);
    },
  );

  it('sends what is left when it is told to end, and ends', async () => {
    const child = start('and stay');
    child.stdout && (await once(child.stdout, 'data'));
    child.kill('SIGTERM');
    const [, signal] = await once(child, 'exit');

    expect(signal).toBe('SIGTERM');
    expect(backEnd.deliveries.map(({ body }) => String(body))).toEqual(['["left over"]']);
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-11-22T12:00:00Z');

  it.each([
    ['3', 3_000],
    ['-7', 0],
    ['999999999', 300_000],
    ['Sun, 22 Nov 2026 12:00:10 GMT', 10_000],
    ['Sun, 22 Nov 2020 12:00:10 GMT', 0],
    ['soon', undefined],
    ['', undefined],
  ])('of "%s" is %s ms', (value, milliseconds) => {
    expect(retryAfter(value, now)).toBe(milliseconds);
  });
});
