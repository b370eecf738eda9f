import type { SpanRecord } from 'serverless-throughline/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchDeadline } from '../../src/lifecycle/deadline.ts';
import { disagreements } from '../harness/agreement.ts';
import { spansOf } from '../harness/back-end.ts';
import {
  awsRuntimeClient,
  type Invocation,
  type LambdaHarness,
  startLambdaHarness,
} from '../harness/lambda-harness.ts';

/**
 * A process's reaction to SIGTERM when none of its code may run any more: as if SIGKILL had come
 * instead.
 */
const dieAtOnce = "process.on('SIGTERM', () => process.kill(process.pid, 'SIGKILL'))";

const preload = (code: string): string => `--import "data:text/javascript,${encodeURIComponent(code)}"`;

/** Of a Lambda that says when an environment ends, and of an emulator that does not. */
const platforms = [
  { platform: 'Lambda', runtime: 'local', isAnnounced: true, options: '' },
  { platform: 'Lambda and its own runtime client', runtime: 'aws', isAnnounced: true, options: '' },
  {
    platform: 'an emulator that ends an environment without a word',
    runtime: 'local',
    isAnnounced: false,
    options: preload(`delete process.env.AWS_LAMBDA_INITIALIZATION_TYPE; ${dieAtOnce}`),
  },
] as const;

describe.each(platforms)('on $platform, a handler with two seconds', ({ runtime, isAnnounced, options }) => {
  const test = it.skipIf(runtime === 'aws' && !awsRuntimeClient);
  let harness: LambdaHarness;

  beforeAll(async () => {
    harness = await startLambdaHarness({
      layer: true,
      runtime,
      timeoutSeconds: 2,
      environment: { ROLLBAR_ACCESS_TOKEN: 'token', NODE_OPTIONS: options },
    });
  });
  afterAll(() => harness.stop());

  const spansOfTrace = async ({ traceId }: Invocation): Promise<SpanRecord[]> =>
    (await spansOf(harness.otlp.deliveries.filter(({ body }) => body.length > 0))).filter(
      (span) => span.traceId === traceId,
    );

  // Without an announcement the last 15 ms are a real deadline: a machine that lets the process
  // wait for longer kills it first.
  test('that does not finish has its open spans sent, ended and marked, in both, and one report', {
    retry: isAnnounced ? 0 : 4,
    timeout: 20_000,
  }, async () => {
    const invocation = await harness.invoke({ path: '/hang' });
    expect(invocation.error).toMatchObject({ kind: 'timeout' });

    await harness.otlp.received(1);
    const spans = await spansOfTrace(invocation);
    expect(spans.map(({ name, status, attributes }) => [name, status, attributes.timed_out])).toEqual([
      ['hanging', 'error', true],
      ['## handlers/probe.handler', 'error', true],
    ]);
    const ofTrace = () => harness.subsegments.filter(({ trace_id }) => trace_id === invocation.root);
    await harness.until(() => ofTrace().length >= 2);
    expect(ofTrace().map(({ name, fault, annotations }) => [name, fault, annotations?.timed_out])).toEqual([
      ['hanging', true, true],
      ['## handlers/probe.handler', true, true],
    ]);
    expect(disagreements({ xray: ofTrace(), otel: spans })).toEqual([]);
    expect(spans.find(({ name }) => name.startsWith('##'))?.attributes).toMatchObject({
      route: '/hang',
      method: 'GET',
      status: 504,
      error_code: 'FunctionTimeout',
      'error.category': 'fault',
    });

    const [item] = (await harness.rollbar.received(1)).slice(-1);
    expect(JSON.parse(String(item?.body))).toMatchObject({
      data: {
        context: 'GET /hang',
        custom: { trace_id: invocation.traceId },
        body: { trace_chain: [{ exception: { class: 'FunctionTimeout' } }] },
      },
    });
    await harness.until(() => harness.json(invocation).some((line) => '_aws' in line));
    expect(harness.json(invocation).find((line) => 'event' in line)).toMatchObject({
      level: 'ERROR',
      event: { status: 504, timed_out: true },
    });
  });

  // What a machine makes of the last milliseconds is for it to say: a function that has timed out
  // has no answer, and this says nothing of it.
  test.each(isAnnounced ? [1_700, 1_950, 1_985, 1_995, 1_998] : [1_700, 1_950])(
    'that finishes after %i ms causes no alarm',
    { retry: isAnnounced ? 0 : 4, timeout: 20_000 },
    async (milliseconds) => {
      const items = harness.rollbar.deliveries.length;
      const invocation = await harness.invoke({ path: '/slow', query: { for: String(milliseconds) } });
      await harness.idle(invocation);
      if (invocation.error) {
        expect(invocation.error.kind).toBe('timeout');
        return;
      }
      // If this one has no time left to send, the next one in the same environment sends it too.
      while ((await spansOfTrace(invocation)).length === 0) await harness.idle(await harness.invoke({ path: '/ok' }));

      expect(invocation.response?.statusCode).toBe(200);
      expect(harness.json(invocation).filter((line) => line.level !== 'INFO' && !('_aws' in line))).toEqual([]);
      expect(harness.json(invocation).find((line) => '_aws' in line)).toMatchObject({ Faults: 0 });
      expect(harness.rollbar.deliveries).toHaveLength(items);
      if (milliseconds > 1_950) return;
      expect((await spansOfTrace(invocation)).map(({ status, attributes }) => [status, attributes.timed_out])).toEqual([
        ['unset', undefined],
      ]);
    },
  );
});

describe('a Lambda that announces no end although it could', () => {
  it('has the open spans, ended and marked, before it kills the handler', { retry: 4, timeout: 20_000 }, async () => {
    const harness = await startLambdaHarness({
      layer: true,
      timeoutSeconds: 1,
      environment: { NODE_OPTIONS: preload(dieAtOnce) },
    });
    const { error } = await harness.invoke({ path: '/hang' });
    const spans = await spansOf(await harness.otlp.received(1));
    await harness.until(() => harness.subsegments.length >= 2);
    const xray = harness.subsegments.map(({ name, annotations }) => [name, annotations?.timed_out]);
    await harness.stop();

    const marked = [
      ['hanging', true],
      ['## handlers/probe.handler', true],
    ];
    expect(error).toMatchObject({ kind: 'timeout' });
    expect(spans.map(({ name, attributes }) => [name, attributes.timed_out])).toEqual(marked);
    expect(xray).toEqual(marked);
  });
});

describe('a handler whose time is up while every back end is away', () => {
  it.each(['refused', 'never answers'] as const)(
    'and %s loses its spans and its report, and counts them',
    { timeout: 20_000 },
    async (behaviour) => {
      const harness = await startLambdaHarness({
        layer: true,
        timeoutSeconds: 1,
        environment: { ROLLBAR_ACCESS_TOKEN: 'token' },
      });
      await Promise.all([harness.otlp.behave(behaviour), harness.rollbar.behave(behaviour)]);
      const invocation = await harness.invoke({ path: '/hang' });
      await harness.idle(invocation);
      const lost = harness.json().filter((line) => 'TelemetryLost_spans' in line);
      await harness.stop();

      expect(invocation.error).toMatchObject({ kind: 'timeout' });
      expect(lost).toEqual([expect.objectContaining({ TelemetryLost_spans: 2, TelemetryLost_items: 1 })]);
    },
  );
});

describe('a handler with the shortest time that Lambda gives, where nobody announces the end', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const alarmsOf = (finishedAfter: number): number => {
    let alarms = 0;
    const watch = watchDeadline(1_000, {
      prepare: () => {},
      endSpans: () => {},
      tell: () => {
        alarms += 1;
      },
    });
    vi.advanceTimersByTime(finishedAfter);
    watch.finish();
    vi.advanceTimersByTime(1_000);
    return alarms;
  };

  it('causes no alarm at 98 % of it, and one when it does not finish', () => {
    expect([alarmsOf(980), alarmsOf(1_000)]).toEqual([0, 1]);
  });
});
