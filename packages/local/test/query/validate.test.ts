import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { knownCalculations, knownFilters } from '../../src/query/operators.ts';
import { InvalidQuerySpecification, type QueryProblem } from '../../src/query/specification.ts';
import { readSavedQuery } from '../../src/query/validate.ts';

function problemsOf(text: string): QueryProblem[] {
  try {
    readSavedQuery(text);
    return [];
  } catch (error) {
    if (error instanceof InvalidQuerySpecification) return error.problems;
    throw error;
  }
}

/** @returns where and what, as `line:column pointer message`. */
const said = (query: unknown) =>
  problemsOf(JSON.stringify(query, null, 1)).map(
    ({ line, column, pointer, message }) => `${line}:${column} ${pointer} ${message}`,
  );

describe('reading a query specification', () => {
  it('fills in the defaults of Honeycomb', () => {
    expect(readSavedQuery('{}').specification).toEqual({
      calculations: [{ op: 'COUNT' }],
      filters: [],
      filterCombination: 'AND',
      breakdowns: [],
      orders: [],
      havings: [],
      limit: 1000,
    });
  });

  it("takes the examples of Honeycomb's documentation", () => {
    const examples = [
      {
        breakdowns: ['user_agent'],
        calculations: [
          { op: 'P99', column: 'duration_ms' },
          { op: 'P95', column: 'duration_ms' },
          { op: 'CONCURRENCY' },
          { op: 'HEATMAP', column: 'duration_ms' },
        ],
        filters: [
          { column: 'response_time', op: '>=', value: 10 },
          { column: 'trace.parent_id', op: 'exists' },
          { column: 'user_agent', op: 'in', value: ['a', 'b'] },
        ],
        filter_combination: 'AND',
        granularity: 120,
        orders: [
          { column: 'user_agent', order: 'ascending' },
          { op: 'P99', column: 'duration_ms', order: 'descending' },
        ],
        havings: [{ calculate_op: 'P99', column: 'duration_ms', op: '>', value: 100 }],
        limit: 100,
        time_range: 3600,
      },
      { calculations: [{ op: 'COUNT' }], start_time: 1_525_892_400, end_time: 1_525_896_000, granularity: 0 },
      { id: 'abc', time_range: 60, havings: [], calculated_fields: [], filters: null, limit: null },
    ];
    for (const example of examples) expect(said(example)).toEqual([]);
  });

  it('says where the text stops being JSON', () => {
    const [problem] = problemsOf('{\n  "limit": 1,\n  oops }');
    expect(problem).toMatchObject({ line: 3, column: 3, message: expect.stringContaining('not valid JSON') });
    expect(problemsOf('[]')[0]?.message).toBe('A query must be an object, not a list.');
    expect(problemsOf('{"limit":1,"limit":2}')[0]).toMatchObject({ line: 1, column: 12 });
    expect(problemsOf('{"end_time": 9007199254740993}')[0]?.message).toContain('2^53');
    expect(problemsOf('['.repeat(100_000))[0]?.message).toMatch(/nests deeper|not valid JSON/);
    expect(problemsOf('')[0]).toMatchObject({ line: 1, column: 1 });
  });

  it('names each problem with its place, all at once', () => {
    expect(
      said({
        calculations: [
          { op: 'P42', column: 'a' },
          { op: 'SUM' },
          { op: 'CONCURRENCY', column: 'x' },
          { op: 'COUNT' },
          { op: 'COUNT' },
        ],
        filters: [
          { column: 'a', op: '~', value: 1 },
          { column: 'a', op: 'exists', value: 1 },
          { column: 'a', op: 'in', value: 'b' },
          { op: '=', value: 1 },
        ],
        limit: 5000,
        colour: 'red',
      }),
    ).toEqual([
      expect.stringMatching(/^\d+:\d+ \/colour "colour" is not a key here: use calculations/),
      expect.stringMatching(/^4:10 \/calculations\/0\/op "P42" is not a known "op"/),
      expect.stringMatching(/\/calculations\/1 SUM needs a "column"/),
      expect.stringMatching(/\/calculations\/2\/column CONCURRENCY takes no column/),
      expect.stringMatching(/\/calculations\/4 COUNT is asked for twice/),
      expect.stringMatching(/\/filters\/0\/op "~" is not a known "op"/),
      expect.stringMatching(/\/filters\/1\/value exists takes no value/),
      expect.stringMatching(/\/filters\/2\/value in needs a "value" that is a list/),
      expect.stringMatching(/\/filters\/3 A filter needs a "column"/),
      expect.stringMatching(/\/limit "limit" must be a whole number from 1 to 1000, not 5000/),
    ]);
  });

  it('allows orders and havings over what is calculated alone', () => {
    const calculations = [{ op: 'COUNT' }, { op: 'HEATMAP', column: 'a' }];
    expect(
      said({
        calculations,
        breakdowns: ['b'],
        orders: [
          { column: 'c' },
          { op: 'SUM', column: 'a' },
          { op: 'HEATMAP', column: 'a' },
          {},
          { op: 'COUNT', order: 'up' },
        ],
        havings: [
          { calculate_op: 'HEATMAP', column: 'a', op: '>', value: 1 },
          { calculate_op: 'COUNT', op: '>', value: '1' },
          { calculate_op: 'MAX', column: 'a', op: '>', value: 1 },
        ],
      }).map((line) => line.replace(/^\d+:\d+ /, '')),
    ).toEqual([
      '/orders/0/column The order "c" is not among the breakdowns.',
      '/orders/1 The order SUM(a) is not among the calculations, which are COUNT, HEATMAP(a).',
      '/orders/2/op HEATMAP has no order: it is many numbers.',
      '/orders/3 An order needs an "op" of the calculations or a "column" of the breakdowns.',
      '/orders/4/order "order" must be ascending or descending, not "up".',
      expect.stringMatching(/^\/havings\/0\/calculate_op "HEATMAP" is not a known "calculate_op"/),
      '/havings/1/value A having needs a "value" that is a number, not "1".',
      '/havings/2 The having MAX(a) is not among the calculations, which are COUNT, HEATMAP(a).',
    ]);
  });

  it('holds granularity to a thousandth up to a tenth of the time that the query covers', () => {
    expect(said({ time_range: 600, granularity: 60 })).toEqual([]);
    expect(said({ time_range: 600, granularity: 61 })).toEqual([expect.stringContaining('1 to 60, not 61')]);
    expect(said({ time_range: 86_400, granularity: 60 })).toEqual([expect.stringContaining('87 to 8640, not 60')]);
    expect(said({ start_time: 10, end_time: 110, granularity: 11 })).toEqual([
      expect.stringContaining('1 to 10, not 11'),
    ]);
    expect(said({ start_time: 10, end_time: 110, time_range: 5 })).toEqual([
      expect.stringContaining('cannot be combined'),
    ]);
    expect(said({ start_time: 10, end_time: 10 })).toEqual([expect.stringContaining('must be after')]);
  });

  it('refuses what it does not do, by its name', () => {
    expect(
      said({
        calculated_fields: [{ name: 'x', expression: 'INT(1)' }],
        compare_time_offset_seconds: 3600,
        calculations: [{ op: 'COUNT', name: 'n', filters: [{ column: 'a', op: 'exists' }] }],
      }).map((line) => line.replace(/^\d+:\d+ /, '')),
    ).toEqual([
      '/calculated_fields "calculated_fields" is not supported: a calculated field has a language of its own.',
      '/compare_time_offset_seconds "compare_time_offset_seconds" is not supported: run the query twice, with another start_time.',
      '/calculations/0/name "name" is not supported: Honeycomb has it for its metrics alone.',
      '/calculations/0/filters "filters" is not supported: Honeycomb has it for its metrics alone.',
    ]);
  });

  it('answers any JSON with a query or with problems that have places', () => {
    const word = fc.constantFrom(
      'calculations',
      'filters',
      'orders',
      'havings',
      'breakdowns',
      'limit',
      'op',
      'column',
      'value',
      'order',
      'calculate_op',
      'name',
      'x/~',
    );
    const leaf = fc.oneof(
      fc.constantFrom(...knownCalculations, ...knownFilters, 'a', ''),
      fc.double(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(word, tie('tree'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(word, tree), (query) => {
        for (const { line, column, message } of problemsOf(JSON.stringify(query, null, 2))) {
          expect(line).toBeGreaterThan(0);
          expect(column).toBeGreaterThan(0);
          expect(message).toMatch(/[.]$/);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
