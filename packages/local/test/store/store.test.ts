import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../../src/store/index.ts';
import type { LogRecord, SegmentDocument, SpanRecord } from '../../src/trace/records.ts';

const hex = (number: number, digits: number) => number.toString(16).padStart(digits, '0');
const traceId = (number: number) => `5f84c7a1${hex(number, 24)}`;
const xrayId = (number: number) => `1-5f84c7a1-${hex(number, 24)}`;

function segment(trace: number, number: number, more: Partial<SegmentDocument> = {}): SegmentDocument {
  return {
    name: `segment ${number}`,
    id: hex(number, 16),
    trace_id: xrayId(trace),
    start_time: 1000 + trace,
    end_time: 1000.5 + trace,
    ...more,
  };
}

function span(trace: number, number: number, attributes: SpanRecord['attributes'] = {}): SpanRecord {
  return {
    source: 'otlp',
    traceId: traceId(trace),
    spanId: hex(number, 16),
    name: `span ${number}`,
    kind: 'server',
    startNanoseconds: 1_700_000_000_000_000_001n,
    endNanoseconds: 1_700_000_000_002_000_001n,
    status: 'unset',
    serviceName: 'cruddur',
    attributes,
    resource: {},
    events: [],
    links: [],
    sampleRate: 1,
  };
}

function log(message: string, more: Partial<LogRecord> = {}): LogRecord {
  return { source: 'function', timeMilliseconds: 1, logGroup: '/aws/lambda/home', logStream: 's', message, ...more };
}

describe('the store', () => {
  let directory: string;
  let file: string;
  let store: Store;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'throughline-store-'));
    file = join(directory, 'run.duckdb');
    store = await openStore({ file });
  });

  afterEach(async () => {
    await store.close();
    await rm(directory, { recursive: true, force: true });
  });

  it('finds a trace by either form of its id as soon as it was handed over', async () => {
    store.segment(segment(1, 1));
    expect((await store.trace(xrayId(1)))?.roots.map(({ name }) => name)).toEqual(['segment 1']);
    expect((await store.trace(traceId(1).toUpperCase()))?.id).toBe(traceId(1));
    expect(await store.trace(traceId(2))).toBeUndefined();
    expect(await store.trace("' OR 1=1 --")).toBeUndefined();
  });

  it('finds a trace that is being written at the time', async () => {
    for (let trace = 1; trace <= 20; trace++) {
      store.segment(segment(trace, 1));
      const written = store.flush();
      expect(await store.trace(traceId(trace))).toBeDefined();
      await written;
    }
  });

  it('lists traces latest first, by time, length and whether they failed as a whole', async () => {
    store.segment(segment(1, 1));
    store.segment(segment(2, 1, { fault: true, end_time: 1003 }));
    store.segment(segment(3, 1, { subsegments: [{ ...segment(3, 2), fault: true }] }));
    store.span(span(4, 1));
    const ids = async (query?: Parameters<Store['traces']>[0]) => (await store.traces(query)).map(({ id }) => id);
    expect(await ids()).toEqual([4, 3, 2, 1].map(traceId));
    expect(await ids({ limit: 2 })).toEqual([4, 3].map(traceId));
    expect(await ids({ errors: true })).toEqual([traceId(2)]);
    expect(await ids({ slowMilliseconds: 900 })).toEqual([traceId(2)]);
    expect(await ids({ from: 1_001_600, to: 1_002_500 })).toEqual([traceId(2)]);
    expect(await ids({ limit: 0 })).toEqual([]);
  });

  it('goes through every trace of a range once, in pages', async () => {
    for (let trace = 0; trace < 250; trace++) store.segment(segment(trace, 1, { start_time: 1000 }));
    const seen: string[] = [];
    for await (const page of store.scan()) seen.push(...page.map(({ id }) => id));
    expect(seen).toHaveLength(250);
    expect(new Set(seen).size).toBe(250);
  });

  it('gives the documents that count as they were sent, for BatchGetTraces', async () => {
    const document = segment(1, 1, {
      metadata: { default: { unknown: [1, null, 'é'] } },
      custom_field: { deep: true },
    });
    const { end_time: _, ...open } = document;
    store.segment({ ...open, in_progress: true });
    store.segment(document);
    store.segment({ ...open, in_progress: true });
    const found = await store.documents([xrayId(1), traceId(2), 'nonsense']);
    expect([...found]).toEqual([[traceId(1), [document]]]);
  });

  it('joins log lines and errors that carry only a request id through the line that carries both', async () => {
    store.log(log('INFO before', { requestId: 'r-1', timeMilliseconds: 1 }));
    store.log(log('REPORT', { requestId: 'r-1', traceId: traceId(1), timeMilliseconds: 2 }));
    store.log(log('of another', { requestId: 'r-2', timeMilliseconds: 3 }));
    store.log(log('of another trace', { requestId: 'r-1', traceId: traceId(9), timeMilliseconds: 4 }));
    const error = { timeMilliseconds: 5, uuid: 'u', level: 'error', title: 'T', fingerprint: 'f', item: {} };
    store.error({ ...error, requestId: 'r-1' });
    store.metric({
      source: 'emf',
      timeMilliseconds: 6,
      namespace: 'Cruddur',
      name: 'Latency',
      unit: 'Milliseconds',
      dimensions: { route: '/home' },
      values: [1.5, 2],
      traceId: traceId(1),
    });
    const trace = await store.trace(traceId(1));
    expect(trace?.logs.map(({ message }) => message)).toEqual(['INFO before', 'REPORT']);
    expect(trace?.errors.map(({ uuid }) => uuid)).toEqual(['u']);
    expect(trace?.metrics).toMatchObject([{ name: 'Latency', values: [1.5, 2], dimensions: { route: '/home' } }]);
  });

  it('joins them through the request id of a Lambda segment too, and not through that of an AWS call', async () => {
    const call = { name: 'DynamoDB', id: hex(2, 16), start_time: 1, end_time: 2, aws: { request_id: 'r-dynamo' } };
    store.segment(segment(1, 1, { origin: 'AWS::Lambda::Function', aws: { request_id: 'r-1' }, subsegments: [call] }));
    store.log(log('mine', { requestId: 'r-1' }));
    store.log(log('not mine', { requestId: 'r-dynamo' }));
    expect((await store.trace(traceId(1)))?.logs.map(({ message }) => message)).toEqual(['mine']);
  });

  it('keeps of every record also what has no column of its own', async () => {
    store.span({ ...span(1, 1), flags: 1, dropped: { events: 2 }, context: { schemaUrl: 'u' } });
    store.log(log('m', { severityNumber: 17, observedNanoseconds: 2n ** 60n, body: { a: [1] } }));
    store.metric({
      source: 'otlp',
      timeMilliseconds: 1,
      namespace: 'n',
      name: 'm',
      unit: '1',
      dimensions: {},
      values: [],
      distribution: { count: 2, bounds: [1], counts: [1, 1] },
    });
    await store.flush();
    const [row] = await store.query(
      'SELECT spans.detail AS span, logs.detail AS log, metrics.detail AS metric FROM spans, logs, metrics',
    );
    expect(JSON.parse(String(row?.span))).toMatchObject({
      flags: 1,
      dropped: { events: 2 },
      context: { schemaUrl: 'u' },
    });
    expect(JSON.parse(String(row?.log))).toEqual({
      severityNumber: 17,
      observedNanoseconds: String(2n ** 60n),
      body: { a: [1] },
    });
    expect(JSON.parse(String(row?.metric))).toEqual({ distribution: { count: 2, bounds: [1], counts: [1, 1] } });
  });

  it('keeps one column per attribute, widened where spans disagree on a type', async () => {
    store.span(span(1, 1, { 'http.route': '/home', size: 5, ok: true, mixed: 1, list: ['a', 2] }));
    store.span(span(1, 2, { 'HTTP.route': 'other case', size: 2.5, mixed: 'two', name: 'taken', big: 2n ** 62n }));
    await store.flush();
    store.span(span(1, 3, { ok: 'yes', 'it\'s; "DROP TABLE spans"': 'harmless' }));
    const types = Object.fromEntries((await columns()).map(({ key, type }) => [key, type]));
    expect(types).toEqual({
      'http.route': 'VARCHAR',
      'HTTP.route': 'VARCHAR',
      size: 'DOUBLE',
      ok: 'VARCHAR',
      mixed: 'VARCHAR',
      list: 'VARCHAR',
      name: 'VARCHAR',
      big: 'BIGINT',
      'it\'s; "DROP TABLE spans"': 'VARCHAR',
    });
    const rows = await store.query(
      'SELECT "http.route", "HTTP.route~2" AS other, size, ok, mixed, list, "name~2" AS named, big FROM spans ORDER BY sequence',
    );
    expect(rows).toEqual([
      { 'http.route': '/home', other: null, size: 5, ok: 'true', mixed: '1', list: '["a",2]', named: null, big: null },
      {
        'http.route': null,
        other: 'other case',
        size: 2.5,
        ok: null,
        mixed: 'two',
        list: null,
        named: 'taken',
        big: 2n ** 62n,
      },
      { 'http.route': null, other: null, size: null, ok: 'yes', mixed: null, list: null, named: null, big: null },
    ]);
  });

  async function columns() {
    await store.flush();
    return store.attributeColumns();
  }

  it('keeps attributes beyond the 2,000th column in the trace, and the span with them', async () => {
    const many = Object.fromEntries(Array.from({ length: 2100 }, (_, at) => [`a${at}`, at]));
    store.span(span(1, 1, many));
    expect(await columns()).toHaveLength(2000);
    expect((await store.trace(traceId(1)))?.roots[0]?.attributes.a2099).toBe(2099);
  });

  it('goes on with the same columns and the same order of arrival when a file is opened again', async () => {
    store.span(span(1, 1, { route: '/a' }));
    store.segment(segment(1, 1, { name: 'first' }));
    store.rejected('xray', 'bad header', 'x');
    await store.close();
    store = await openStore({ file });
    store.span(span(1, 2, { route: '/b', other: 1 }));
    store.segment(segment(1, 1, { name: 'second' }));
    expect((await columns()).map(({ key }) => key)).toEqual(['route', 'other']);
    expect((await store.trace(traceId(1)))?.roots[0]?.name).toBe('second');
    expect(store.rejections()).toEqual([{ intake: 'xray', reason: 'bad header', detail: 'x', count: 1 }]);
  });

  it('throws at nothing that it is handed, counts it, and stores what came beside it', async () => {
    const ring: Record<string, unknown> = {};
    ring.self = ring;
    store.segment({ ...segment(1, 1), metadata: { ring } });
    store.segment({ ...segment(1, 2), trace_id: 'nonsense' });
    store.segment(null as unknown as SegmentDocument);
    store.log(log(undefined as unknown as string, { timeMilliseconds: 'late' as unknown as number }));
    store.span({ ...span(1, 3, { gone: undefined as unknown as null, nan: Number.NaN }), endNanoseconds: 2n ** 80n });
    store.segment(segment(1, 4, { name: 'lone \ud800 surrogate \0' }));
    expect((await store.trace(traceId(1)))?.roots).toHaveLength(2);
    expect(store.rejections()).toMatchObject([{ intake: 'store', reason: 'not fit for segments', count: 3 }]);
  });

  it('loses one record that the database will not take, and none of those beside it', async () => {
    const metric = (name: string, values: number[]) =>
      store.metric({
        source: 'emf',
        timeMilliseconds: 1,
        namespace: 'n',
        name,
        unit: 'Count',
        dimensions: {},
        values,
        traceId: traceId(1),
      });
    metric('first', [1]);
    metric('bad', undefined as unknown as number[]);
    metric('last', [2, Number.NaN, Number.POSITIVE_INFINITY]);
    expect((await store.trace(traceId(1)))?.metrics.map(({ name, values }) => [name, values])).toEqual([
      ['first', [1]],
      ['last', [2, Number.NaN, Number.POSITIVE_INFINITY]],
    ]);
    expect(store.rejections()).toMatchObject([{ reason: 'could not be written to metrics', count: 1 }]);
  });

  it('can be written to, flushed and read from many places at once', async () => {
    const workers = Array.from({ length: 8 }, async (_, worker) => {
      for (let round = 0; round < 25; round++) {
        const number = worker * 100 + round + 1;
        store.span(span(1, number, { [`of worker ${worker}`]: round }));
        store.segment(segment(1, number + 1000));
        if (round % 3 === 0) await store.flush();
        const trace = await store.trace(traceId(1));
        const ids = trace?.roots.map(({ id }) => id) ?? [];
        expect(ids).toContain(hex(number, 16));
        expect(ids).toContain(hex(number + 1000, 16));
      }
    });
    await Promise.all(workers);
    expect((await store.trace(traceId(1)))?.roots).toHaveLength(400);
    expect(store.rejections()).toEqual([]);
  });

  it('tells listeners of a trace once it can be read, and no more after they left', async () => {
    const told: string[] = [];
    const leave = store.onTrace((id) => told.push(id));
    store.onTrace(() => {
      throw new Error('a listener of its own trouble');
    });
    for (let number = 1; number <= 20; number++) store.segment(segment(1, number));
    await store.flush();
    while (told.length === 0) await sleep(10);
    leave();
    store.segment(segment(2, 1));
    await store.flush();
    await sleep(150);
    expect(told).toEqual([traceId(1)]);
  });

  it('reads a run that has ended without being able to change it', async () => {
    store.segment(segment(1, 1));
    await store.close();
    const reading = await openStore({ file, readOnly: true });
    reading.segment(segment(2, 1));
    expect((await reading.traces()).map(({ id }) => id)).toEqual([traceId(1)]);
    await reading.close();
  });

  it('refuses a file that is not a store, in one sentence', async () => {
    const { writeFile } = await import('node:fs/promises');
    const other = join(directory, 'other.duckdb');
    await writeFile(other, 'this is a text of more than a few bytes, and no database at all'.repeat(100));
    await expect(openStore({ file: other })).rejects.toThrow(/other\.duckdb cannot be opened as a store of traces/);
    await expect(openStore({ file: join(directory, 'none.duckdb'), readOnly: true })).rejects.toThrow(/none\.duckdb/);
  });
});
