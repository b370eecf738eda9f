import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ColumnType, typeOf, widened } from '../../src/store/attribute-columns.ts';
import { openStore } from '../../src/store/index.ts';
import type { AttributeValue } from '../../src/trace/records.ts';

const trace = '5f84c7a1e7d1852db8c4fd35d88bf49a';

describe('the columns of attributes', () => {
  const types = fc.constantFrom<ColumnType>('BOOLEAN', 'BIGINT', 'DOUBLE', 'VARCHAR');

  it('are widened to the same type in whatever order values come', () => {
    fc.assert(
      fc.property(types, types, types, (one, two, three) => {
        expect(widened(one, two)).toBe(widened(two, one));
        expect(widened(widened(one, two), three)).toBe(widened(one, widened(two, three)));
        expect(widened(one, one)).toBe(one);
      }),
    );
  });

  it('are of the narrowest type that holds a value exactly', () => {
    const cases: [AttributeValue, ColumnType | undefined][] = [
      [true, 'BOOLEAN'],
      [1, 'BIGINT'],
      [1.5, 'DOUBLE'],
      [Number.NaN, 'DOUBLE'],
      [2 ** 60, 'DOUBLE'],
      [2n ** 63n - 1n, 'BIGINT'],
      [2n ** 63n, 'VARCHAR'],
      ['1', 'VARCHAR'],
      [[1], 'VARCHAR'],
      [null, undefined],
    ];
    for (const [value, type] of cases) expect([value, typeOf(value)]).toEqual([value, type]);
  });

  it('take spans of any attributes, in any batches, and lose none', async () => {
    const key = fc.oneof(
      fc.constantFrom(
        'a',
        'A',
        'a~2',
        'name',
        'rowid',
        '',
        '\0',
        'K',
        'ß',
        '\ud800',
        '\udbff',
        '__proto__',
        '"',
        "'",
        ';--',
      ),
      fc.string({ unit: 'binary', maxLength: 4 }),
    );
    const scalar = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.double(),
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
      fc.constant(null),
    );
    const value = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.dictionary(key, scalar, { maxKeys: 2 }));
    const attributes = fc.array(fc.tuple(key, value), { maxLength: 6 }).map((entries) => Object.fromEntries(entries));
    const store = await openStore({ file: ':memory:' });
    let spans = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(attributes, { minLength: 1, maxLength: 5 }), async (batch) => {
        for (const each of batch) {
          store.span({
            source: 'otlp',
            traceId: trace,
            spanId: (++spans).toString(16).padStart(16, '0'),
            name: 'n',
            kind: 'internal',
            startNanoseconds: 1n,
            endNanoseconds: 2n,
            status: 'unset',
            serviceName: 's',
            attributes: each as Record<string, AttributeValue>,
            resource: {},
            events: [],
            links: [],
            sampleRate: 1,
          });
        }
        await store.flush();
        expect(store.rejections()).toEqual([]);
      }),
      { numRuns: 100 },
    );
    expect(await store.query('SELECT count(*) AS n FROM spans')).toEqual([{ n: BigInt(spans) }]);
    expect((await store.trace(trace))?.roots).toHaveLength(spans);
    const keys = store.attributeColumns().map(({ key: each }) => each);
    expect(new Set(keys).size).toBe(keys.length);
    await store.close();
  });
});
