import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../../../src/cli/command.ts';
import trace from '../../../src/cli/commands/trace.ts';
import { runTrace, type TraceOptions } from '../../../src/cli/trace.ts';
import { openStore, type Store } from '../../../src/store/index.ts';
import { newRun } from '../../../src/store/runs/runs.ts';
import type { ErrorRecord, LogRecord, MetricRecord } from '../../../src/trace/records.ts';
import type { OrphanReport } from '../../../src/trace/trace.ts';
import { newTrace, segment, startFixture } from '../../console/fixture.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'orphans-'));
});
afterEach(() => rm(directory, { recursive: true }));

const log = (message: string, more: Partial<LogRecord> = {}): LogRecord => ({
  source: 'function',
  timeMilliseconds: 1,
  logGroup: '/aws/lambda/shop',
  logStream: 's',
  message,
  ...more,
});

const error = (title: string, more: Partial<ErrorRecord> = {}): ErrorRecord => ({
  timeMilliseconds: 2,
  uuid: title,
  level: 'error',
  title,
  fingerprint: 'f',
  environment: 'dev',
  item: {},
  ...more,
});

const metric = (name: string, more: Partial<MetricRecord> = {}): MetricRecord => ({
  source: 'emf',
  timeMilliseconds: 3,
  namespace: 'Shop',
  name,
  unit: 'Count',
  dimensions: {},
  values: [1],
  ...more,
});

/**
 * One trace with all that belongs to it by its trace id or its request's, and beside it what
 * belongs to none.
 */
function fill(store: Store): void {
  const { root, id } = newTrace();
  store.segment(segment(root));
  store.segment(segment(root, { id: '2222222222222222', origin: 'AWS::Lambda', aws: { request_id: 'by-segment' } }));
  store.log(log('names its trace', { traceId: id, requestId: 'by-line' }));
  store.log(log('names its request', { requestId: 'by-line' }));
  store.error(error('names a request of a segment', { requestId: 'by-segment' }));
  store.metric(metric('OfARequest', { requestId: 'by-line' }));

  store.log(log('names nothing'));
  store.log(log('names an unknown request', { requestId: 'unknown' }));
  store.error(error('names an unknown trace', { traceId: newTrace().id }));
  store.metric(metric('OfNothing'));
  store.rejected('otlp', 'not an object', 'resourceSpans[0]');
}

async function run(options: Partial<TraceOptions>): Promise<{ code: number; output: string; said: string }> {
  let output = '';
  let said = '';
  const signal = new AbortController().signal;
  const printed = { write: (text: string) => (output += text) };
  const code = await runCommand(
    {
      ...trace,
      run: () =>
        runTrace({
          consoleUrl: 'http://127.0.0.1:1',
          serviceDirectory: directory,
          orphans: true,
          output: printed,
          signal,
          ...options,
        }),
    },
    {
      values: {},
      positionals: [],
      directory,
      output: printed,
      errorOutput: { write: (text) => (said += text) },
      signal,
    },
  );
  return { code, output, said };
}

const namesOf = ({ logs, metrics, errors }: OrphanReport): string[] => [
  ...logs.map(({ message }) => message),
  ...errors.map(({ title }) => title),
  ...metrics.map(({ name }) => name),
];

const orphans = ['names nothing', 'names an unknown request', 'names an unknown trace', 'OfNothing'];

describe('sls trace --orphans', () => {
  it('shows of a run that is going on what leads to no trace, and what could not be taken', async () => {
    const { store, url, stop } = await startFixture(directory);
    fill(store);
    await store.flush();
    const { code, output } = await run({ consoleUrl: url, json: true });
    await stop();
    const report = JSON.parse(output) as OrphanReport;

    expect(code).toBe(0);
    expect(namesOf(report)).toEqual(orphans);
    expect(report.rejections).toMatchObject([{ intake: 'otlp', reason: 'not an object', count: 1 }]);
  });

  it('shows of a run that has ended the same, for people', async () => {
    const store = await openStore({ file: await newRun(directory) });
    fill(store);
    await store.close();
    const { output } = await run({});

    for (const orphan of [...orphans, 'Not taken', '1 × otlp: not an object (resourceSpans[0])']) {
      expect(output).toContain(orphan);
    }
    expect(output).not.toMatch(/names its|of a segment|OfARequest/);
  });

  it('says so where all belongs to a trace', async () => {
    const store = await openStore({ file: await newRun(directory) });
    store.segment(segment(newTrace().root));
    await store.close();

    expect((await run({})).output).toBe('All that was received belongs to a trace.\n');
  });

  it.each([{ last: true }, { errors: true }, { slow: 1 }, { follow: true }, { id: '0123456789' }])(
    'is refused together with %j',
    async (more) => {
      expect(await run(more)).toMatchObject({ code: 2, said: expect.stringContaining('--orphans') });
    },
  );
});
