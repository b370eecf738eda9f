import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildLayer } from '../../../layer/build.ts';
import { spansOf } from './back-end.ts';
import { type Invocation, runtimeClients, type Stage, startStage } from './stage.ts';

const present = runtimeClients.filter(({ skipped }) => !skipped);
const ok = { statusCode: 200, body: 'ok' };

/** How many spans of this invocation have been taken, each as often as it was. */
async function taken(stage: Stage, { traceId }: Invocation): Promise<number> {
  const answered = stage.otlp.deliveries.filter(({ status = 0 }) => status >= 200 && status < 300);
  return (await spansOf(answered)).filter((span) => span.traceId === traceId).length;
}

/** Spans that the function's metrics count as lost. */
const lost = (stage: Stage): number =>
  stage.json().reduce((sum, line) => sum + Number(line['TelemetryLost_spans'] ?? 0), 0);

const outcries = (stage: Stage): string[] =>
  stage.lines.map(({ message }) => message).filter((message) => /Unhandled|Uncaught|Runtime exited/.test(message));

describe.each(present)('an environment that is frozen, under $name', ({ runtime }) => {
  let stage: Stage;
  let process_: number;

  beforeEach(async () => {
    stage = await startStage({ layer: true, runtime, environment: { OTEL_EXPORTER_OTLP_TIMEOUT: '2500' } });
    const first = await stage.invoke({ path: '/pid' });
    process_ = Number(first.response?.body);
    await stage.idle(first);
  });
  afterEach(async () => {
    process.kill(process_, 'SIGCONT');
    await stage.stop();
  });

  /** As Lambda does: it lets an environment go on because there is an invocation. */
  async function thaw(): Promise<Invocation> {
    const invoked = stage.invoke({ path: '/pid' });
    // Until it has been handed over to the process, which cannot look at it yet.
    await new Promise((resolve) => setTimeout(resolve, 50));
    process.kill(process_, 'SIGCONT');
    const invocation = await invoked;
    await stage.idle(invocation);
    return invocation;
  }

  it.each(['close', 'reset'] as const)(
    'while the back end drops its pooled connection (%s) goes on, loses nothing and sends nothing twice',
    async (how) => {
      process.kill(process_, 'SIGSTOP');
      stage.otlp.dropConnections(how);
      const thawed = await thaw();

      expect(thawed).toMatchObject({ coldStart: false, response: { body: String(process_) } });
      expect(await taken(stage, thawed)).toBe(1);
      expect([lost(stage), outcries(stage)]).toEqual([0, []]);
    },
  );

  it('while the back end is replaced goes on, loses nothing and sends nothing twice', async () => {
    process.kill(process_, 'SIGSTOP');
    await stage.otlp.behave('refused');
    await stage.otlp.behave('works');
    const thawed = await thaw();

    expect(await taken(stage, thawed)).toBe(1);
    expect([lost(stage), outcries(stage)]).toEqual([0, []]);
  });

  it('with a request on its way takes the answer that comes late, and sends nothing twice', async () => {
    await stage.otlp.behave('answers when told');
    const before = await stage.invoke({ path: '/ok' });
    await stage.idle(before);
    process.kill(process_, 'SIGSTOP');
    stage.otlp.answer();
    await stage.otlp.behave('works');
    const thawed = await thaw();

    expect(await taken(stage, before)).toBe(6);
    stage.cool();
    await expect.poll(() => taken(stage, thawed)).toBe(1);
    expect([await taken(stage, before), lost(stage), outcries(stage)]).toEqual([6, 0, []]);
  });
});

describe.each(present)('under $name', ({ runtime }) => {
  it('a back end that never answers makes no function time out whose handler has answered', { retry: 2 }, async () => {
    const stage = await startStage({ layer: true, runtime, timeoutSeconds: 1 });
    await stage.otlp.behave('never answers');
    const invocations: Invocation[] = [];
    for (const target of ['/pid', '/pid']) {
      invocations.push(await stage.invoke({ path: target }));
      await stage.idle(invocations.at(-1) as Invocation);
    }
    const [first, second] = invocations;

    expect(second).toMatchObject({ coldStart: false, response: first?.response });
    expect(stage.lines.filter(({ message }) => /timed out|Status: timeout/.test(message))).toEqual([]);
    await stage.stop();
  });

  it('a clock that is set while spans are open changes no answer, and no span takes an hour or ends before it begins', async () => {
    const stage = await startStage({ layer: true, runtime });
    const invocations: Invocation[] = [];
    for (const by of ['3600000', '-3600000', '0']) {
      const invocation = await stage.invoke({ path: '/jump', query: { by } });
      await stage.idle(invocation);
      invocations.push(invocation);
    }
    await stage.idle(await stage.invoke({ path: '/ok' }));
    await stage.until(() => stage.subsegments.length === 12);

    expect(invocations.map(({ response }) => response)).toEqual([ok, ok, ok]);
    for (const invocation of invocations) expect(await taken(stage, invocation)).toBe(2);
    const seconds = [
      ...(await spansOf(stage.otlp.deliveries)).map(
        ({ startNanoseconds, endNanoseconds }) => Number(endNanoseconds - startNanoseconds) / 1e9,
      ),
      ...stage.subsegments.map(({ start_time, end_time = 0 }) => end_time - start_time),
    ];
    expect(Math.min(...seconds)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...seconds)).toBeLessThan(3_000);
    expect([lost(stage), outcries(stage)]).toEqual([0, []]);
    await stage.stop();
  });

  it('128 MB hold what a back end that is away leaves, and what is sent when it is there again', async () => {
    const stage = await startStage({ layer: true, runtime, memoryMegabytes: 128, timeoutSeconds: 20 });
    await stage.otlp.behave('answers 503');
    const statuses = new Set<unknown>();
    let requests = 0;
    const request = async (): Promise<void> => {
      // Unsampled: for X-Ray these are too large, and that is another matter.
      const invocation = await stage.invoke({ path: '/large', sampled: false });
      await stage.idle(invocation);
      requests += 1;
      statuses.add(invocation.response?.statusCode).add(invocation.coldStart ? `cold ${requests}` : 'warm');
    };
    while (requests < 180) await request();
    await stage.otlp.behave('works');
    const spans = async (): Promise<number> =>
      (await spansOf(stage.otlp.deliveries.filter(({ status }) => status === 200))).length;
    let more = 0;
    for (; (await spans()) + lost(stage) < 2 * requests + more; more += 1) {
      await stage.idle(await stage.invoke({ path: '/slow', query: { for: '100' } }));
    }

    expect((await spans()) + lost(stage)).toBe(2 * requests + more);
    expect(await spans()).toBeGreaterThan(0);
    expect(lost(stage)).toBeGreaterThan(0);
    expect(statuses).toEqual(new Set([200, 'cold 1', 'warm']));
    await stage.stop();
  });

  it('a disk that takes nothing changes nothing: no file is written, /tmp may be full', async () => {
    const stage = await startStage({
      layer: true,
      runtime,
      environment: {
        ROLLBAR_ACCESS_TOKEN: 'token',
        // Node refuses every write then, wherever it goes.
        NODE_OPTIONS: '--permission --allow-fs-read=* --allow-worker --allow-addons --disable-warning=SecurityWarning',
      },
    });
    expect((await stage.invoke({ path: '/to-disk' })).response?.body).toBe('ERR_ACCESS_DENIED');
    const invocation = await stage.invoke({ path: '/ok' });
    await stage.idle(invocation);
    const fault = await stage.invoke({ path: '/fault' });
    await stage.idle(fault);

    expect([invocation.response, fault.error?.message]).toEqual([ok, 'out of cheese']);
    expect([await taken(stage, invocation), await taken(stage, fault)]).toEqual([6, 2]);
    expect(stage.rollbar.deliveries).toHaveLength(1);
    expect(lost(stage)).toBe(0);
    expect(stage.lines.filter(({ message }) => /ERR_ACCESS_DENIED|permission/i.test(message))).toEqual([]);
    await stage.stop();
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
        const stage = await startStage({
          layer: directory,
          runtime,
          // The layer speaks of this one before the runtime has begun.
          environment: { ROLLBAR_ACCESS_TOKEN: 'token', OTEL_PROPAGATORS: 'b3' },
        });
        await stage.otlp.behave(behaviour);
        const invocations: Invocation[] = [];
        for (const target of ['/ok', '/fault', '/ok']) {
          invocations.push(await stage.invoke({ path: target }));
          await stage.idle(invocations.at(-1) as Invocation);
        }

        expect(invocations.map(({ coldStart }) => coldStart)).toEqual([true, false, false]);
        expect(invocations.map(({ response, error }) => response ?? error?.message)).toEqual([ok, 'out of cheese', ok]);
        expect(stage.rollbar.deliveries).toHaveLength(1);
        await stage.stop();
      },
    );
  });

  it('a module that throws while it is loaded fails as it does without the layer, whatever the back ends do', async () => {
    const handler = path.join(import.meta.dirname, 'fixture/crash.ts');
    const environment = { ROLLBAR_ACCESS_TOKEN: 'token' };
    const stages = await Promise.all([
      startStage({ handler, runtime }),
      startStage({ handler, runtime, environment }),
      startStage({ handler, runtime, environment, layer: true }),
    ]);
    const errors: Invocation['error'][] = [];
    for (const stage of stages) {
      await Promise.all([stage.otlp.behave('never answers'), stage.rollbar.behave('refused')]);
      errors.push((await stage.invoke({ path: '/ok' })).error);
    }

    expect(errors[0]).toMatchObject({ kind: 'init', message: 'out of cheese before it began' });
    expect(errors[1]).toEqual(errors[0]);
    expect(errors[2]).toEqual(errors[0]);
    await Promise.all(stages.map((stage) => stage.stop()));
  });
});
