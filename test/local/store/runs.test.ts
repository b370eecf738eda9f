import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../../local/store/index.ts';
import { latestRun, newRun, runs } from '../../../local/store/runs.ts';

const HOLD = fileURLToPath(new URL('./hold-open.ts', import.meta.url));
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
  const child = spawn(process.execPath, [HOLD, file], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}

describe('runs', () => {
  it('are files named by their time, the latest first; there is none before the first', async () => {
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
});
