import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalFailure } from '../../../src/local-failure.ts';
import { openStore } from '../../../src/store/index.ts';
import { latestRun, newRun, openNewestRun, runs } from '../../../src/store/runs/runs.ts';

const hold = fileURLToPath(new URL('./hold-open.ts', import.meta.url));
const day = (number: number) => new Date(Date.UTC(2026, 10, number));

let service: string;

beforeEach(async () => {
  service = await mkdtemp(join(tmpdir(), 'throughline-runs-'));
});

afterEach(() => rm(service, { recursive: true, force: true }));

const names = async () => (await readdir(join(service, '.throughline', 'runs'))).sort();

async function earlier(...days: number[]): Promise<string[]> {
  const directory = join(service, '.throughline', 'runs');
  await mkdir(directory, { recursive: true });
  const files = days.map((number) => join(directory, `${day(number).toISOString().replaceAll(':', '-')}.duckdb`));
  for (const file of files) {
    const store = await openStore({ file });
    await store.close();
  }
  return files;
}

/** Another process that has the store open, and one segment in it. */
async function held(file: string) {
  const child = spawn(process.execPath, [hold, file], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

describe('runs', () => {
  it('are files named by their time, the latest first; the folder is empty before the first', async () => {
    expect(await latestRun(service)).toBeUndefined();
    const file = await newRun(service, day(3));
    const store = await openStore({ file });
    await store.close();
    expect(basename(file)).toBe('2026-11-03T00-00-00.000Z.duckdb');
    expect(await latestRun(service)).toBe(file);
    expect(await runs(service)).toEqual([file]);
  });

  it('are kept ten at most, the new one among them, with what belongs to them', async () => {
    const old = await earlier(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    await writeFile(`${old[0]}.wal`, '');
    const file = await newRun(service, day(20));
    await (await openStore({ file })).close();
    expect(await names()).toEqual([...old.slice(2), file].map((kept) => basename(kept)));
  });

  it('are kept while another process has them open, and can be read once it ended, also when it was killed', async () => {
    const [first] = await earlier(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    if (!first) throw new Error('no run');
    const child = await held(first);
    await newRun(service, day(20));
    expect(await names()).toContain(basename(first));
    await expect(openStore({ file: first, readOnly: true })).rejects.toThrow(/is open in another process/);
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    const store = await openStore({ file: first, readOnly: true });
    expect(await store.traces()).toHaveLength(1);
    await store.close();
  });

  it('are read from the newest that can be: a damaged one, a newer version and one of the future are left out', async () => {
    const [good, newer, damaged] = await earlier(1, 2, 3);
    if (!good || !newer || !damaged) throw new Error('no runs');
    const store = await openStore({ file: good });
    store.segment({
      name: 'n',
      id: 'a'.repeat(16),
      trace_id: `1-5f84c7a1-${'1'.repeat(24)}`,
      start_time: 1,
      end_time: 2,
    });
    await store.close();
    const { DuckDBInstance } = await import('@duckdb/node-api');
    const instance = await DuckDBInstance.create(newer);
    const connection = await instance.connect();
    await connection.run('UPDATE schema SET version = 99');
    connection.closeSync();
    instance.closeSync();
    await writeFile(damaged, 'this is a text of more than a few bytes, and no database at all'.repeat(100));
    const future = join(service, '.throughline', 'runs', '2999-01-01T00-00-00.000Z.duckdb');
    await (await openStore({ file: future })).close();

    const run = await openNewestRun(service);
    expect(run?.file).toBe(good);
    expect(await run?.store.traces()).toHaveLength(1);
    expect(run?.skipped).toEqual([
      expect.stringContaining('2999-01-01T00-00-00.000Z.duckdb: it is dated in the future.'),
      expect.stringMatching(/^Left out: .*2026-11-03.* cannot be opened as a store of traces/),
      expect.stringMatching(/^Left out: .*2026-11-02.* has schema version 99/),
    ]);
    await run?.store.close();
  });

  it('that another process has open is left out, and one that is cut off in the middle too', async () => {
    const [good, cut, open] = await earlier(1, 2, 3);
    if (!good || !cut || !open) throw new Error('no runs');
    const { readFile } = await import('node:fs/promises');
    const whole = await readFile(cut);
    await writeFile(cut, whole.subarray(0, Math.floor(whole.length / 2)));
    const child = await held(open);
    const run = await openNewestRun(service);
    expect(run?.file).toBe(good);
    expect(run?.skipped[0]).toMatch(/is open in another process/);
    expect(run?.skipped).toHaveLength(2);
    await run?.store.close();
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  });

  it('that are missing or cannot be read are reported in a sentence', async () => {
    expect(await openNewestRun(service)).toBeUndefined();
    await mkdir(join(service, '.throughline', 'runs'), { recursive: true });
    await writeFile(join(service, '.throughline', 'runs', '2026-01-01T00-00-00.000Z.duckdb'), 'x'.repeat(5000));
    await expect(openNewestRun(service)).rejects.toThrow(/^No run that was kept can be read\. Left out: /);
  });

  it('lie in a folder that only its owner can enter', async () => {
    await newRun(service, day(3));
    for (const folder of ['.throughline', '.throughline/runs']) {
      expect([folder, (await stat(join(service, folder))).mode & 0o777]).toEqual([folder, 0o700]);
    }
  });

  it('cannot begin where a file has the name of their folder, which is said in one sentence', async () => {
    await writeFile(join(service, '.throughline'), '');
    const failure = await newRun(service).catch((error: Error) => error);
    expect(failure).toBeInstanceOf(LocalFailure);
    expect(String(failure)).toMatch(
      /\.throughline cannot be used .*: there is a file of that name\. Move or delete it\.$/,
    );
  });
});
