import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emfSchema } from '../harness/emf-schema.ts';
import { type Invocation, type LambdaHarness, startLambdaHarness } from '../harness/lambda-harness.ts';

describe('the event of a request', () => {
  let harness: LambdaHarness;
  const isValid = new Ajv({ strict: false }).compile(emfSchema);

  beforeAll(async () => {
    harness = await startLambdaHarness({ layer: true, environment: { ROLLBAR_ACCESS_TOKEN: 'token' } });
  });
  afterAll(() => harness.stop());

  async function lineOf(invocation: Invocation, member: string): Promise<Record<string, unknown>> {
    const lines = (): Record<string, unknown>[] => harness.json(invocation).filter((line) => member in line);
    await harness.until(() => lines().length > 0);
    return lines()[0] as Record<string, unknown>;
  }

  it.each([
    ['200 fields', { many: '200' }, 80],
    ['40 fields of 8,000 characters', { many: '40', of: '8000' }, 4],
  ])('keeps its own members beside %s, and counts what is left out', async (_, query, taken) => {
    const invocation = await harness.invoke({ path: '/fields', query });
    const event = (await lineOf(invocation, 'event')).event as Record<string, unknown>;

    expect(event).toMatchObject({
      status: 200,
      duration_ms: expect.any(Number),
      trace_id: invocation.traceId,
      release: 'abc1234',
      fields_left_out: Number(query.many) - taken,
    });
    expect(Object.keys(event).filter((key) => key.startsWith('field_'))).toHaveLength(taken);
  });

  it.each(['prototype', 'symbol', 'object', 'throws', 'empty', 'control', 'long', 'null'])(
    'is written, with metrics and a report, whatever stands for its route, user and method: %s',
    async (what) => {
      const before = harness.rollbar.deliveries.length;
      const invocation = await harness.invoke({ path: '/fields', query: { what } });
      const [line, metrics] = await Promise.all([lineOf(invocation, 'event'), lineOf(invocation, '_aws')]);
      await harness.rollbar.received(before + 1);

      expect(line.event).toMatchObject({ status: 500, trace_id: invocation.traceId });
      expect(isValid(metrics) ? [] : isValid.errors).toEqual([]);
      expect(metrics._aws).toMatchObject({ CloudWatchMetrics: [{ Dimensions: [['service', 'route']] }] });
      expect(metrics.route).toMatch(/^[\x20-\x7e]{1,1024}$/);
    },
  );

  it('is written for a proxy event that somebody has made up', async () => {
    const before = harness.rollbar.deliveries.length;
    const odd = { toString: 1, valueOf: 1 };
    const invocation = await harness.invoke({
      path: '/known-fault',
      event: { resource: odd, requestContext: { domainName: odd, path: odd }, headers: { host: odd } },
    });
    await harness.rollbar.received(before + 1);

    expect((await lineOf(invocation, 'event')).event).toMatchObject({ status: 500 });
    expect(await lineOf(invocation, '_aws')).toMatchObject({ Faults: 1 });
  });
});
