import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HeatmapBucket } from '../../../src/query/result.ts';
import type { Store } from '../../../src/store/index.ts';
import { ask, memoryStore, noon, rowsOf, span } from './fixture.ts';

describe('a query over a run', () => {
  let store: Store;

  beforeEach(async () => {
    store = await memoryStore();
  });

  afterEach(() => store.close());

  const refusal = (query: object) => ask(store, query).catch((error: Error) => error.message);

  it('reads what Honeycomb makes of an OTLP span', async () => {
    store.span(
      span({
        traceId: 'a'.repeat(32),
        spanId: 'b'.repeat(16),
        parentId: 'c'.repeat(16),
        name: 'GET /home',
        kind: 'server',
        status: 'error',
        statusMessage: 'no',
        milliseconds: 12.5,
        sampleRate: 4,
        resource: { 'cloud.region': 'eu-west-1' },
      }),
    );
    const breakdowns = [
      ...['trace.trace_id', 'trace.span_id', 'trace.parent_id', 'name', 'service.name', 'duration_ms', 'SampleRate'],
      ...['type', 'span.kind', 'status_code', 'status_message', 'error', 'meta.signal_type', 'cloud.region'],
      ...['span.num_events', 'span.num_links'],
    ];
    expect(await rowsOf(store, { breakdowns })).toEqual([
      {
        'trace.trace_id': 'a'.repeat(32),
        'trace.span_id': 'b'.repeat(16),
        'trace.parent_id': 'c'.repeat(16),
        name: 'GET /home',
        'service.name': 'shop',
        duration_ms: 12.5,
        SampleRate: 4,
        type: 'server',
        'span.kind': 'server',
        status_code: 2,
        status_message: 'no',
        error: true,
        'meta.signal_type': 'trace',
        'cloud.region': 'eu-west-1',
        'span.num_events': 0,
        'span.num_links': 0,
        COUNT: 4,
      },
    ]);
  });

  it('takes an attribute before what the span itself says, as Honeycomb does', async () => {
    store.span(span({ milliseconds: 10, attributes: { duration_ms: 7.5, name: 'mine' } }));
    store.span(span({ milliseconds: 30 }));
    expect(await rowsOf(store, { calculations: [{ op: 'SUM', column: 'duration_ms' }], breakdowns: ['name'] })).toEqual(
      [
        { name: 'span', 'SUM(duration_ms)': 30 },
        { name: 'mine', 'SUM(duration_ms)': 7.5 },
      ],
    );
  });

  it('counts events and links of spans, log records and events of Honeycomb as events', async () => {
    store.span(
      span({
        traceId: 'a'.repeat(32),
        name: 'work',
        status: 'error',
        sampleRate: 3,
        resource: { stage: 'dev' },
        events: [
          {
            timeNanoseconds: BigInt(noon) * 1_000_000n,
            name: 'exception',
            attributes: { 'exception.message': 'boo', 'a/b~"c': 1 },
          },
          {
            timeNanoseconds: BigInt(noon) * 1_000_000n,
            name: 'exception',
            attributes: { 'exception.message': 'later' },
          },
        ],
        links: [{ traceId: 'd'.repeat(32), spanId: 'e'.repeat(16), attributes: { why: 'batch' } }],
      }),
    );
    store.log({
      source: 'otlp',
      timeMilliseconds: noon,
      logGroup: 'g',
      logStream: '',
      message: 'hello',
      serviceName: 'shop',
      severityNumber: 9,
      level: 'INFO',
    });
    store.log({
      source: 'honeycomb',
      timeMilliseconds: noon,
      logGroup: 'd',
      logStream: '',
      message: 'm',
      attributes: { orders: 5, stage: 'dev' },
      serviceName: 'd',
      sampleRate: 10,
    });
    store.log({
      source: 'function',
      timeMilliseconds: noon,
      logGroup: 'g',
      logStream: 's',
      message: 'a line that Honeycomb never sees',
    });
    expect(
      await rowsOf(store, { breakdowns: ['meta.annotation_type'], orders: [{ op: 'COUNT', order: 'ascending' }] }),
    ).toEqual([
      { 'meta.annotation_type': 'link', COUNT: 3 },
      { 'meta.annotation_type': 'span_event', COUNT: 6 },
      { 'meta.annotation_type': null, COUNT: 14 },
    ]);
    const one = async (filters: object[], ...breakdowns: string[]) => rowsOf(store, { filters, breakdowns });
    expect(
      await one(
        [{ column: 'trace.link.trace_id', op: 'exists' }],
        'trace.link.trace_id',
        'parent_name',
        'why',
        'stage',
      ),
    ).toEqual([{ 'trace.link.trace_id': 'd'.repeat(32), parent_name: 'work', why: 'batch', stage: 'dev', COUNT: 3 }]);
    expect(await one([{ column: 'a/b~"c', op: '=', value: 1 }], 'exception.message', 'error')).toEqual([
      { 'exception.message': 'boo', error: true, COUNT: 3 },
    ]);
    expect(await one([{ column: 'body', op: '=', value: 'hello' }], 'severity', 'meta.signal_type')).toEqual([
      { severity: 'info', 'meta.signal_type': 'log', COUNT: 1 },
    ]);
    expect(await rowsOf(store, { calculations: [{ op: 'SUM', column: 'orders' }] })).toEqual([{ 'SUM(orders)': 50 }]);
    // Honeycomb copies a span's first exception to the span.
    const onSpan = [
      { column: 'exception.message', op: '=', value: 'boo' },
      { column: 'trace.span_id', op: 'exists' },
    ];
    expect(await one(onSpan, 'name')).toEqual([{ name: 'work', COUNT: 3 }]);
    store.span(span({ events: [{ timeNanoseconds: BigInt(noon) * 1_000_000n, name: 'retry', attributes: {} }] }));
    expect(await rowsOf(store, { filters: [{ column: 'name', op: '=', value: 'retry' }] })).toEqual([{ COUNT: 1 }]);
  });

  it('holds a negated filter for events without the column', async () => {
    store.span(span({ attributes: { color: 'red' } }));
    store.span(span());
    const count = async (op: string, value: unknown) =>
      (await rowsOf(store, { filters: [{ column: 'color', op, value }] }))[0]?.COUNT;
    expect(await count('!=', 'red')).toBe(1);
    expect(await count('not-in', ['red'])).toBe(1);
    expect(await count('does-not-contain', 'e')).toBe(1);
    expect(await count('!=', 'blue')).toBe(2);
  });

  it('weighs percentiles by the sample rate, within 1 %', async () => {
    for (let value = 1; value <= 200; value++) {
      store.span(span({ attributes: { size: value }, sampleRate: value <= 100 ? 9 : 1 }));
    }
    const [row] = await rowsOf(store, { calculations: ['P50', 'P90', 'P95'].map((op) => ({ op, column: 'size' })) });
    // 1,000 events stand for 100 values nine times and 100 values once.
    expect(row?.['P50(size)']).toBeCloseTo(56, -0.3);
    expect(Math.abs(Number(row?.['P90(size)']) - 100)).toBeLessThanOrEqual(1);
    expect(Math.abs(Number(row?.['P95(size)']) - 150)).toBeLessThanOrEqual(1.5);
  });

  it('counts 100,000 requests from a sample within 2 %', async () => {
    let seed = 7;
    // Mulberry32: the same sample in each run.
    const random = () => {
      seed = (seed + 0x6d2b79f5) | 0;
      let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
    const routes = ['/home', '/search', '/messages'];
    const exact: Record<string, number> = {};
    let failed = 0;
    for (let request = 0; request < 100_000; request++) {
      const route = routes[Math.floor(random() ** 2 * 3)] ?? '/home';
      const isFailed = random() < 0.01;
      exact[route] = (exact[route] ?? 0) + 1;
      if (isFailed) failed++;
      // Errors are always kept, of the rest one in eight.
      if (!isFailed && random() >= 1 / 8) continue;
      store.span(span({ attributes: { route, status: isFailed ? 500 : 200 }, sampleRate: isFailed ? 1 : 8 }));
    }
    await store.flush();
    const found = Object.fromEntries(
      (await rowsOf(store, { breakdowns: ['route'] })).map((row) => [row.route, Number(row.COUNT)]),
    );
    for (const route of routes) expect(Math.abs((found[route] ?? 0) / (exact[route] ?? 0) - 1)).toBeLessThan(0.02);
    expect(await rowsOf(store, { filters: [{ column: 'status', op: '>=', value: 500 }] })).toEqual([{ COUNT: failed }]);
  });

  it('spreads a heat map over 20 buckets that hold all the weight', async () => {
    for (const size of [0, 1, 99, 100]) store.span(span({ attributes: { size }, sampleRate: 2 }));
    const [row] = await rowsOf(store, { calculations: [{ op: 'HEATMAP', column: 'size' }] });
    const map = row?.['HEATMAP(size)'] as HeatmapBucket[];
    expect(map).toEqual([
      { from: 0, to: 5, count: 4 },
      { from: 95, to: 100, count: 4 },
    ]);
  });

  it('says how many spans run at a time, by the time that they cover', async () => {
    const start = noon / 1000;
    store.span(span({ at: noon, milliseconds: 10_000 }));
    store.span(span({ at: noon + 5_000, milliseconds: 10_000, sampleRate: 2 }));
    const query = { calculations: [{ op: 'CONCURRENCY' }], start_time: start, end_time: start + 100, granularity: 10 };
    const { rows, series } = await ask(store, query);
    expect(rows).toEqual([[0.3]]);
    expect(series.map(({ time, values }) => [time - noon, values[0]])).toEqual([
      [0, 2],
      [10_000, 1],
    ]);
  });

  it('gives rates as the change from one interval to the next', async () => {
    const start = noon / 1000;
    for (const [second, total] of [
      [0, 10],
      [10, 14],
      [11, 16],
      [20, 30],
    ] as const) {
      store.span(span({ at: noon + second * 1000, attributes: { total } }));
    }
    const query = {
      calculations: ['RATE_MAX', 'RATE_SUM', 'RATE_AVG'].map((op) => ({ op, column: 'total' })),
      start_time: start,
      end_time: start + 100,
      granularity: 10,
    };
    const { rows, series } = await ask(store, query);
    expect(series.map(({ values }) => values)).toEqual([
      [null, null, null],
      [6, 20, 5],
      [14, 0, 15],
    ]);
    expect(rows).toEqual([[10, 10, 10]]);
  });

  it('gives a series of each group of the table, in intervals of the granularity', async () => {
    const start = noon / 1000;
    for (let second = 0; second < 20; second++) {
      store.span(
        span({
          at: noon + second * 1000,
          milliseconds: second,
          attributes: { route: second % 2 ? '/a' : '/b' },
          sampleRate: second < 10 ? 1 : 3,
        }),
      );
    }
    const query = {
      calculations: [{ op: 'COUNT' }, { op: 'P50', column: 'duration_ms' }],
      breakdowns: ['route'],
      limit: 1,
      start_time: start,
      end_time: start + 100,
      granularity: 10,
    };
    const { rows, series, groups } = await ask(store, query);
    expect(groups).toBe(2);
    expect(rows.map(([route, count]) => [route, count])).toEqual([['/a', 20]]);
    expect(series.map(({ time, values }) => [time - noon, values[0], values[1]])).toEqual([
      [0, '/a', 5],
      [10_000, '/a', 15],
    ]);
    expect(Math.abs(Number(series[1]?.values[2]) - 15)).toBeLessThan(0.15);
  });

  it('covers a start without its end, and two hours up to the newest event unless told', async () => {
    const start = noon / 1000;
    for (const second of [-7200, -1, 0, 9, 10]) store.span(span({ at: noon + second * 1000 }));
    expect(await rowsOf(store, { start_time: start, end_time: start + 10 })).toEqual([{ COUNT: 2 }]);
    expect(await rowsOf(store, { end_time: start, time_range: 1 })).toEqual([{ COUNT: 1 }]);
    expect(await rowsOf(store, {})).toEqual([{ COUNT: 4 }]);
    const { rows, notes } = await ask(store, {}, { now: noon + 86_400_000 });
    expect(rows).toEqual([[0]]);
    expect(notes.map(({ message }) => message)).toEqual([
      expect.stringMatching(/No event is in the query's time range .*5 events/),
    ]);
  });

  it('names a column that no event has with its place and the names like it', async () => {
    store.span(span({ attributes: { error_code: 'X' } }));
    const { notes, rows } = await ask(store, { breakdowns: ['eror_code'] });
    expect(rows).toEqual([[null, 1]]);
    expect(notes).toEqual([
      expect.objectContaining({
        pointer: '/breakdowns/0',
        line: 1,
        column: 16,
        message: 'No event of this run has "eror_code". Nearest: "error_code".',
      }),
    ]);
    await expect(ask(store, { breakdowns: ['eror_code'] }, { strict: true })).rejects.toThrow('eror_code');
  });

  it('refuses to reckon with what is not a number, and says what it leaves out', async () => {
    store.span(span({ attributes: { word: 'a', flag: true, mixed: 1 } }));
    store.span(span({ attributes: { mixed: 'two' } }));
    expect(await refusal({ calculations: [{ op: 'AVG', column: 'word' }] })).toMatch(
      /^1:\d+ AVG needs numbers, and "word" holds texts/,
    );
    expect(await refusal({ calculations: [{ op: 'SUM', column: 'flag' }] })).toMatch(
      /SUM needs numbers, and "flag" holds booleans/,
    );
    expect(await refusal({ filters: [{ column: 'duration_ms', op: '>', value: 'slow' }] })).toMatch(
      /"duration_ms" holds numbers, and "slow" is not one/,
    );
    const { rows, notes } = await ask(store, { calculations: [{ op: 'SUM', column: 'mixed' }] });
    expect(rows).toEqual([[1]]);
    expect(notes[0]?.message).toBe('1 of 2 values of "mixed" are not numbers: SUM leaves them out.');
  });

  it('keeps whole numbers beyond 2^53 exact', async () => {
    store.span(span({ attributes: { big: 9_007_199_254_740_993n } }));
    store.span(span({ attributes: { big: 9_007_199_254_740_992n } }));
    expect(
      await rowsOf(store, { filters: [{ column: 'big', op: '=', value: '9007199254740993' }], breakdowns: ['big'] }),
    ).toEqual([{ big: 9_007_199_254_740_993n, COUNT: 1 }]);
  });

  it('leaves NaN and infinities out of calculations and comparisons', async () => {
    for (const size of [1, Number.NaN, Number.POSITIVE_INFINITY]) store.span(span({ attributes: { size } }));
    expect(
      await rowsOf(store, {
        calculations: [
          { op: 'MAX', column: 'size' },
          { op: 'AVG', column: 'size' },
        ],
      }),
    ).toEqual([{ 'MAX(size)': 1, 'AVG(size)': 1 }]);
    expect(await rowsOf(store, { filters: [{ column: 'size', op: '>', value: 5 }] })).toEqual([{ COUNT: 1 }]);
  });

  it('lists the columns that a query may name, with their types', async () => {
    expect(await store.fields()).toEqual([]);
    store.span(span({ attributes: { size: 1.5, 'a"b': 'x' } }));
    const fields = Object.fromEntries((await store.fields()).map(({ key, type }) => [key, type]));
    expect(fields).toMatchObject({
      size: 'float',
      'a"b': 'string',
      duration_ms: 'float',
      error: 'boolean',
      status_code: 'integer',
    });
  });

  it('answers many queries at once while spans are being written', async () => {
    const counts = await Promise.all(
      Array.from({ length: 20 }, async (_, at) => {
        store.span(span({ attributes: { [`key ${at}`]: at } }));
        return Number((await rowsOf(store, { breakdowns: ['service.name'] }))[0]?.COUNT ?? 0);
      }),
    );
    expect(counts.at(-1)).toBe(20);
    expect(store.rejections()).toEqual([]);
  });
});
