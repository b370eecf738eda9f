import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore, type Store } from '../../../src/store/index.ts';
import { openSqlSession, type SqlSession } from '../../../src/store/sql/sql-session.ts';
import { noon, span } from '../query/fixture.ts';

describe('SQL over a run', () => {
  let directory: string;
  let store: Store;
  let session: SqlSession;
  const before = process.cwd();

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'throughline-sql-'));
    process.chdir(directory);
    store = await openStore({ file: path.join(directory, 'run.duckdb') });
    const trace = 'a'.repeat(32);
    store.segment({
      trace_id: `1-${trace.slice(0, 8)}-${trace.slice(8)}`,
      id: 'b'.repeat(16),
      name: 'dev-shop',
      origin: 'AWS::ApiGateway::Stage',
      start_time: noon / 1000,
      end_time: noon / 1000 + 0.25,
      http: { request: { method: 'GET', url: 'https://x/dev/home' }, response: { status: 200 } },
    });
    store.span(
      span({
        traceId: trace,
        attributes: {
          route: '/home',
          user: 'ann',
          cold_start: true,
          database_calls: 2,
          time: 'mine',
          'it\'s "odd"': 1,
        },
      }),
    );
    store.span(span({ name: 'job', milliseconds: 5, attributes: { duration_ms: 7 } }));
    store.log({
      source: 'function',
      timeMilliseconds: noon,
      logGroup: 'g',
      logStream: 's',
      message: 'hello',
      traceId: trace,
      attributes: { a: 1 },
    });
    store.metric({
      source: 'emf',
      timeMilliseconds: noon,
      namespace: 'n',
      name: 'Latency',
      unit: 'Milliseconds',
      dimensions: { route: '/home' },
      values: [1, 2.5],
      traceId: trace,
    });
    store.error({
      timeMilliseconds: noon,
      uuid: 'u',
      level: 'error',
      title: 'Boo',
      fingerprint: 'f',
      item: { a: 1 },
      traceId: trace,
    });
    session = await openSqlSession(await store.snapshot(directory));
  });

  afterAll(async () => {
    process.chdir(before);
    session.close();
    await store.close();
    await rm(directory, { recursive: true });
  });

  const rows = async (sql: string) => (await session.run(sql)).rows;
  const failure = (sql: string, limits = { rows: 100, milliseconds: 2_000 }) =>
    session.run(sql, limits).then(
      ({ rows: found }) => `answered ${JSON.stringify(found).slice(0, 200)}`,
      (error: Error) => error.message,
    );

  it('has requests, spans, logs, metrics and errors', async () => {
    expect(
      await rows(
        'SELECT time, method, url, status, duration_ms, route, "user", cold_start, database_calls FROM requests ORDER BY time, url',
      ),
    ).toEqual([
      ['2026-11-26T12:00:00Z', 'GET', 'https://x/dev/home', 200, 250, '/home', 'ann', true, 2],
      ['2026-11-26T12:00:00Z', null, 'job', null, 5, null, null, null, null],
    ]);
    expect(
      await rows(
        'SELECT name, duration_ms, "duration_ms~2", route, "time~2", "it\'s ""odd""" FROM spans ORDER BY name',
      ),
    ).toEqual([
      ['job', 5, 7, null, null, null],
      ['span', 1, null, '/home', 'mine', 1],
    ]);
    expect(await rows("SELECT message, attributes ->> 'a' FROM logs")).toEqual([['hello', '1']]);
    expect(await rows('SELECT name, count, sum, dimensions, "values" FROM metrics')).toEqual([
      ['Latency', 2, 3.5, '{"route":"/home"}', [1, 2.5]],
    ]);
    expect(await rows("SELECT title, item ->> 'a' FROM errors")).toEqual([['Boo', '1']]);
  });

  it('keeps these names and columns', () => {
    expect(
      session.views.map(({ name, columns }) => [
        name,
        columns
          .filter(({ meaning }) => meaning !== undefined)
          .map((column) => column.name)
          .join(' '),
      ]),
    ).toEqual([
      [
        'requests',
        'time trace_id method url status duration_ms function route user error_code cold_start release database_calls database_ms response_bytes sample_rate',
      ],
      [
        'spans',
        'time trace_id span_id parent_id name kind service duration_ms status status_message sample_rate events links',
      ],
      ['logs', 'time level message function trace_id span_id request_id log_group log_stream source attributes'],
      ['metrics', 'time namespace name unit dimensions values count sum trace_id source'],
      ['errors', 'time level title fingerprint trace_id request_id person environment release context uuid item'],
    ]);
  });

  it.each([
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM 'run.duckdb'",
    "SELECT * FROM read_json_auto('/etc/hostname')",
    "SELECT * FROM read_parquet('https://example.com/x.parquet')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM query('COPY spans TO ''out.csv''')",
    "FROM query_table(['/etc/passwd'])",
    "SELECT getenv('HOME')",
    "COPY (SELECT 1) TO 'out.csv'",
    "COPY spans TO '/tmp/out.parquet'",
    "EXPORT DATABASE 'out'",
    "ATTACH 'other.duckdb'",
    'DETACH run',
    'INSTALL httpfs',
    'LOAD httpfs',
    'CREATE TABLE t (a INT)',
    'CREATE TEMP TABLE t AS SELECT 1',
    'CREATE MACRO f() AS 1',
    "INSERT INTO run.main.spans (name) VALUES ('x')",
    "UPDATE run.main.spans SET name = 'x'",
    'DELETE FROM run.main.spans',
    'WITH gone AS (DELETE FROM run.main.spans RETURNING *) SELECT * FROM gone',
    'DROP VIEW spans',
    'SET enable_external_access = true',
    'SET lock_configuration = false',
    'RESET memory_limit',
    'PRAGMA enable_profiling',
    'CALL pragma_version()',
    'BEGIN',
    'VACUUM',
    'CHECKPOINT',
    'SELECT 1; DROP VIEW spans',
    'SELECT ?',
    'EXPLAIN ANALYZE DELETE FROM run.main.spans',
    'PREPARE x AS SELECT 1',
    'USE run',
    '',
    ';;',
    '-- nothing',
    'SELECT 1 \0; DROP VIEW spans',
  ])('refuses %s', async (sql) => {
    expect(await failure(sql)).not.toMatch(/^answered/);
    expect(readdirSync(directory).sort()).toEqual(expect.not.arrayContaining(['out.csv', 'out', 'other.duckdb']));
    expect(existsSync('/tmp/out.parquet')).toBe(false);
    expect(await rows('SELECT count(*) FROM spans')).toEqual([[2]]);
  });

  it.each([
    [
      'a statement without end',
      'SELECT count(*) FROM range(1000000000) a, range(1000000000) b',
      /took longer than 0.5 s|[Mm]emory/,
    ],
    [
      'a recursion without end',
      'WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n FROM r) SELECT count(*) FROM r',
      /took longer than 0.5 s|[Mm]emory/,
    ],
    [
      'an answer of gigabytes',
      "SELECT string_agg(repeat('x', 1000000), '') FROM range(100000)",
      /[Mm]emory|took longer/,
    ],
    [
      'a sort of gigabytes',
      'SELECT * FROM range(300000000) t(n) ORDER BY hash(n) LIMIT 100000000 OFFSET 5',
      /[Mm]emory|took longer/,
    ],
    ['one text of a gigabyte', "SELECT repeat('x', 2000000000)", /[Mm]emory|too large|longer|text/],
  ])('ends %s', async (_, sql, sentence) => {
    expect(await failure(sql, { rows: 100, milliseconds: 500 })).toMatch(sentence);
    expect(await rows('SELECT 1')).toEqual([[1]]);
  });

  it('gives no more rows than asked for, and says so', async () => {
    const answer = await session.run('SELECT * FROM range(100000)', { rows: 7, milliseconds: 2_000 });
    expect(answer).toMatchObject({ truncated: true, rows: [[0], [1], [2], [3], [4], [5], [6]] });
    expect((await session.run('SELECT * FROM range(7)', { rows: 7, milliseconds: 2_000 })).truncated).toBe(false);
  });

  it.each([
    ['SELECT * FORM spans', /^1:15: .*syntax error/],
    ['SELECT\n  nope FROM spans', /^2:3: .*nope/],
    [`SELECT '${'x'.repeat(300)}', nope FROM spans, (SELECT '${'y'.repeat(300)}')`, /^1:312: .*nope/],
    ['SELECT * FROM nowhere', /^1:15: .*nowhere/],
  ])('names the place of the fault in %j', async (sql, sentence) => {
    expect(await failure(sql)).toMatch(sentence);
  });

  it('writes a snapshot for its owner alone', async () => {
    const file = await store.snapshot(directory);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(path.dirname(file))).mode & 0o777).toBe(0o700);
  });
});
