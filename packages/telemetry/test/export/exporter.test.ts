import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BackEnd, type Behaviour, spansOf, startBackEnd } from '../harness/back-end.ts';
import { selfSignedCertificate } from '../harness/certificate.ts';
import { type Invocation, type LambdaHarness, runtimeClients, startLambdaHarness } from '../harness/lambda-harness.ts';

/** The fate of spans sent to a back end that behaves like this once, and then works. */
const fates: [Behaviour, 'kept and sent again' | 'lost and counted' | 'taken'][] = [
  ['refused', 'kept and sent again'],
  ['accepts and hangs', 'lost and counted'],
  ['slow by 1 s', 'taken'],
  ['slow headers', 'lost and counted'],
  ['slow body', 'taken'],
  ['never answers', 'lost and counted'],
  ['reset', 'lost and counted'],
  ['reset when read', 'lost and counted'],
  ['reset in its answer', 'taken'],
  ['garbage', 'lost and counted'],
  ['200 with garbage', 'taken'],
  ['answers 400', 'lost and counted'],
  ['answers 401', 'lost and counted'],
  ['answers 413', 'lost and counted'],
  ['answers 429', 'kept and sent again'],
  ['answers 429 999999999', 'kept and sent again'],
  ['answers 429 -1', 'kept and sent again'],
  ['answers 429 Sun, 22 Nov 2099 12:00:00 GMT', 'kept and sent again'],
  ['answers 500', 'lost and counted'],
  ['answers 503', 'kept and sent again'],
  ['redirects', 'lost and counted'],
  ['endless headers', 'lost and counted'],
  ['endless answer', 'taken'],
];

for (const { runtime, name, skipped } of runtimeClients) {
  describe.skipIf(skipped)(`as an extension under ${name}`, () => {
    let harness: LambdaHarness;

    beforeAll(async () => {
      harness = await startLambdaHarness({ runtime, layer: true, environment: { ROLLBAR_ACCESS_TOKEN: 'token' } });
    });
    afterAll(() => harness.stop());

    it.each(['/ok', '/message'])('answers %s before the back end has answered, cold and warm', async (path) => {
      const back = path === '/ok' ? harness.otlp : harness.rollbar;
      await back.behave('answers when told');
      for (let times = 0; times < 3; times += 1) {
        const before = back.deliveries.length;
        const invocation = await harness.invoke({ path });
        const delivery = (await back.received(before + 1))[before];

        expect(invocation.response?.statusCode).toBe(200);
        expect(delivery?.answered).toBeUndefined();
        back.answer();
        await harness.idle(invocation);
      }
      await back.behave('works');
    });

    it.each(fates)('answers as ever, and goes on, when both back ends: %s', async (behaviour) => {
      await Promise.all([harness.otlp.behave(behaviour), harness.rollbar.behave(behaviour)]);
      const invocations = [await harness.invoke({ path: '/ok' }), await harness.invoke({ path: '/message' })];
      await Promise.all([harness.otlp.behave('works'), harness.rollbar.behave('works')]);

      expect(invocations.map(({ response }) => response)).toEqual([
        { statusCode: 200, body: 'ok' },
        { statusCode: 200, body: 'ok' },
      ]);
      expect(harness.lines.filter(({ message }) => /Unhandled|Uncaught|Runtime exited/.test(message))).toEqual([]);
    });
  });
}

describe('without the layer', () => {
  it.each(runtimeClients.filter(({ skipped }) => !skipped))(
    'Lambda has the extension before INIT is over, so that a fault leaves after the answer, under $name',
    async ({ runtime }) => {
      // The platform refuses what registers after INIT, and such a report leaves before the answer.
      const harness = await startLambdaHarness({ runtime, environment: { ROLLBAR_ACCESS_TOKEN: 'token' } });
      const invocation = await harness.invoke({ path: '/fault' });
      const [delivery] = await harness.rollbar.received(1);

      expect(delivery?.time).toBeGreaterThan(invocation.answered);
      await harness.stop();
    },
  );

  it.each(runtimeClients.filter(({ skipped }) => !skipped))(
    'a fault is answered whatever Rollbar does, under $name',
    async ({ runtime }) => {
      const harness = await startLambdaHarness({ runtime, environment: { ROLLBAR_ACCESS_TOKEN: 'token' } });
      await harness.rollbar.behave('never answers');
      const invocation = await harness.invoke({ path: '/message' });
      const [delivery] = await harness.rollbar.received(1);

      expect(invocation.response?.statusCode).toBe(200);
      expect(delivery?.answered).toBeUndefined();
      await harness.stop();
    },
  );
});

/** How many spans this line counts as lost. */
function lost({ message }: { message: string }): number {
  const [, count] = /"TelemetryLost_spans":(\d+)/.exec(message) ?? [];
  return Number(count ?? 0);
}

describe('the spans of a request', () => {
  let harness: LambdaHarness;

  beforeAll(async () => {
    harness = await startLambdaHarness({ layer: true, environment: { OTEL_EXPORTER_OTLP_TIMEOUT: '1500' } });
  });
  afterAll(() => harness.stop());

  /** Spans that were answered with a 2xx, by trace. */
  const taken = async ({ traceId }: Invocation): Promise<number> => {
    const answered = harness.otlp.deliveries.filter(({ status = 0 }) => status >= 200 && status < 300);
    return (await spansOf(answered)).filter((span) => span.traceId === traceId).length;
  };

  it.each(fates)('when the back end: %s, are %s; nothing is sent twice', async (behaviour, fate) => {
    const counted = (): number => harness.lines.reduce((sum, line) => sum + lost(line), 0);
    const before = counted();
    await harness.otlp.behave(behaviour);
    const first = await harness.invoke({ path: '/ok' });
    await harness.idle(first);
    await harness.otlp.behave('works');
    const second = await harness.invoke({ path: '/ok' });
    await harness.idle(second);
    const metrics = harness.json(second).find((line) => '_aws' in line);
    // The rest is exported when the environment ends.
    harness.cool();
    const outcome = async (): Promise<number[]> => [await taken(first), await taken(second)];

    await expect.poll(outcome, { timeout: 10_000 }).toEqual([fate === 'lost and counted' ? 0 : 6, 6]);
    // In the next request's metrics, or in the last words of an environment that had no next
    // request.
    await expect.poll(() => counted() - before, { timeout: 10_000 }).toBe(fate === 'lost and counted' ? 6 : 0);
    // Honeycomb receives no metrics: the next request's event and root span say it too.
    const { event } = (harness.json(second).find((line) => 'event' in line) ?? {}) as { event?: object };
    if (metrics && 'TelemetryLost_spans' in metrics) expect(event).toMatchObject({ telemetry_lost: 6 });
  });

  it('that are lost are spoken of once in a process', async () => {
    const counted = (): number => harness.lines.filter((line) => lost(line) === 6).length;
    const before = counted();
    await harness.otlp.behave('answers 403');
    for (let times = 0; times < 2; times += 1) await harness.idle(await harness.invoke({ path: '/ok' }));
    harness.cool();
    await harness.until(() => counted() === before + 2);

    expect(harness.json().filter(({ message }) => String(message).includes('answered 403'))).toMatchObject([
      { level: 'WARN', message: 'Telemetry was not delivered to OTLP: it answered 403; it is lost and counted' },
    ]);
  });
});

describe('what could not be sent', () => {
  it('goes out after a later request, when the back end answers again', async () => {
    const harness = await startLambdaHarness({ layer: true });
    await harness.otlp.behave('refused');
    const lost = await harness.invoke({ path: '/ok' });
    await harness.otlp.behave('works');
    const ids = async (): Promise<Set<string>> =>
      new Set((await spansOf(harness.otlp.deliveries)).map(({ traceId }) => traceId));
    while (!(await ids()).has(lost.traceId)) {
      await harness.invoke({ path: '/slow', query: { for: '100' } });
    }

    expect((await spansOf(harness.otlp.deliveries)).filter(({ traceId }) => traceId === lost.traceId)).toHaveLength(6);
    await harness.stop();
  });
});

describe('an address that cannot be sent to changes no answer, and what it loses is counted:', () => {
  const wrong = selfSignedCertificate('elsewhere.test');
  let directory: string;
  let tls: BackEnd;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'certificate-'));
    await writeFile(path.join(directory, 'elsewhere.pem'), wrong.cert);
    tls = await startBackEnd(wrong);
  });
  afterAll(async () => {
    await tls.stop();
    await rm(directory, { recursive: true });
  });

  it.each([
    ['a name that is not found', () => 'http://collector.invalid:4318', /ENOTFOUND|EAI_AGAIN/],
    ['a certificate for another name', () => tls.url, /ERR_TLS_CERT_ALTNAME_INVALID/],
  ])('%s', async (_title, url, reason) => {
    const harness = await startLambdaHarness({
      layer: true,
      environment: {
        OTEL_EXPORTER_OTLP_ENDPOINT: url(),
        OTEL_EXPORTER_OTLP_HEADERS: 'x-honeycomb-team=a-key',
        NODE_EXTRA_CA_CERTS: path.join(directory, 'elsewhere.pem'),
      },
    });
    const invocation = await harness.invoke({ path: '/ok' });
    await harness.idle(invocation);
    harness.cool();
    await harness.until(() => harness.lines.some((line) => lost(line) === 6));

    expect(invocation.response).toEqual({ statusCode: 200, body: 'ok' });
    expect(harness.json().filter(({ level }) => level === 'WARN')).toMatchObject([
      { message: expect.stringMatching(reason) },
    ]);
    expect(tls.deliveries).toEqual([]);
    await harness.stop();
  });
});

describe('an environment that ends', () => {
  // Lambda, and the platform here, kills it half a second later: a machine that lets the process
  // wait for that long loses the last line.
  it.each(['refused', 'accepts and hangs', 'never answers', 'slow headers'] as const)(
    'writes what it could not send any more into the metrics, when the back end: %s',
    { retry: 2 },
    async (behaviour) => {
      const harness = await startLambdaHarness({ layer: true });
      await harness.otlp.behave(behaviour);
      await harness.idle(await harness.invoke({ path: '/ok' }));
      harness.cool();
      await expect
        .poll(() => harness.json().filter((line) => 'TelemetryLost_spans' in line), { timeout: 5_000 })
        .toMatchObject([{ TelemetryLost_spans: 6, service: 'stage' }]);
      await harness.stop();
    },
  );

  it('by SIGKILL amid that is replaced at the next request, and has sent nothing twice', async () => {
    const harness = await startLambdaHarness({ layer: true });
    await harness.otlp.behave('answers when told');
    const first = await harness.invoke({ path: '/pid' });
    const pid = Number(first.response?.body);
    await harness.otlp.received(1);
    process.kill(pid, 'SIGTERM');
    process.kill(pid, 'SIGKILL');
    await harness.idle(first);
    await harness.otlp.behave('works');
    const second = await harness.invoke({ path: '/ok' });
    await harness.idle(second);

    expect([first.response?.statusCode, second.response]).toEqual([200, { statusCode: 200, body: 'ok' }]);
    expect(second.coldStart).toBe(true);
    const traces = (await spansOf(harness.otlp.deliveries)).map(({ traceId }) => traceId);
    expect(traces).toEqual([first.traceId, ...Array.from({ length: 6 }, () => second.traceId)]);
    await harness.stop();
  });
});

describe('a process', () => {
  let backEnd: BackEnd;

  beforeEach(async () => {
    backEnd = await startBackEnd();
  });
  afterEach(() => backEnd.stop());

  const start = (...words: string[]): ChildProcess =>
    spawn(process.execPath, [path.join(import.meta.dirname, '../fixture/ship.ts'), backEnd.url, ...words], {
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

  it.each(['accepts and hangs', 'never answers', 'slow body', 'refused'] as const)(
    'ends when it is told to, whatever it has left, and the back end: %s',
    async (behaviour) => {
      await backEnd.behave(behaviour);
      const child = start('and stay');
      child.stdout && (await once(child.stdout, 'data'));
      child.kill('SIGTERM');
      const [, signal] = await once(child, 'exit');

      expect(signal).toBe('SIGTERM');
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
