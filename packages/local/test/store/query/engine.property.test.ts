import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPercentile, isRate, knownCalculations, knownFilters, knownHavings } from '../../../src/query/operators.ts';
import { readSavedQuery } from '../../../src/query/validate.ts';
import { memoryStore, noon, span } from './fixture.ts';
import { type PlainEvent, referenceRows } from './reference.ts';

const hostile = ['it\'s; "DROP', 'a/b~c', '', '$.x', 'NAME', 'g0', 'v0', 'w', 'c0', 'b', '__proto__x', 'é🎉'].map(
  (key) => key || 'unnamed',
);
const texts = fc.constantFrom('', 'a', 'ab', 'abc', "'", '"', '%', '_', '\\', 'é', 'A', '1', 'null', 'x\ny');
const numbers = fc.constantFrom(-100.5, -1, 0, 0.001, 1, 2, 3, 10, 99.5, 1e6, 123456789);
const weights = fc.constantFrom(1, 1, 1, 2, 7, 100);

const plainEvents = fc.record({ uniform: fc.boolean(), odd: fc.constantFrom(...hostile) }).chain(({ uniform, odd }) =>
  fc.record({
    odd: fc.constant(odd),
    events: fc.array(
      fc.record({
        time: fc.integer({ min: noon - 60_000, max: noon }),
        durationMilliseconds: fc.constantFrom(0.5, 1, 20, 300.25),
        weight: uniform ? fc.constant(1) : weights,
        fields: fc.record(
          { text: texts, number: numbers, whole: fc.integer({ min: -5, max: 5 }), yes: fc.boolean(), [odd]: texts },
          { requiredKeys: [] },
        ) as fc.Arbitrary<PlainEvent['fields']>,
      }),
      { maxLength: 40 },
    ),
  }),
);

const ofNumbers = knownCalculations.filter(
  (op) => !['COUNT', 'CONCURRENCY', 'COUNT_DISTINCT', 'HEATMAP'].includes(op) && !isRate(op),
);

function queries(odd: string) {
  const numeric = fc.constantFrom('number', 'whole', 'duration_ms');
  const any = fc.constantFrom('text', 'number', 'whole', 'yes', odd);
  const calculations = fc.uniqueArray(
    fc.oneof(
      fc.constant({ op: 'COUNT' }),
      fc.record({ op: fc.constantFrom('COUNT', 'COUNT_DISTINCT'), column: any }),
      fc.record({ op: fc.constantFrom(...ofNumbers), column: numeric }),
    ),
    { minLength: 1, maxLength: 4, selector: (calculation) => JSON.stringify(Object.entries(calculation).sort()) },
  );
  const filter = fc.oneof(
    fc.record({ column: any, op: fc.constantFrom('exists', 'does-not-exist') }),
    fc.record({
      column: fc.constantFrom('text', odd),
      op: fc.constantFrom(...knownFilters.slice(0, 10), 'contains', 'does-not-contain'),
      value: texts,
    }),
    fc.record({ column: numeric, op: fc.constantFrom('=', '!=', '>', '>=', '<', '<='), value: numbers }),
    fc.record({ column: fc.constant('yes'), op: fc.constantFrom('=', '!='), value: fc.boolean() }),
    fc.record({
      column: fc.constantFrom('text', odd),
      op: fc.constantFrom('in', 'not-in'),
      value: fc.array(texts, { minLength: 1, maxLength: 3 }),
    }),
    fc.record({
      column: numeric,
      op: fc.constantFrom('in', 'not-in'),
      value: fc.array(numbers, { minLength: 1, maxLength: 3 }),
    }),
  );
  return calculations.chain((chosen) =>
    fc.record({
      calculations: fc.constant(chosen),
      breakdowns: fc.uniqueArray(any, { maxLength: 2 }),
      filters: fc.array(filter, { maxLength: 3 }),
      filter_combination: fc.constantFrom('AND', 'OR'),
      havings: fc
        .array(
          fc.record({
            of: fc.constantFrom(...chosen),
            op: fc.constantFrom(...knownHavings),
            value: fc.constantFrom(0, 1, 2, 10),
          }),
          { maxLength: 1 },
        )
        .map((havings) =>
          havings.map(({ of: { op, ...column }, ...rest }) => ({ calculate_op: op, ...column, ...rest })),
        ),
    }),
  );
}

function near(one: unknown, other: unknown, tolerance: number): boolean {
  if (typeof one !== 'number' || typeof other !== 'number') return one === other;
  return Math.abs(one - other) <= tolerance * Math.max(Math.abs(one), Math.abs(other)) + 1e-9;
}

describe('a query in the specification', () => {
  it('gives what a plain calculation over every event gives', async () => {
    await fc.assert(
      fc.asyncProperty(
        plainEvents.chain(({ odd, events }) => fc.record({ events: fc.constant(events), query: queries(odd) })),
        async ({ events, query }) => {
          const store = await memoryStore();
          try {
            for (const { time, durationMilliseconds, weight, fields } of events) {
              store.span(
                span({ at: time, milliseconds: durationMilliseconds, sampleRate: weight, attributes: fields }),
              );
            }
            const saved = readSavedQuery(JSON.stringify(query));
            const withDuration = events.map((event) => ({
              ...event,
              fields: { ...event.fields, duration_ms: event.durationMilliseconds },
            }));
            // A filter on a percentile that is allowed to be 1 % off may go the other way at its
            // very value.
            const exact = !query.havings.some(({ calculate_op }) => isPercentile(calculate_op as 'P50'));
            fc.pre(exact || events.every(({ weight }) => weight === events[0]?.weight));
            const { rows } = await store.ask(saved, { now: noon + 1 });
            const expected = referenceRows(withDuration, saved.specification);
            const width = saved.specification.breakdowns.length;
            const keyed = (list: unknown[][]) =>
              new Map(list.map((row) => [JSON.stringify(row.slice(0, width)), row.slice(width)]));
            const [found, wanted] = [keyed(rows), keyed(expected)];
            expect([...found.keys()].sort()).toEqual([...wanted.keys()].sort());
            for (const [key, values] of wanted) {
              for (const [at, { op }] of saved.specification.calculations.entries()) {
                const got = found.get(key)?.[at];
                const tolerance = isPercentile(op) ? 0.01 : 1e-9;
                if (!near(got, values[at], tolerance)) expect(`${op} ${got}`).toBe(`${op} ${values[at]}`);
              }
            }
          } finally {
            await store.close();
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});
