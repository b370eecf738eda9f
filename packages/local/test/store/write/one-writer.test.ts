import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../../src/store/index.ts';
import type { LogRecord, MetricRecord, SegmentDocument } from '../../../src/trace/records.ts';

const writer = fileURLToPath(new URL('./write-steadily.ts', import.meta.url));

const sampleTrace = '5f84c7a1000000000000000000000001';
const root = '1-5f84c7a1-000000000000000000000001';

const segment = (number: number, more: Partial<SegmentDocument> = {}): SegmentDocument => ({
  name: 's',
  id: number.toString(16).padStart(16, '0'),
  trace_id: root,
  start_time: 1,
  end_time: 2,
  ...more,
});
const log = (message: string, more: Partial<LogRecord> = {}): LogRecord => ({
  source: 'function',
  timeMilliseconds: 1,
  logGroup: 'g',
  logStream: 's',
  message,
  ...more,
});
const metric = (name: string, values: number[], more: Partial<MetricRecord> = {}): MetricRecord => ({
  source: 'emf',
  timeMilliseconds: 1,
  namespace: 'n',
  name,
  unit: 'Count',
  dimensions: {},
  values,
  ...more,
});

let directory: string;
let file: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'throughline-writer-'));
  file = join(directory, 'run.duckdb');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** The rows of a file, read through another connection. */
async function counts(): Promise<Record<string, { rows: number; ids: number }>> {
  const store = await openStore({ file, readOnly: true });
  const count = async (table: string, id: string) => {
    const [row] = await store.query(`SELECT count(*) AS rows, count(DISTINCT ${id}) AS ids FROM ${table}`);
    return { rows: Number(row?.rows), ids: Number(row?.ids) };
  };
  const found = { segments: await count('segments', 'id'), spans: await count('spans', 'span_id') };
  await store.close();
  return found;
}

describe('the one writer of a store', () => {
  it('stores each record once while others beside it are refused, in whatever order they come', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('good', 'rejected', 'unfit', 'bad row', 'flush', 'read', 'wait'), { maxLength: 60 }),
        async (steps) => {
          const store = await openStore({ file: ':memory:' });
          const expected: string[] = [];
          let refused = 0;
          const running: Promise<unknown>[] = [];
          for (const [at, step] of steps.entries()) {
            if (step === 'good') {
              store.metric(metric(`m${at}`, [at]));
              expected.push(`m${at}`);
            } else if (step === 'flush') running.push(store.flush());
            else if (step === 'read') running.push(store.orphans());
            else if (step === 'wait') await sleep(0);
            else {
              refused++;
              if (step === 'rejected') store.rejected('otlp', `reason ${at % 3}`, 'x');
              // A value that DuckDB's appender does not take, beside those that it takes.
              else if (step === 'bad row') store.metric(metric('bad', undefined as unknown as number[]));
              else store.segment(segment(1, { trace_id: 'nonsense' }));
            }
          }
          await Promise.all([...running, store.flush()]);
          const rows = await store.query('SELECT name FROM metrics ORDER BY sequence');
          expect(rows.map(({ name }) => name)).toEqual(expected);
          expect(store.rejections().reduce((sum, { count }) => sum + count, 0)).toBe(refused);
          await store.close();
        },
      ),
      { numRuns: 25 },
    );
  });

  it('can be closed at any moment, also when something was refused in that moment', async () => {
    for (let round = 0; round < 10; round++) {
      const store = await openStore({ file: join(directory, `${round}.duckdb`) });
      for (let number = 1; number <= 20; number++) {
        store.segment(segment(number));
        store.rejected('xray', `reason ${number}`, 'x');
      }
      void store.flush();
      if (round % 2) await sleep(round);
      await store.close();
      const again = await openStore({ file: join(directory, `${round}.duckdb`), readOnly: true });
      expect(await again.query('SELECT count(*) AS rows FROM segments')).toEqual([{ rows: 20n }]);
      expect(again.rejections()).toHaveLength(20);
      await again.close();
    }
  });

  it('has lost nothing that could be read, and has nothing twice, after the process was killed', async () => {
    for (const patience of [5, 11]) {
      const child = spawn(process.execPath, [writer, file], { stdio: ['ignore', 'pipe', 'inherit'] });
      let told = 0;
      let lines = 0;
      for await (const chunk of child.stdout) {
        const numbers = String(chunk).trim().split('\n').map(Number);
        lines += numbers.length;
        told = numbers.at(-1) ?? told;
        if (lines >= patience) break;
      }
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      const { segments, spans } = await counts();
      expect(segments).toEqual({ rows: segments?.ids, ids: segments?.ids });
      expect(spans).toEqual({ rows: spans?.ids, ids: spans?.ids });
      expect(segments?.rows).toBeGreaterThanOrEqual(told);
      expect(spans?.rows).toBeGreaterThanOrEqual(told);
      await rm(file);
      await rm(`${file}.wal`, { force: true });
    }
  });

  it('makes files that only their owner can read', async () => {
    const store = await openStore({ file });
    store.segment(segment(1));
    await store.flush();
    const modes = await Promise.all(
      (await readdir(directory)).map(async (name) => [name, (await stat(join(directory, name))).mode & 0o777]),
    );
    expect(modes.length).toBeGreaterThan(0);
    for (const [name, mode] of modes) expect([name, mode]).toEqual([name, 0o600]);
    await store.close();
  });
});

describe('text that is not well-formed', () => {
  it('is stored with U+FFFD for each lone surrogate, and every read goes on', async () => {
    const lone = '\ud800';
    const store = await openStore({ file });
    store.metric(metric(`m${lone}`, [1], { requestId: lone, dimensions: { [lone]: lone } }));
    store.log(log(`l${lone}`, { attributes: { [lone]: `a${lone}` }, requestId: lone }));
    store.segment(segment(1, { origin: 'AWS::Lambda', annotations: { a: lone }, aws: { request_id: lone } }));
    store.error({
      timeMilliseconds: 1,
      uuid: lone,
      level: 'error',
      title: lone,
      fingerprint: 'f',
      requestId: lone,
      item: { [lone]: lone },
    });
    const trace = await store.trace(sampleTrace);
    expect(trace?.logs).toMatchObject([{ message: 'l\ufffd', attributes: { '\ufffd': 'a\ufffd' } }]);
    expect(trace?.metrics).toMatchObject([{ name: 'm\ufffd', dimensions: { '\ufffd': '\ufffd' } }]);
    expect(trace?.errors).toMatchObject([{ title: '\ufffd' }]);
    expect(trace?.roots).toMatchObject([{ annotations: { a: '\ufffd' } }]);
    expect(await store.orphans()).toEqual({ logs: [], metrics: [], errors: [] });
    expect(await store.query(`SELECT document ->> '$.annotations.a' AS a FROM segments`)).toEqual([{ a: '\ufffd' }]);
    expect(store.rejections()).toEqual([]);
    await store.close();
  });

  it('keeps text that only looks like an escaped surrogate as it is', async () => {
    const store = await openStore({ file: ':memory:' });
    const texts = ['\\ud800', '\\\\ud800', '\\', '😀', '\\u0041'];
    store.log(log('m', { traceId: sampleTrace, attributes: { texts } }));
    store.segment(segment(1));
    expect((await store.trace(sampleTrace))?.logs).toMatchObject([{ attributes: { texts } }]);
    await store.close();
  });
});

describe('a read of a store', () => {
  it('leaves out a row that cannot be understood, counts it, and gives the others', async () => {
    const store = await openStore({ file });
    store.segment(segment(1));
    store.segment(segment(2));
    store.log(log('good', { traceId: sampleTrace, attributes: { a: 1 } }));
    store.log(log('bad', { traceId: sampleTrace, attributes: { a: 2 } }));
    await store.close();
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const instance = await DuckDBInstance.create(file);
    const connection = await instance.connect();
    await connection.run(`UPDATE segments SET document = 'no JSON' WHERE id = '0000000000000002'`);
    await connection.run(`UPDATE logs SET attributes = '{' WHERE message = 'bad'`);
    connection.closeSync();
    instance.closeSync();
    const reading = await openStore({ file, readOnly: true });
    const trace = await reading.trace(sampleTrace);
    expect(trace?.roots.map(({ id }) => id)).toEqual(['0000000000000001']);
    expect(trace?.logs.map(({ message }) => message)).toEqual(['good']);
    expect(await reading.traces()).toHaveLength(1);
    // Tables are read at the same time, in no order.
    expect(new Set(reading.rejections().map(({ reason }) => reason))).toEqual(
      new Set(['a row of segments could not be read', 'a row of logs could not be read']),
    );
    await reading.close();
  });

  it('ends in a sentence when it takes longer than it may, and the next one is answered', async () => {
    const store = await openStore({ file: ':memory:', readMilliseconds: 200 });
    const endless = 'SELECT count(*) FROM range(100000000000) AS a(x), range(100000) AS b(y) WHERE x * y = 7';
    await expect(store.query(endless)).rejects.toThrow(/Reading took longer than 0.2 s/);
    expect(await store.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await store.close();
  });

  it('gives the first ten thousand log lines of a trace, and says how many it left out', async () => {
    const store = await openStore({ file: ':memory:' });
    store.segment(segment(1));
    for (let number = 0; number < 10_050; number++)
      store.log(log(String(number), { traceId: sampleTrace, timeMilliseconds: number }));
    await store.flush();
    const trace = await store.trace(sampleTrace);
    expect(trace?.logs).toHaveLength(10_000);
    expect(trace?.omitted).toEqual({ logs: 50 });
    await store.close();
  });
});
