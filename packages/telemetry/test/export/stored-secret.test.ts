import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Invocation, type LambdaHarness, startLambdaHarness } from '../harness/lambda-harness.ts';
import { type ParameterStore, startParameterStore } from '../harness/parameter-store.ts';

const honeycomb = '/api/prod/honeycomb-key';
const rollbar = '/api/prod/rollbar-token';

describe("the back ends' keys in the parameter store", () => {
  let store: ParameterStore;
  let harness: LambdaHarness;

  beforeEach(async () => {
    store = await startParameterStore();
    store.values.set(honeycomb, 'the first key').set(rollbar, 'the first token');
  });
  afterEach(async () => {
    await harness.stop();
    await store.stop();
  });

  async function start(environment: Record<string, string> = {}): Promise<void> {
    const parameters = {
      HONEYCOMB_KEY_PARAMETER: honeycomb,
      OTEL_EXPORTER_OTLP_HEADERS: 'x-honeycomb-team=',
      ROLLBAR_TOKEN_PARAMETER: rollbar,
    };
    harness = await startLambdaHarness({
      layer: true,
      environment: { ...store.environment, ...parameters, ...environment },
    });
  }

  /** A fault, and all that the environment does after its answer. */
  async function fail(): Promise<Invocation> {
    const invocation = await harness.invoke({ path: '/fault' });
    await harness.idle(invocation);
    return invocation;
  }

  const keys = (): unknown[] => harness.otlp.deliveries.map(({ headers }) => headers['x-honeycomb-team']);
  const tokens = (): unknown[] => harness.rollbar.deliveries.map(({ headers }) => headers['x-rollbar-access-token']);
  const warnings = (): string[] =>
    harness.json().flatMap(({ level, message }) => (level === 'WARN' ? [String(message)] : []));

  it('are read after the first response, once for many batches', async () => {
    await start();
    const first = await fail();
    await fail();

    expect(store.asked.map(({ name }) => name).sort()).toEqual([honeycomb, rollbar]);
    for (const { time } of store.asked) expect(time).toBeGreaterThan(first.answered);
    expect(keys()).toEqual(['the first key', 'the first key']);
    expect(tokens()).toEqual(['the first token', 'the first token']);
    expect(warnings()).toEqual([]);
  });

  it('are read again when a back end refuses them, and nothing is lost when they were rotated', async () => {
    await start();
    await fail();
    store.values.set(honeycomb, 'the second key').set(rollbar, 'the second token');
    await harness.otlp.behave('answers 401');
    await harness.rollbar.behave('answers 403');
    const received = harness.otlp.received(2).then(() => harness.otlp.behave('works'));
    const reported = harness.rollbar.received(2).then(() => harness.rollbar.behave('works'));
    const failing = fail();
    await Promise.all([received, reported, failing]);

    expect(keys().slice(1)).toEqual(['the first key', 'the second key']);
    expect(tokens().slice(1)).toEqual(['the first token', 'the second token']);
  });

  it('that do not exist leave each tool off, with one warning and no loss counted', async () => {
    store.values.clear();
    await start();
    await fail();
    await fail();

    expect(harness.otlp.deliveries).toEqual([]);
    expect(harness.rollbar.deliveries).toEqual([]);
    expect(warnings().sort()).toEqual([
      `Honeycomb is off: its key, the SSM parameter ${honeycomb}, does not exist.`,
      `Rollbar is off: its key, the SSM parameter ${rollbar}, does not exist.`,
    ]);
    expect(harness.json().filter((line) => 'TelemetryLost_spans' in line)).toEqual([]);
    expect(store.asked).toHaveLength(2);
  });

  it('are waited for by what is queued, when the store does not answer', async () => {
    store.isSilent = true;
    await start();
    const waiting = await fail();
    store.isSilent = false;
    const sent = (): string => harness.otlp.deliveries.map(({ body }) => body.toString('latin1')).join();
    const reported = (): string => harness.rollbar.deliveries.map(({ body }) => body.toString('utf8')).join();
    const id = Buffer.from(waiting.traceId, 'hex').toString('latin1');
    while (!sent().includes(id) || !reported().includes(waiting.traceId))
      // Several at a time: any of the environments may be the one that waits.
      await Promise.all([fail(), fail()]);

    expect(waiting.error?.message).toBe('out of cheese');
    expect(harness.json().filter((line) => 'TelemetryLost_spans' in line)).toEqual([]);
  });

  it('are the variables where those are set, and no store is asked', async () => {
    await start({ ROLLBAR_ACCESS_TOKEN: 'my own', OTEL_EXPORTER_OTLP_HEADERS: 'x-honeycomb-team=my own key' });
    await fail();

    expect(store.asked).toEqual([]);
    expect([keys(), tokens()]).toEqual([['my own key'], ['my own']]);
  });

  it('are in no line, trace or item', async () => {
    await start();
    await fail();
    const output = [
      ...harness.lines.map(({ message }) => message),
      ...harness.subsegments.map((segment) => JSON.stringify(segment)),
      ...[...harness.otlp.deliveries, ...harness.rollbar.deliveries].map(({ body }) => body.toString('latin1')),
    ].join('\n');

    expect(output).not.toMatch(/the first (key|token)/);
  });
});
