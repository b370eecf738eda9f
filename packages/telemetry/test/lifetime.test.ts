import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildLayer } from '../layer/build.ts';
import { spansOf } from './harness/back-end.ts';
import { type Invocation, type LambdaHarness, runtimeClients, startLambdaHarness } from './harness/lambda-harness.ts';

const present = runtimeClients.filter(({ skipped }) => !skipped);
const ok = { statusCode: 200, body: 'ok' };

/** How many spans of this invocation have been taken, each as often as it was. */
async function taken(harness: LambdaHarness, { traceId }: Invocation): Promise<number> {
  const answered = harness.otlp.deliveries.filter(({ status = 0 }) => status >= 200 && status < 300);
  return (await spansOf(answered)).filter((span) => span.traceId === traceId).length;
}

/** Spans that the function's metrics count as lost. */
const lost = (harness: LambdaHarness): number =>
  harness.json().reduce((sum, line) => sum + Number(line.TelemetryLost_spans ?? 0), 0);

const outcries = (harness: LambdaHarness): string[] =>
  harness.lines.map(({ message }) => message).filter((message) => /Unhandled|Uncaught|Runtime exited/.test(message));

describe.each(present)('an environment that is frozen, under $name', ({ runtime }) => {
  let harness: LambdaHarness;
  let process_: number;

  beforeEach(async () => {
    harness = await startLambdaHarness({ layer: true, runtime, environment: { OTEL_EXPORTER_OTLP_TIMEOUT: '2500' } });
    const first = await harness.invoke({ path: '/pid' });
    process_ = Number(first.response?.body);
    await harness.idle(first);
  });
  afterEach(async () => {
    process.kill(process_, 'SIGCONT');
    await harness.stop();
  });

  /** As Lambda does: it lets an environment go on because there is an invocation. */
  async function thaw(): Promise<Invocation> {
    const invoked = harness.invoke({ path: '/pid' });
    // Until it has been handed over to the process, which cannot look at it yet.
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.kill(process_, 'SIGCONT');
    const invocation = await invoked;
    await harness.idle(invocation);
    return invocation;
  }

  it.each(['close', 'reset'] as const)(
    'while the back end drops its pooled connection (%s) goes on, loses nothing and sends nothing twice',
    async (how) => {
      process.kill(process_, 'SIGSTOP');
      harness.otlp.dropConnections(how);
      const thawed = await thaw();

      expect(thawed).toMatchObject({ coldStart: false, response: { body: String(process_) } });
      expect(await taken(harness, thawed)).toBe(1);
      expect([lost(harness), outcries(harness)]).toEqual([0, []]);
    },
  );

  it('while the back end is replaced goes on, loses nothing and sends nothing twice', async () => {
    process.kill(process_, 'SIGSTOP');
    await harness.otlp.behave('refused');
    await harness.otlp.behave('works');
    const thawed = await thaw();

    expect(await taken(harness, thawed)).toBe(1);
    expect([lost(harness), outcries(harness)]).toEqual([0, []]);
  });

  it('with a request on its way takes the answer that comes late, and sends nothing twice', async () => {
    await harness.otlp.behave('answers when told');
    const before = await harness.invoke({ path: '/ok' });
    await harness.idle(before);
    process.kill(process_, 'SIGSTOP');
    harness.otlp.answer();
    await harness.otlp.behave('works');
    const thawed = await thaw();

    expect(await taken(harness, before)).toBe(6);
    harness.cool();
    await expect.poll(() => taken(harness, thawed)).toBe(1);
    expect([await taken(harness, before), lost(harness), outcries(harness)]).toEqual([6, 0, []]);
  });
});

describe.each(present)('under $name', ({ runtime }) => {
  it('a back end that never answers makes no function time out whose handler has answered', { retry: 2 }, async () => {
    const harness = await startLambdaHarness({ layer: true, runtime, timeoutSeconds: 1 });
    await harness.otlp.behave('never answers');
    const invocations: Invocation[] = [];
    for (const target of ['/pid', '/pid']) {
      invocations.push(await harness.invoke({ path: target }));
      await harness.idle(invocations.at(-1) as Invocation);
    }
    const [first, second] = invocations;

    expect(second).toMatchObject({ coldStart: false, response: first?.response });
    expect(harness.lines.filter(({ message }) => /timed out|Status: timeout/.test(message))).toEqual([]);
    await harness.stop();
  });

  it('a clock that is set while spans are open changes no answer, and no span takes an hour or ends before it begins', async () => {
    const harness = await startLambdaHarness({ layer: true, runtime });
    const invocations: Invocation[] = [];
    for (const by of ['3600000', '-3600000', '0']) {
      const invocation = await harness.invoke({ path: '/jump', query: { by } });
      await harness.idle(invocation);
      invocations.push(invocation);
    }
    await harness.idle(await harness.invoke({ path: '/ok' }));
    await harness.until(() => harness.subsegments.length === 12);

    expect(invocations.map(({ response }) => response)).toEqual([ok, ok, ok]);
    for (const invocation of invocations) expect(await taken(harness, invocation)).toBe(2);
    const seconds = [
      ...(await spansOf(harness.otlp.deliveries)).map(
        ({ startNanoseconds, endNanoseconds }) => Number(endNanoseconds - startNanoseconds) / 1e9,
      ),
      ...harness.subsegments.map(({ start_time, end_time = 0 }) => end_time - start_time),
    ];
    expect(Math.min(...seconds)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...seconds)).toBeLessThan(3_000);
    expect([lost(harness), outcries(harness)]).toEqual([0, []]);
    await harness.stop();
  });

  it('128 MB hold what a back end that is away leaves, and what is sent when it is there again', async () => {
    const harness = await startLambdaHarness({ layer: true, runtime, memoryMegabytes: 128, timeoutSeconds: 20 });
    await harness.otlp.behave('answers 503');
    const statuses = new Set<unknown>();
    let requests = 0;
    const request = async (): Promise<void> => {
      // Unsampled: for X-Ray these are too large, and that is another matter.
      const invocation = await harness.invoke({ path: '/large', sampled: false });
      await harness.idle(invocation);
      requests += 1;
      statuses.add(invocation.response?.statusCode).add(invocation.coldStart ? `cold ${requests}` : 'warm');
    };
    while (requests < 180) await request();
    await harness.otlp.behave('works');
    const spans = async (): Promise<number> =>
      (await spansOf(harness.otlp.deliveries.filter(({ status }) => status === 200))).length;
    let more = 0;
    for (; (await spans()) + lost(harness) < 2 * requests + more; more += 1) {
      await harness.idle(await harness.invoke({ path: '/slow', query: { for: '100' } }));
    }

    expect((await spans()) + lost(harness)).toBe(2 * requests + more);
    expect(await spans()).toBeGreaterThan(0);
    expect(lost(harness)).toBeGreaterThan(0);
    expect(statuses).toEqual(new Set([200, 'cold 1', 'warm']));
    await harness.stop();
  });

  it('a disk that takes nothing changes nothing: no file is written, /tmp may be full', async () => {
    const harness = await startLambdaHarness({
      layer: true,
      runtime,
      environment: {
        ROLLBAR_ACCESS_TOKEN: 'token',
        // Node refuses every write then, wherever it goes.
        NODE_OPTIONS: '--permission --allow-fs-read=* --allow-worker --allow-addons --disable-warning=SecurityWarning',
      },
    });
    expect((await harness.invoke({ path: '/to-disk' })).response?.body).toBe('ERR_ACCESS_DENIED');
    const invocation = await harness.invoke({ path: '/ok' });
    await harness.idle(invocation);
    const fault = await harness.invoke({ path: '/fault' });
    await harness.idle(fault);

    expect([invocation.response, fault.error?.message]).toEqual([ok, 'out of cheese']);
    expect([await taken(harness, invocation), await taken(harness, fault)]).toEqual([6, 2]);
    expect(harness.rollbar.deliveries).toHaveLength(1);
    expect(lost(harness)).toBe(0);
    expect(harness.lines.filter(({ message }) => /ERR_ACCESS_DENIED|permission/i.test(message))).toEqual([]);
    await harness.stop();
  });

  describe('an output that nobody reads', () => {
    let directory: string;

    beforeAll(async () => {
      directory = await mkdtemp(path.join(tmpdir(), 'deaf-'));
      await buildLayer(path.join(directory, 'real'));
      await mkdir(path.join(directory, 'deaf'));
      // Each write fails with EPIPE: the other end of the pipe has gone.
      const script = '#!/bin/sh\n"$(dirname "$0")/real/otel-handler" "$@" 2>&1 | :\n';
      await writeFile(path.join(directory, 'otel-handler'), script, { mode: 0o755 });
    });
    afterAll(() => rm(directory, { recursive: true }));

    it.each(['works', 'answers 400', 'refused'] as const)(
      'changes no answer and ends no process, when the back end: %s',
      async (behaviour) => {
        const harness = await startLambdaHarness({
          layer: directory,
          runtime,
          // The layer speaks of this one before the runtime has begun.
          environment: { ROLLBAR_ACCESS_TOKEN: 'token', OTEL_PROPAGATORS: 'b3' },
        });
        await harness.otlp.behave(behaviour);
        const invocations: Invocation[] = [];
        for (const target of ['/ok', '/fault', '/ok']) {
          invocations.push(await harness.invoke({ path: target }));
          await harness.idle(invocations.at(-1) as Invocation);
        }

        expect(invocations.map(({ coldStart }) => coldStart)).toEqual([true, false, false]);
        expect(invocations.map(({ response, error }) => response ?? error?.message)).toEqual([ok, 'out of cheese', ok]);
        expect(harness.rollbar.deliveries).toHaveLength(1);
        await harness.stop();
      },
    );
  });

  it('a module that throws while it is loaded fails as it does without the layer, whatever the back ends do', async () => {
    const handler = path.join(import.meta.dirname, 'fixture/crash.ts');
    const environment = { ROLLBAR_ACCESS_TOKEN: 'token' };
    const stages = await Promise.all([
      startLambdaHarness({ handler, runtime }),
      startLambdaHarness({ handler, runtime, environment }),
      startLambdaHarness({ handler, runtime, environment, layer: true }),
    ]);
    const errors: Invocation['error'][] = [];
    for (const harness of stages) {
      await Promise.all([harness.otlp.behave('never answers'), harness.rollbar.behave('refused')]);
      errors.push((await harness.invoke({ path: '/ok' })).error);
    }

    expect(errors[0]).toMatchObject({ kind: 'init', message: 'out of cheese before it began' });
    expect(errors[1]).toEqual(errors[0]);
    expect(errors[2]).toEqual(errors[0]);
    await Promise.all(stages.map((harness) => harness.stop()));
  });
});
