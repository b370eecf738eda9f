import { Ajv } from 'ajv';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emfSchema } from '../harness/emf-schema.ts';
import { type Invocation, type LambdaHarness, startLambdaHarness } from '../harness/lambda-harness.ts';

interface Emf {
  _aws: { CloudWatchMetrics: { Dimensions: string[][]; Metrics: { Name: string; Unit: string }[] }[] };
  [member: string]: unknown;
}

describe('the metrics of a request', () => {
  let harness: LambdaHarness;
  const isValid = new Ajv({ strict: false }).compile(emfSchema);

  beforeAll(async () => {
    harness = await startLambdaHarness();
  });
  afterAll(() => harness.stop());

  async function recordsOf(invocation: Invocation): Promise<Emf[]> {
    const records = (): Emf[] => harness.json(invocation).filter((line): line is Emf => '_aws' in line);
    await harness.until(() => records().length > 0);
    return records();
  }

  it.each([
    ['/ok', { Requests: 1, Errors: 0, Faults: 0, ColdStarts: 1 }],
    ['/ok', { Requests: 1, Errors: 0, Faults: 0, ColdStarts: 0 }],
    ['/missing', { Requests: 1, Errors: 1, Faults: 0, ColdStarts: 0 }],
    ['/fault', { Requests: 1, Errors: 0, Faults: 1, ColdStarts: 0 }],
  ])('%s are one record, valid by the schema, with its ids: %o', async (path, values) => {
    const invocation = await harness.invoke({ path });
    const [record, ...more] = await recordsOf(invocation);

    expect(more).toEqual([]);
    expect(isValid(record) ? [] : isValid.errors).toEqual([]);
    expect(record).toMatchObject({
      ...values,
      route: path,
      trace_id: invocation.traceId,
      function_request_id: invocation.requestId,
    });
    expect(record?.Latency).toBeGreaterThan(0);
  });

  it('have the dimensions service and route alone, and a value at the root for each name', async () => {
    const [record] = await recordsOf(await harness.invoke({ path: '/ok' }));
    const [directive] = record?._aws.CloudWatchMetrics ?? [];

    expect(directive?.Dimensions).toEqual([['service', 'route']]);
    for (const { Name } of directive?.Metrics ?? []) expect(record?.[Name]).toEqual(expect.any(Number));
  });

  it('stay valid whatever is counted', async () => {
    const counted = fc.array(
      fc.tuple(
        fc.oneof(
          fc.string(),
          fc.constantFrom('route', 'service', '_aws', 'Requests', 'Fine', 'valueOf', 'constructor'),
        ),
        fc.oneof(fc.double(), fc.integer()),
      ),
      { maxLength: 120 },
    );
    await fc.assert(
      fc.asyncProperty(counted, async (counts) => {
        const body = JSON.stringify(counts.map(([name, value]) => [name, String(value)]));
        const [record] = await recordsOf(await harness.invoke({ path: '/count', method: 'POST', body }));

        expect(isValid(record) ? [] : isValid.errors).toEqual([]);
        expect(record).toMatchObject({ Requests: 1, route: '/count', service: 'stage' });
        expect(record?._aws.CloudWatchMetrics[0]?.Metrics.length).toBeLessThanOrEqual(100);
      }),
      { numRuns: 100 },
    );
  });

  it('counts nothing, and throws nothing, for a name that is not text', async () => {
    const body = JSON.stringify([
      [{ toString: null }, 1],
      [null, 1],
      [['Made'], 1],
      ['Thing', 2],
    ]);
    const [record] = await recordsOf(await harness.invoke({ path: '/count', method: 'POST', body }));

    expect(record).toMatchObject({ Requests: 1, Faults: 0, Thing: 2 });
    expect(record).not.toHaveProperty('Made');
  });
});
