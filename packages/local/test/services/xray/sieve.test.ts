import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { matches } from '../../../src/services/xray/filter/evaluate.ts';
import type { Filter } from '../../../src/services/xray/filter/grammar.ts';
import { parseFilter } from '../../../src/services/xray/filter/parse.ts';
import { holdingOf } from '../../../src/services/xray/filter/sieve.ts';
import { openStore, type Store } from '../../../src/store/index.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { request } from './fixture.ts';

const texts = ['andrew', 'a "quoted" one', 'back\\slash', 'line\nbreak', 'grün', '😀', '%_', '', 'true', '7'];
const numbers = [7, -0.5, 70, 1e21, 0];
const keys = ['route', 'a.b', 'q"k', '[n]', 'grün'];

const hex = (number: number) => number.toString(16).padStart(16, '0');

/** One after the other, every text, number and key in turn. */
function documents(number: number) {
  const one = <T>(values: readonly T[], step: number) => values[(number * step) % values.length] as T;
  const [outer, ...others] = request(number, {
    ...(number % 5 === 0 && { fault: true }),
    ...(number % 7 === 0 && { innerFault: true }),
  });
  if (!outer) throw new Error('no document');
  const annotations = { [one(keys, 1)]: one([...texts, ...numbers, true], 1), size: one(numbers, 3) };
  const subsegment = {
    id: hex(1_000_000 + number),
    name: one(['DynamoDB', 'S3', 'example.com'], 1),
    namespace: one(['aws', 'remote'], 1),
    start_time: outer.start_time,
    // Longer than the segment around it.
    end_time: outer.start_time + (number % 4),
    aws: { table_name: one(['cruddur-dev', 'other'], 1), account_id: '123456789012' },
    annotations: { inner: one(texts, 1) },
  };
  return [{ ...outer, user: one(texts, 3), annotations, subsegments: [subsegment] }, ...others];
}

const text = fc.constantFrom(...texts, 'cruddur-dev', 'dev-cruddur/dev', 'DynamoDB', 'AWS::DynamoDB::Table', 'remote');
const value = fc.oneof(text, fc.constantFrom(...numbers, 200, 500));
const operatorOf = (one: string | number) =>
  typeof one === 'string'
    ? fc.constantFrom('=', '!=', 'CONTAINS', 'BEGINSWITH', 'ENDSWITH')
    : fc.constantFrom('=', '!=', '<', '<=', '>', '>=');
const compared = (keyword: fc.Arbitrary<unknown>, values: fc.Arbitrary<string | number>) =>
  values.chain((one) =>
    fc.record({ kind: fc.constant('compare'), keyword, operator: operatorOf(one), value: fc.constant(one) }),
  ) as fc.Arbitrary<Filter>;
const named = (kind: string, ...names: string[]) => fc.constantFrom(...names).map((name) => ({ kind, name }));
const annotation = fc.constantFrom(...keys, 'size', 'inner').map((key) => ({ kind: 'annotation', key }));

const leaf: fc.Arbitrary<Filter> = fc.oneof(
  compared(annotation, value),
  compared(named('string', 'user', 'http.url', 'http.method', 'resource.arn'), text),
  compared(named('number', 'http.status', 'duration', 'responsetime'), fc.constantFrom(0, 0.5, 1, 2, 200, 500)),
  fc.record({
    kind: fc.constant('compare'),
    keyword: named('boolean', 'ok', 'fault', 'error', 'throttle', 'partial'),
    operator: fc.constantFrom('=', '!='),
    value: fc.boolean(),
  }) as fc.Arbitrary<Filter>,
);
const service = fc.record({ name: text }, { requiredKeys: [] });
const filters = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.record({ kind: fc.constantFrom('and', 'or'), parts: fc.array(tie('filter'), { minLength: 2, maxLength: 3 }) }),
    fc.record({ kind: fc.constant('not'), part: tie('filter') }),
    fc.record({ kind: fc.constant('service'), service, where: leaf }),
    fc.record({ kind: fc.constant('service'), service: fc.record({ type: text }) }),
    fc.record({ kind: fc.constant('edge'), from: service, to: service, where: leaf }),
  ) as fc.Arbitrary<Filter>,
})).filter;

describe('what the store is asked to look for by a filter', () => {
  let store: Store;
  let all: Trace[];

  async function scanned(filter?: Filter): Promise<Trace[]> {
    const holding = filter && holdingOf(filter);
    const found: Trace[] = [];
    for await (const page of store.scan({ segmentsOnly: true, ...(holding && { holding }) })) found.push(...page);
    return found;
  }

  beforeAll(async () => {
    store = await openStore({ file: ':memory:' });
    for (let number = 0; number < 120; number += 1) for (const each of documents(number)) store.segment(each);
    all = await scanned();
  });
  afterAll(() => store.close());

  it('leaves out no trace that the filter asks for', async () => {
    expect(all).toHaveLength(120);
    await fc.assert(
      fc.asyncProperty(filters, async (filter) => {
        const ids = (traces: Trace[]) => traces.filter((trace) => matches(filter, trace)).map(({ id }) => id);
        expect(ids(await scanned(filter))).toEqual(ids(all));
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    'fault',
    'ok = false',
    '!(ok OR error)',
    'annotation.size > 100',
    'annotation[route] = "grün"',
    'user = "back\\\\slash"',
    'responsetime >= 3',
    'http.status >= 500',
    'service("dev-cruddur/dev") { fault }',
    'fault AND user CONTAINS "quoted" OR error',
  ])('leaves out most of the others: %s', async (expression) => {
    const filter = parseFilter(expression);
    const wanted = all.filter((trace) => matches(filter, trace)).length;
    const built = (await scanned(filter)).length;
    expect(built).toBeGreaterThanOrEqual(wanted);
    expect(built).toBeLessThan(all.length / 2);
  });
});
