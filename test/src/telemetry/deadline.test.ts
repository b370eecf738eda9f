import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SpanRecord } from '../../../local/store/records.ts';
import { watchDeadline } from '../../../src/telemetry/deadline.ts';
import type { RequestState } from '../../../src/telemetry/request.ts';
import { spansOf } from './back-end.ts';
import { type Stage, startStage } from './stage.ts';

describe('a handler with two seconds', () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await startStage({ layer: true, timeoutSeconds: 2, environment: { ROLLBAR_ACCESS_TOKEN: 'token' } });
  });
  afterAll(() => stage.stop());

  // The last 50 ms are a real deadline: a machine that lets the process wait for longer than that kills it first, as Lambda would.
  it('that does not finish has its open spans sent before it is killed, ended and marked, in both, and one report', {
    retry: 2,
    timeout: 20_000,
  }, async () => {
    const invocation = await stage.invoke({ path: '/hang' });
    expect(invocation.error).toMatchObject({ kind: 'timeout' });

    const spans = await spansOf(await stage.otlp.received(1));
    expect(spans.map(({ name, status, attributes }) => [name, status, attributes['timed_out']])).toEqual([
      ['## handlers/probe.handler', 'error', true],
      ['hanging', 'error', true],
    ]);
    await stage.until(() => stage.subsegments.length >= 2);
    expect(stage.subsegments.map(({ name, fault, annotations }) => [name, fault, annotations?.['timed_out']])).toEqual([
      ['hanging', true, true],
      ['## handlers/probe.handler', true, true],
    ]);
    const root = spans.find(({ name }) => name.startsWith('##'));
    const attributes = Object.fromEntries(
      Object.entries(root?.attributes ?? {}).map(([key, value]) => [key.replace(/[^A-Za-z0-9_]/g, '_'), value]),
    );
    expect(attributes).toMatchObject({ route: '/hang', method: 'GET', status: 504, error_code: 'FunctionTimeout' });
    expect(stage.subsegments.find(({ name }) => name.startsWith('##'))?.annotations).toMatchObject(
      Object.fromEntries(Object.entries(attributes).filter(([key]) => key !== 'SampleRate')),
    );
    expect(stage.subsegments.map(({ id }) => id).sort()).toEqual(spans.map(({ spanId }) => spanId).sort());

    const [item] = await stage.rollbar.received(1);
    expect(JSON.parse(String(item?.body))).toMatchObject({
      data: {
        context: 'GET /hang',
        custom: { trace_id: invocation.traceId },
        body: { trace_chain: [{ exception: { class: 'FunctionTimeout' } }] },
      },
    });
    await stage.until(() => stage.json(invocation).some((line) => '_aws' in line));
    expect(stage.json(invocation).find((line) => 'event' in line)).toMatchObject({
      level: 'ERROR',
      event: { status: 504, timed_out: true },
    });
  });

  it('that finishes shortly before its deadline causes no alarm: what was staged is taken back', async () => {
    const items = stage.rollbar.deliveries.length;
    const invocation = await stage.invoke({ path: '/slow', query: { for: '1700' } });
    const ofThisTrace = async (): Promise<SpanRecord[]> =>
      (await spansOf(stage.otlp.deliveries)).filter(({ traceId }) => traceId === invocation.traceId);
    // If this one has no time left to send, the next one in the same environment sends it too.
    while ((await ofThisTrace()).length === 0) await stage.idle(await stage.invoke({ path: '/ok' }));

    expect(invocation.response?.statusCode).toBe(200);
    expect((await ofThisTrace()).map(({ status, attributes }) => [status, attributes['timed_out']])).toEqual([
      ['unset', undefined],
    ]);
    expect(stage.rollbar.deliveries).toHaveLength(items);
  });
});

describe('a handler with the shortest time that Lambda gives', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const alarmsOf = (finishedAfter: number): number => {
    let alarms = 0;
    const watch = watchDeadline({ root: undefined } as RequestState, 1_000, {
      attributes: () => ({}),
      onTimeout: () => {
        alarms += 1;
      },
    });
    vi.advanceTimersByTime(finishedAfter);
    watch.finish();
    vi.advanceTimersByTime(1_000);
    return alarms;
  };

  it('causes no alarm at 97 % of it, and one when it does not finish', () => {
    expect([alarmsOf(970), alarmsOf(1_000)]).toEqual([0, 1]);
  });
});
