import {
  DescribeQueriesCommand,
  GetQueryResultsCommand,
  StartQueryCommand,
  type StartQueryCommandInput,
} from '@aws-sdk/client-cloudwatch-logs';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseInsightsQuery } from '../../../src/services/cloudwatch/insights/parser.ts';
import { QueryRun } from '../../../src/services/cloudwatch/insights/run.ts';
import { SyntaxProblem } from '../../../src/services/cloudwatch/syntax.ts';
import { type RunningCloudWatch, runCloudWatch } from './run-cloudwatch.ts';

const group = '/aws/lambda/shop-dev-home';
const stream = '2026/11/26/[$LATEST]aaaa';
const start = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 7_200_000;
const requestId = '8f507cfc-1234-4697-b07a-ac58fc914c95';

let cloudWatch: RunningCloudWatch;
beforeEach(async () => {
  cloudWatch = await runCloudWatch([group]);
});
afterEach(() => cloudWatch.stop());

async function ask(queryString: string, more: Partial<StartQueryCommandInput> = {}) {
  const { queryId } = await cloudWatch.logs.send(
    new StartQueryCommand({
      logGroupName: group,
      startTime: start / 1000 - 3600,
      endTime: start / 1000 + 3600,
      queryString,
      ...more,
    }),
  );
  const read = () => cloudWatch.logs.send(new GetQueryResultsCommand({ queryId }));
  await expect.poll(async () => (await read()).status, { timeout: 20_000 }).not.toBe('Running');
  const { status, results = [], statistics } = await read();
  return {
    status,
    statistics,
    rows: results.map((row) => Object.fromEntries(row.map(({ field, value }) => [field, value]))),
    columns: results.map((row) => row.map(({ field }) => field)),
  };
}

const event = (route: string, duration: number, more: object = {}) =>
  JSON.stringify({ level: 'INFO', event: { route, duration_ms: duration, ...more } });

describe('StartQuery and GetQueryResults', () => {
  it('show the time and the message of each event, the newest first, where no fields are named', async () => {
    cloudWatch.write(group, stream, start, 'first', 'second');
    cloudWatch.write('/other', stream, start, 'elsewhere');
    const { rows, columns, statistics } = await ask('filter @message like /./');
    expect(rows.map((row) => row['@message'])).toEqual(['second', 'first']);
    expect(rows[1]?.['@timestamp']).toBe(new Date(start).toISOString().replace('T', ' ').slice(0, -1));
    expect(columns[0]).toEqual(['@timestamp', '@message', '@ptr']);
    expect(statistics).toMatchObject({ recordsMatched: 2, recordsScanned: 2, bytesScanned: 11 });
  });

  it('compute statistics by field and period, sorted', async () => {
    cloudWatch.write(group, stream, start, event('/a', 10), event('/a', 30), event('/b', 5));
    cloudWatch.write(group, stream, start + 300_000, event('/a', 50));
    const { rows, columns } = await ask(`# How slow is each route?
      filter ispresent(event.route)
      | stats count(*) as requests, pct(event.duration_ms, 50), avg(event.duration_ms) as mean by event.route, bin(5m)
      | sort requests desc, mean asc`);
    const at = (time: number) => new Date(time).toISOString().replace('T', ' ').slice(0, -1);
    expect(columns[0]).toEqual(['event.route', 'bin(5m)', 'requests', 'pct(event.duration_ms, 50)', 'mean']);
    expect(rows).toEqual([
      { 'event.route': '/a', 'bin(5m)': at(start), requests: '2', 'pct(event.duration_ms, 50)': '10', mean: '20' },
      { 'event.route': '/b', 'bin(5m)': at(start), requests: '1', 'pct(event.duration_ms, 50)': '5', mean: '5' },
      {
        'event.route': '/a',
        'bin(5m)': at(start + 300_000),
        requests: '1',
        'pct(event.duration_ms, 50)': '50',
        mean: '50',
      },
    ]);
  });

  it("have Lambda's fields of REPORT lines, and the JSON within a line of text", async () => {
    cloudWatch.store.log({
      source: 'function',
      timeMilliseconds: start,
      logGroup: group,
      logStream: stream,
      message: `REPORT RequestId: ${requestId}\tDuration: 12.5 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: 70 MB\tInit Duration: 100.25 ms\t`,
      requestId,
      attributes: { '@type': 'REPORT', '@duration': 12.5, '@initDuration': 100.25 },
    });
    cloudWatch.write(
      group,
      stream,
      start + 10,
      `2026-11-26T00:00:00.000Z\t${requestId}\tINFO\t{"cart":{"items":["tea"]}}`,
    );
    const report = await ask('filter @type = "REPORT" and @initDuration > 100 | display @requestId, @duration, @log');
    expect(report.rows).toMatchObject([
      { '@requestId': requestId, '@duration': '12.5', '@log': `123456789012:${group}` },
    ]);
    const json = await ask("filter cart.items.0 = 'tea' | fields toupper(cart.items.0) as what");
    expect(json.rows).toMatchObject([{ what: 'TEA' }]);
  });

  it('parse by glob and by named groups, and drop duplicates', async () => {
    cloudWatch.write(group, stream, start, 'user=worf took 12 ms', 'user=worf took 5 ms', 'user=data took 7 ms', 'x');
    const glob = await ask(
      'parse @message "user=* took * ms" as who, time | filter ispresent(who) | sort time + 0 desc',
    );
    expect(glob.rows.map(({ who, time }) => [who, time])).toEqual([
      ['worf', '12'],
      ['data', '7'],
      ['worf', '5'],
    ]);
    const named = await ask('parse /user=(?<who>\\w+)/ | filter who in ["worf", "data"] | dedup who | limit 5');
    expect(named.rows.map(({ who }) => who)).toEqual(['data', 'worf']);
  });

  it('keep every row that lacks a field of dedup', async () => {
    cloudWatch.write(group, stream, start, '{"k":"a","v":1}', '{"k":"a","v":2}', '{"v":3}', '{"v":4}');
    const { rows } = await ask('fields v | sort @timestamp asc | dedup k');
    expect(rows.map(({ v }) => v)).toEqual(['1', '3', '4']);
  });

  it('trim the signs that are named, and write every time as a time', async () => {
    cloudWatch.write(group, stream, start, 'x');
    const at = new Date(start).toISOString().replace('T', ' ').slice(0, -1);
    const { rows } = await ask(
      'fields trim("--x--", "-") as t, ltrim("--x--", "-") as l, rtrim(" x ") as r, bin(1h) as hour, @timestamp as time',
    );
    expect(rows).toMatchObject([{ t: 'x', l: 'x--', r: ' x', hour: at, time: at }]);
  });

  it('take the limit of the request, and groups by their ARN', async () => {
    cloudWatch.write(group, stream, start, 'a', 'b', 'c');
    const identifier = `arn:aws:logs:eu-central-1:123456789012:log-group:${group}`;
    const { rows } = await ask('fields @message', {
      logGroupName: undefined,
      logGroupIdentifiers: [identifier],
      limit: 2,
    });
    expect(rows.map((row) => row['@message'])).toEqual(['c', 'b']);
  });

  it('answer one row for statistics of nothing, and none for statistics by a field', async () => {
    expect((await ask('stats count(*) as n, sum(x) as s')).rows).toEqual([{ n: '0' }]);
    expect((await ask('stats count(*) as n by x')).rows).toEqual([]);
  });

  it('refuse a query that does not compile with its place, and a group that does not exist', async () => {
    await expect(ask('fields @message | filter boom(@x) = 1')).rejects.toMatchObject({
      name: 'MalformedQueryException',
      message: 'Unknown function boom, at character 26.',
      queryCompileError: { location: { startCharOffset: 25, endCharOffset: 29 }, message: 'Unknown function boom' },
    });
    await expect(ask('fields @message', { logGroupName: '/none' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    await expect(ask('SELECT 1', { queryLanguage: 'SQL' })).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
  });

  it('end a query whose regular expression backtracks without end, and answer the next one', async () => {
    cloudWatch.write(group, stream, start, `${'a'.repeat(40)}!`);
    expect((await ask('filter @message like /^(a+)+$/')).status).toBe('Timeout');
    expect((await ask('fields strlen(@message) as length')).rows).toMatchObject([{ length: '41' }]);
  });

  it('are listed by DescribeQueries, the newest first', async () => {
    await ask('fields @message');
    await ask('stats count(*)');
    const { queries } = await cloudWatch.logs.send(new DescribeQueriesCommand({ logGroupName: group }));
    expect(queries?.map(({ queryString, status }) => [queryString, status])).toEqual([
      ['stats count(*)', 'Complete'],
      ['fields @message', 'Complete'],
    ]);
  });
});

const run = (query: string, rows: Record<string, string | number>[]) => {
  const started = new QueryRun(parseInsightsQuery(query));
  for (const row of rows) started.add(new Map(Object.entries(row)));
  return started.result().map((row) => Object.fromEntries(row.map(({ field, value }) => [field, value])));
};

describe('the query language', () => {
  it.each([
    ['a = 1 or b = 2 and c = 3', { a: 1 }, true],
    ['(a = 1 or b = 2) and c = 3', { a: 1 }, false],
    ['not a = 1', { a: 2 }, true],
    ['a not like /^x/', { a: 'yx' }, true],
    ['a =~ /(?i)ERROR/', { a: 'an error' }, true],
    ['a like "err"', { a: 'an error' }, true],
    ['a / 2 / 5 = 1', { a: 10 }, true],
    ['a + 2 * 3 = 7', { a: 1 }, true],
    ['-a < 0', { a: 1 }, true],
    ['a = "10"', { a: 10 }, true],
    ['a > 9', { a: '10' }, true],
    ['a != 1', {}, true],
    ['a < 1', {}, false],
    ['`x-y` = 1', { 'x-y': 1 }, true],
    ['strlen(concat(a, "bc")) = 3', { a: 'a' }, true],
    ['coalesce(b, a) = 5', { a: 5 }, true],
  ])('finds that %s', (condition, row: Record<string, string | number>, holds) => {
    expect(run(`filter ${condition} | fields 1 as one`, [row]).length).toBe(holds ? 1 : 0);
  });

  it.each([
    ['fields', 6, 6],
    ['fields a | bogus b', 11, 16],
    ['filter a = "x', 11, 12],
    ['stats count(*) by', 17, 17],
    ['stats median2(a)', 6, 13],
    ['stats pct(a)', 6, 9],
    ['limit 0', 6, 7],
    ['parse @message "a * b *" as c', 15, 24],
    ['parse @message /(x/ ', 15, 19],
    ['filter a like 5', 14, 15],
  ])('names the place of what is wrong in: %s', (query, from, to) => {
    try {
      parseInsightsQuery(query);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(SyntaxProblem);
      expect([(error as SyntaxProblem).start, (error as SyntaxProblem).end]).toEqual([from, to]);
    }
  });

  it('throws nothing but a problem with its place, whatever the text', () => {
    const words = fc.constantFrom(
      ...[
        'fields',
        'filter',
        'stats',
        'sort',
        'parse',
        'limit',
        'by',
        'as',
        'a',
        '@message',
        '"x"',
        '/x/',
        '(',
        ')',
        '|',
        ',',
        '=',
        'like',
        'not',
        'in',
        '[',
        ']',
        '5',
        '5m',
        'count',
        'bin',
        '*',
        '-',
        '`',
      ],
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(words).map((all) => all.join(' ')),
        ),
        (text) => {
          try {
            parseInsightsQuery(text);
          } catch (error) {
            expect(error).toBeInstanceOf(SyntaxProblem);
          }
        },
      ),
    );
  });

  it('counts, adds and groups as a plain calculation does', () => {
    const rows = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), n: fc.integer({ min: -100, max: 100 }) }));
    fc.assert(
      fc.property(rows, fc.integer({ min: -100, max: 100 }), (all, least) => {
        const kept = all.filter(({ n }) => n >= least);
        const expected = [...new Set(kept.map(({ key }) => key))].sort().map((key) => {
          const numbers = kept.filter((row) => row.key === key).map(({ n }) => n);
          return {
            key,
            c: String(numbers.length),
            s: String(numbers.reduce((total, n) => total + n, 0)),
            lo: String(Math.min(...numbers)),
            d: String(new Set(numbers).size),
          };
        });
        const query = `filter n >= ${least < 0 ? `0 - ${-least}` : least} | stats count(*) as c, sum(n) as s, min(n) as lo, count_distinct(n) as d by key | sort key`;
        expect(run(query, all)).toEqual(expected);
      }),
    );
  });
});
