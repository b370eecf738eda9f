import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/index.ts';
import { writeRunRecord } from '../../src/store/runs/run-record.ts';
import { startFixture } from '../console/fixture.ts';
import { span } from '../store/query/fixture.ts';

const bin = new URL('../../bin/throughline.js', import.meta.url).pathname;
const execute = promisify(execFile);

let directory: string;

async function sql(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await execute(process.execPath, [bin, 'sql', ...args], { cwd: directory })) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

describe('throughline sql', () => {
  beforeAll(async () => {
    directory = await realpath(await mkdtemp(path.join(tmpdir(), 'throughline-sql-')));
    const runs = path.join(directory, '.throughline', 'runs');
    await mkdir(runs, { recursive: true });
    const store = await openStore({ file: path.join(runs, '2026-10-26T12-00-00.000Z.duckdb') });
    store.span(span({ name: 'kept', attributes: { route: '/a,b' } }));
    await store.close();
  });

  afterAll(() => rm(directory, { recursive: true }));

  it('prints a table, JSON or CSV of a run that has ended', async () => {
    const statement = 'SELECT name, route, duration_ms FROM spans';
    expect((await sql(statement)).stdout).toBe('name  route  duration_ms\nkept  /a,b             1\n\n1 row\n');
    expect(JSON.parse((await sql(statement, '--json')).stdout)).toEqual([
      { name: 'kept', route: '/a,b', duration_ms: 1 },
    ]);
    expect((await sql(statement, '--csv')).stdout).toBe('name,route,duration_ms\r\nkept,"/a,b",1\r\n');
  });

  it('lists the views and their columns with --schema', async () => {
    const schema = JSON.parse((await sql('--schema', '--json')).stdout);
    expect(schema).toContainEqual({ view: 'requests', column: 'status', type: 'INTEGER', meaning: 'HTTP' });
    expect(schema).toContainEqual({ view: 'spans', column: 'route', type: 'VARCHAR', meaning: 'attribute' });
  });

  it('names the place of a fault, and exits with 1', async () => {
    const { code, stderr } = await sql('SELECT nope FROM spans');
    expect(code).toBe(1);
    expect(stderr).toMatch(/^sql:1:8: .*nope/);
    expect((await sql('DROP VIEW spans')).stderr).toMatch(/Only SELECT/);
  });

  it.each([
    [[]],
    [['a', 'b']],
    [['--schema', 'SELECT 1']],
    [['SELECT 1', '--limit', 'x']],
    [['SELECT 1', '--json', '--csv']],
  ])('refuses the arguments %j with exit code 2', async (args) => {
    expect((await sql(...args)).code).toBe(2);
  });

  it('reads the run that is going on from a snapshot, which it removes', async () => {
    const fixture = await startFixture(directory);
    const remove = await writeRunRecord(path.join(directory, '.throughline/runs/2026-10-27T12-00-00.000Z.duckdb'), {
      console: fixture.url,
    });
    try {
      fixture.store.span(span({ name: 'live' }));
      expect((await sql('SELECT name FROM spans', '--csv')).stdout).toBe('name\r\nlive\r\n');
      expect(readdirSync(path.join(directory, '.throughline', 'snapshots'))).toEqual([]);
      const foreign = await fetch(new URL('/api/snapshot', fixture.url), {
        method: 'POST',
        headers: { origin: 'https://evil.example' },
      });
      expect(foreign.status).toBe(403);
    } finally {
      await remove();
      await fixture.stop();
    }
  });
});
