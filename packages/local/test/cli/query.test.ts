import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/index.ts';
import { writeRunRecord } from '../../src/store/runs/run-record.ts';
import { startFixture } from '../console/fixture.ts';
import { noon, span } from '../store/query/fixture.ts';

const bin = new URL('../../bin/throughline.js', import.meta.url).pathname;

let directory: string;

async function throughline(args: string[], { input = '', cwd = directory } = {}) {
  const child = spawn(process.execPath, [bin, ...args], { cwd, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]);
  return { code, stdout, stderr };
}

async function keepRun(name: string, attributes: Record<string, string>[]): Promise<void> {
  const runs = path.join(directory, '.throughline', 'runs');
  await mkdir(runs, { recursive: true });
  const store = await openStore({ file: path.join(runs, `${name}.duckdb`) });
  for (const [at, each] of attributes.entries()) {
    store.span(span({ at: noon + at * 60_000, milliseconds: 10 * (at + 1), attributes: each }));
  }
  await store.close();
}

describe('throughline query', () => {
  beforeAll(async () => {
    directory = await realpath(await mkdtemp(path.join(tmpdir(), 'throughline-query-')));
    await mkdir(path.join(directory, 'queries'));
    await writeFile(
      path.join(directory, 'queries', 'by-route.json'),
      JSON.stringify({
        name: 'By route',
        description: 'How many requests has each route?',
        breakdowns: ['route'],
        calculations: [{ op: 'COUNT' }, { op: 'MAX', column: 'duration_ms' }, { op: 'HEATMAP', column: 'duration_ms' }],
        granularity: 60,
        time_range: 3600,
      }),
    );
    await keepRun('2026-10-25T12-00-00.000Z', [{ route: '/old' }]);
    await keepRun('2026-10-26T12-00-00.000Z', [
      { route: '/a,"b' },
      { route: '/a,"b' },
      { route: '\u001b[31m/red\u202e' },
    ]);
  });

  afterAll(() => rm(directory, { recursive: true }));

  it('prints a table and a chart that fit the terminal, with nothing that it would obey', async () => {
    const { code, stdout } = await throughline(['query', 'by-route']);
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines.slice(0, 2)).toEqual(['By route', 'How many requests has each route?']);
    expect(stdout).toMatch(/^route +COUNT +MAX\(duration_ms\) +HEATMAP\(duration_ms\)$/m);
    expect(stdout).toMatch(/^\/a,"b +2 +20 +10 █ +█ 21$/m);
    expect(stdout).toContain('COUNT, every 60 s');
    expect(stdout).toMatch(/[▁-█]/);
    for (const control of ['\u001b', '\u202e']) expect(stdout).not.toContain(control);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it('prints CSV and JSON', async () => {
    const csv = await throughline(['query', 'queries/by-route.json', '--csv']);
    expect(csv.stdout.split('\r\n').slice(0, 2)).toEqual([
      'route,COUNT,MAX(duration_ms),HEATMAP(duration_ms)',
      expect.stringMatching(/^"\/a,""b",2,20,"\[\{""from""/),
    ]);
    const json = JSON.parse((await throughline(['query', 'by-route', '--json'])).stdout);
    expect(json).toMatchObject({ name: 'By route', groups: 2, granularity: 60 });
    expect(json.results[0]).toMatchObject({ route: '/a,"b', COUNT: 2, 'MAX(duration_ms)': 20 });
    expect(json.series).toHaveLength(3);
  });

  it('reads a query from the standard input, and another run by number, name or path', async () => {
    const input = '{"breakdowns":["route"]}';
    for (const run of ['2', '2026-10-25', path.join(directory, '.throughline/runs/2026-10-25T12-00-00.000Z.duckdb')]) {
      const { stdout } = await throughline(['query', '-', '--csv', '--run', run], { input });
      expect(stdout).toBe('route,COUNT\r\n/old,1\r\n');
    }
    const { code, stderr } = await throughline(['query', '-', '--run', '2026'], { input });
    expect(code).toBe(1);
    expect(stderr).toMatch(/--run "2026" names 2 runs\. Kept: 2026-10-26/);
  });

  it('prints the SQL that answers it', async () => {
    const { stdout } = await throughline(['query', 'by-route', '--explain']);
    expect(stdout).toContain('WITH events AS (');
    expect(stdout).toContain('"route"');
  });

  it('names each problem of a query by file, line and column, and exits with 1', async () => {
    const input = '{\n  "breakdowns": ["route"],\n  "calculations": [{ "op": "P42", "column": "x" }],\n  "limit": 0\n}';
    const { code, stdout, stderr } = await throughline(['query', '-'], { input });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(/^standard input:3:28: "P42" is not a known "op".*\(\/calculations\/0\/op\)$/),
      'standard input:4:12: "limit" must be a whole number from 1 to 1000, not 0. (/limit)',
      '',
    ]);
    expect((await throughline(['query', '-'], { input: '{"a": nope}' })).stderr).toMatch(
      /^standard input:1:7: The query is not valid JSON/,
    );
  });

  it('names a column that the run does not have, and answers all the same', async () => {
    const { code, stdout, stderr } = await throughline(['query', '-', '--csv'], { input: '{"breakdowns":["rout"]}' });
    expect([code, stdout]).toEqual([0, 'rout,COUNT\r\n,3\r\n']);
    expect(stderr).toContain('standard input:1:16: No event of this run has "rout". Nearest: "route".');
  });

  it.each([
    [[], 2, 'query needs'],
    [['a', 'b'], 2, 'a second one'],
    [['by-route', '--json', '--csv'], 2, 'cannot be combined'],
    [['nowhere'], 1, 'nowhere: file not found'],
    [['by-route', '--run', '9'], 1, '2 runs are kept'],
  ] as const)('refuses %j with exit code %d', async (args, code, sentence) => {
    const ended = await throughline(['query', ...args]);
    expect(ended.code).toBe(code);
    expect(ended.stderr).toContain(sentence);
  });

  it('asks the run that is going on', async () => {
    const fixture = await startFixture(directory);
    const remove = await writeRunRecord(path.join(directory, '.throughline/runs/2026-10-27T12-00-00.000Z.duckdb'), {
      console: fixture.url,
    });
    try {
      fixture.store.span(span({ at: Date.now() - 1000, attributes: { route: '/live', big: 2n ** 60n } }));
      const input = '{"breakdowns":["route","big"],"calculations":[{"op":"SUM","column":"route"}]}';
      const refused = await throughline(['query', '-'], { input });
      expect([refused.code, refused.stderr]).toEqual([
        1,
        'standard input:1:68: SUM needs numbers, and "route" holds texts. (/calculations/0/column)\n',
      ]);
      const { stdout } = await throughline(['query', '-', '--csv'], { input: '{"breakdowns":["route","big"]}' });
      expect(stdout).toBe(`route,big,COUNT\r\n/live,${2n ** 60n},1\r\n`);
      const foreign = await fetch(new URL('/api/query', fixture.url), {
        method: 'POST',
        headers: { origin: 'https://evil.example' },
        body: '{}',
      });
      expect(foreign.status).toBe(403);
    } finally {
      await remove();
      await fixture.stop();
    }
  });
});
