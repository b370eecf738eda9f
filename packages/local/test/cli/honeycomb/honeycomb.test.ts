import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type StandIn, startStandIn } from './stand-in.ts';

const bin = new URL('../../../bin/throughline.js', import.meta.url).pathname;
const execute = promisify(execFile);

describe('throughline honeycomb', () => {
  let directory: string;
  let honeycomb: StandIn;

  beforeEach(async () => {
    directory = await realpath(await mkdtemp(path.join(tmpdir(), 'throughline-honeycomb-')));
    await mkdir(path.join(directory, 'queries'));
    await write('slow', {
      name: 'Slow routes',
      description: 'Which are slow?',
      breakdowns: ['route'],
      calculations: [{ op: 'P95', column: 'duration_ms' }],
      granularity: 60,
    });
    await write('errors', {
      name: 'Errors',
      description: 'Which?',
      breakdowns: ['error_code'],
      filters: [{ column: 'error_code', op: 'exists' }],
    });
    honeycomb = await startStandIn();
  });

  afterEach(async () => {
    await honeycomb.stop();
    await rm(directory, { recursive: true });
  });

  const write = (key: string, query: object) =>
    writeFile(path.join(directory, 'queries', `${key}.json`), JSON.stringify(query));

  async function run(args: string[], key = 'right-key', url = honeycomb.url) {
    const env = { ...process.env, HONEYCOMB_API_KEY: key, HONEYCOMB_API_URL: url };
    try {
      return { code: 0, ...(await execute(process.execPath, [bin, 'honeycomb', ...args], { cwd: directory, env })) };
    } catch (error) {
      return error as { code: number; stdout: string; stderr: string };
    }
  }

  const writes = () => honeycomb.requests.filter((request) => !request.startsWith('GET '));

  it('creates the queries and a board that shows them, and the second time changes nothing', async () => {
    const first = await run(['push']);
    expect(first.stderr).toBe('');
    expect(first.stdout).toBe(
      'Created query "Errors".\nCreated query "Slow routes".\nCreated board "Throughline".\n0 unchanged.\n',
    );
    expect([...honeycomb.queries.values()]).toMatchObject([
      { breakdowns: ['error_code'], filters: [{ column: 'error_code', op: 'exists' }] },
      { breakdowns: ['route'], granularity: 60 },
    ]);
    const [board] = honeycomb.boards.values();
    expect(board?.panels).toHaveLength(2);
    const before = writes().length;
    expect((await run(['push'])).stdout).toBe('Nothing to change: Honeycomb has these queries already.\n');
    expect((await run(['diff'])).code).toBe(0);
    expect(writes()).toHaveLength(before);
  });

  it('makes a changed query anew in the place of the old one, and leaves what others have made', async () => {
    await run(['push']);
    const [board] = honeycomb.boards.values();
    const others = {
      type: 'text',
      text_panel: { content: 'mine' },
      position: { x_coordinate: 0, y_coordinate: 90, height: 1, width: 1 },
    };
    (board?.panels as object[] | undefined)?.push(others);
    honeycomb.queries.set('q-mine', { id: 'q-mine' });
    honeycomb.annotations.set('a-mine', {
      id: 'a-mine',
      name: 'Slow routes',
      description: 'of somebody else',
      query_id: 'q-mine',
    });
    await write('slow', {
      name: 'Slow routes',
      description: 'Which are slow?',
      breakdowns: ['route', 'method'],
      calculations: [{ op: 'P95', column: 'duration_ms' }],
      granularity: 60,
    });
    await write('errors', {
      name: 'Errors',
      description: 'Another sentence?',
      breakdowns: ['error_code'],
      filters: [{ column: 'error_code', op: 'exists' }],
    });

    const diff = await run(['diff']);
    expect(diff.code).toBe(1);
    expect(diff.stdout).toContain('Would update query "Slow routes": breakdowns changed.');
    expect(diff.stdout).toContain('Would update query "Errors": the description changed.');
    const before = writes().length;
    expect((await run(['push', '--dry-run'])).stdout).toBe(diff.stdout);
    expect(writes()).toHaveLength(before);

    const pushed = await run(['push']);
    expect(pushed.stderr).toBe('');
    expect([...honeycomb.annotations.values()].map(({ name }) => name).sort()).toEqual([
      'Errors',
      'Slow routes',
      'Slow routes',
    ]);
    const panels = [...honeycomb.boards.values()][0]?.panels as { type: string }[];
    expect(panels.map(({ type }) => type)).toEqual(['query', 'query', 'text']);
    expect((await run(['diff'])).stdout).toContain('Nothing to change');
  });

  it('removes a query whose file is gone', async () => {
    await run(['push']);
    await rm(path.join(directory, 'queries', 'errors.json'));
    expect((await run(['push'])).stdout).toContain('Removed query "Errors": queries/errors.json is gone.');
    expect([...honeycomb.annotations.values()].map(({ name }) => name)).toEqual(['Slow routes']);
  });

  it('goes on where a push was broken off', async () => {
    await run(['push']);
    honeycomb.boards.clear();
    expect((await run(['push'])).stdout).toBe('Created board "Throughline".\n2 unchanged.\n');
  });

  it('pulls a query into a file that runs and pushes as it is', async () => {
    honeycomb.queries.set('q-1', { id: 'q-1', breakdowns: ['cart'], calculations: [{ op: 'COUNT' }], time_range: 600 });
    honeycomb.annotations.set('a-1', { id: 'a-1', name: 'Slow carts', description: 'Which carts?', query_id: 'q-1' });
    const { stdout, stderr } = await run(['pull', 'Slow carts']);
    expect([stdout, stderr]).toEqual([`Wrote ${path.join(directory, 'queries', 'slow-carts.json')}.\n`, '']);
    expect(JSON.parse(await readFile(path.join(directory, 'queries', 'slow-carts.json'), 'utf8'))).toEqual({
      name: 'Slow carts',
      description: 'Which carts?',
      breakdowns: ['cart'],
      calculations: [{ op: 'COUNT' }],
      time_range: 600,
    });
    expect((await run(['pull', 'q-1'])).stderr).toContain('exists already: --force');
    expect((await run(['pull', 'q-1', '--as', 'carts'])).code).toBe(0);
    expect((await run(['pull', 'No such'])).stderr).toContain(
      'No query in __all__ is called "No such". There are "Slow carts".',
    );
    honeycomb.queries.set('q-1', { id: 'q-1', calculated_fields: [{ name: 'x', expression: '1' }] });
    expect((await run(['pull', 'q-1', '--dry-run'])).stderr).toContain('"calculated_fields" is not supported');
  });

  it('marks a deployment', async () => {
    const args = [
      'mark',
      'release 1.4.2',
      '--dataset',
      'shop',
      '--url',
      'https://example.com/1',
      '--start',
      '2026-11-26T12:00:00Z',
    ];
    expect((await run([...args, '--dry-run'])).stdout).toContain('Would mark shop');
    expect(honeycomb.markers).toEqual([]);
    expect((await run(args)).stdout).toBe('Marked shop: deploy release 1.4.2\n');
    expect(honeycomb.markers).toMatchObject([
      {
        dataset: 'shop',
        message: 'release 1.4.2',
        type: 'deploy',
        url: 'https://example.com/1',
        start_time: 1_795_694_400,
      },
    ]);
  });

  describe('says what to do', () => {
    const failure = async (args: string[], key?: string, url?: string) => {
      const { code, stderr } = await run(args, key, url);
      expect(code).toBe(1);
      expect(writes()).toEqual([]);
      return stderr;
    };

    it('without a key, and with one that Honeycomb does not know', async () => {
      expect(await failure(['push'], '')).toContain('HONEYCOMB_API_KEY is not set');
      expect(await failure(['push'], 'wrong-key')).toMatch(/does not know this API key .* EU keys need --api-url/);
      const odd = await failure(['push'], 'secret\nkey');
      expect(odd).toContain('characters that no key has');
      expect(odd).not.toContain('secret');
    });

    it('with a key without rights, an ingest key, a key of another environment', async () => {
      honeycomb.key.rights.boards = false;
      expect(await failure(['push'])).toContain('lacks the right "Manage Public Boards"');
      honeycomb.key.type = 'ingest';
      expect(await failure(['push'])).toContain('is an ingest key');
      expect(await failure(['push', '--environment', 'prod'])).toContain(
        'of environment "test" of team "team", not of "prod"',
      );
    });

    it('when nothing answers, or not Honeycomb', async () => {
      expect(await failure(['push'], undefined, 'http://127.0.0.1:65530')).toMatch(
        /cannot be reached at http:\/\/127\.0\.0\.1:65530 \(ECONNREFUSED\)/,
      );
      expect(await failure(['push'], undefined, 'nonsense')).toContain('is not a URL');
      honeycomb.next.push({ status: 200, body: '<html>' });
      expect(await failure(['push'])).toContain('is not Honeycomb');
      honeycomb.next.push({ status: 503, body: 'down' });
      expect(await failure(['push'])).toContain('Honeycomb failed (503 for GET /1/auth). Try again later. down');
    });

    it('at a rate limit that lasts', async () => {
      honeycomb.next.push({ status: 429, headers: { 'retry-after': '3600' } });
      expect(await failure(['push'])).toMatch(/rate limit .* Try again in 3600 s/);
    });

    it('for a file that is not valid, before anything is asked', async () => {
      await write('broken', { limit: 0 });
      expect(await failure(['push'])).toContain('queries/broken.json:1:10: "limit" must be a whole number');
      expect(honeycomb.requests).toEqual([]);
    });
  });

  it('waits for a rate limit that passes soon', async () => {
    honeycomb.next.push({ status: 429, headers: { ratelimit: 'limit=50, remaining=0, reset=1' } });
    expect((await run(['push'])).stdout).toContain('Created board');
  });

  it.each([[[]], [['shove']], [['push', 'x']], [['pull']], [['mark', '--start', 'soon']]])(
    'refuses %j with exit code 2',
    async (args) => {
      expect((await run(args)).code).toBe(2);
    },
  );
});
