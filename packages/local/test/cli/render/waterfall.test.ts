import { readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { beforeAll, describe, expect, it } from 'vitest';
import { renderWaterfall } from '../../../src/cli/render/waterfall.ts';
import { explain } from '../../../src/explain/index.ts';
import type { Trace } from '../../../src/trace/trace.ts';
import { anyTrace } from '../../trace/arbitrary-trace.ts';
import { coldRequest, faultyRequest, node, trace } from '../../trace/sample-trace.ts';

beforeAll(() => {
  process.env.TZ = 'UTC';
});

const plainly = { width: 80, color: false };

describe('renderWaterfall', () => {
  it('shows a cold request: its tree in time, the cold start, AWS operation and table, logs, metrics, and who would see it', () => {
    expect(`\n${renderWaterfall(coldRequest(), plainly)}\n`).toBe(`
GET /api/activities/home  200  342 ms  cold start
1-6561dad1-a1b2c3d4e5f60718293a4b5c  2026-11-22 15:44:01.123  user andrewbrown

                                                     0 ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 342 ms
dev-cruddur/dev API Gateway 200               342 ms ━━━━━━━━━━━━━━━━━━━━━━━━━━━
└ Lambda                                      338 ms ━━━━━━━━━━━━━━━━━━━━━━━━━━━
  └ cruddur-dev-home Lambda 200               333 ms ━━━━━━━━━━━━━━━━━━━━━━━━━━╸
    └ cruddur-dev-home Lambda function       43.0 ms                        ╺━━━
      ├ Init cold start                       269 ms  ╺━━━━━━━━━━━━━━━━━━━━━
      └ ## handlers/home.handler             27.0 ms                         ━━
        │   route=GET /api/activities/home
        └ activities_home                    20.0 ms                         ╺━
          │   app_result_length=5 app_user_id=andrewbrown
          ├ DynamoDB Query cruddur-dev       8.00 ms                         ╺
          └ DynamoDB BatchGetItem cruddur-…  7.50 ms                          ━

Logs
  +309 ms INFO  reading the home feed limit=20
  +330 ms INFO  request route=GET /api/activities/home status=200
                duration_ms=26.4 user_id=andrewbrown db_calls=2 db_ms=15.5
  +339 ms       REPORT 43.00 ms, init 269.00 ms, 96 of 512 MB used

Metrics
  cruddur requests 1 · latency 26.4 ms · cold_starts 1

X-Ray 9 segments · Honeycomb 4 spans · CloudWatch 5 lines, 3 metrics
Rollbar 0 items
`);
  });

  it('marks what failed, and tells an exception once, where it is deepest, with the first frame of the service itself', () => {
    expect(`\n${renderWaterfall(faultyRequest(), plainly)}\n`).toBe(`
GET /api/activities/home?limit=5  500  36.0 ms
1-6561dad1-a1b2c3d4e5f60718293a4b5c  2026-11-22 15:44:01.123

                                                     0 ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 36.0 ms
✗ dev-cruddur/dev API Gateway 500            36.0 ms ━━━━━━━━━━━━━━━━━━━━━━━━━━━
└ ✗ cruddur-dev-home Lambda function         31.0 ms   ╺━━━━━━━━━━━━━━━━━━━━━━╸
  └ ✗ ## handlers/home.handler               25.0 ms     ━━━━━━━━━━━━━━━━━━╸
    ├ ✗ DynamoDB Query cruddur-dev 400       8.00 ms        ╺━━━━━╸
    │     ResourceNotFoundException: Cannot do operations on a non-existent
    │     table: cruddur-dev. Requested resource not found, and nothing but
    │     words follows
    │     at readFeed /var/task/src/activities/repository.ts:42
    └ no span                                12.0 ms              ┄┄┄┄┄┄┄┄┄┄

Logs
 +29.0 ms ERROR the request failed error=ResourceNotFoundException: Cannot do
                operations on a non-existent table

Rollbar
  error ResourceNotFoundException: Cannot do operations on a non-existent table

X-Ray 4 segments · Honeycomb 0 spans · CloudWatch 1 line, 0 metrics
Rollbar 1 item
`);
  });

  it('begins with the sentence, tells equal siblings once, and sets apart what comes after the answer', () => {
    const file = new URL('../../explain/recorded/calls-in-a-row.json', import.meta.url);
    const recorded = JSON.parse(readFileSync(file, 'utf8')) as Trace;
    const text = renderWaterfall({ ...recorded, explanation: explain(recorded) }, plainly);
    expect(text).toMatch(/^1\.\d\d s, of which \d+ ms in 25 × GET 127\.0\.0\.1:4999\/pay\/\{id\} one after another/m);
    expect(text).toMatch(/^ +└ 25 × GET 127\.0\.0\.1:4999\/pay\/\{id\} +\d+ ms +[╺━]+/m);
    expect(text.match(/GET 127\.0\.0\.1:4999/g)).toHaveLength(2);
    const late = JSON.parse(readFileSync(new URL('failed-downstream.json', file), 'utf8')) as Trace;
    const marked = renderWaterfall(late, plainly);
    expect(marked).toMatch(/^▾ answered; [\d.]+ m?s more after the answer, for which the caller did not wait$/m);
    expect(marked).toMatch(/^ +▾$/m);
  });

  it('gives a wide terminal whole names and longer bars', () => {
    const lines = renderWaterfall(coldRequest(), { width: 140, color: false }).split('\n');
    expect(lines.find((line) => line.includes('BatchGetItem'))).toMatch(/BatchGetItem cruddur-dev +7\.50 ms +╺?━/);
    expect(lines.at(-1)).toBe('X-Ray 9 segments · Honeycomb 4 spans · CloudWatch 5 lines, 3 metrics · Rollbar 0 items');
  });

  it('shows what has not ended with a dashed bar to the end and no duration', () => {
    const text = renderWaterfall(trace([node('slow', 100, undefined)], { inProgress: true }), plainly);
    expect(text.split('\n')[0]).toBe('slow  in progress');
    expect(text).toMatch(/^slow +… +╍+$/m);
  });

  it('says of a span whose parent is elsewhere that its parent has not arrived', () => {
    expect(renderWaterfall(trace([node('child', 0, 5, { orphan: true })]), { width: 120, color: false })).toContain(
      'child (its parent has not arrived)',
    );
  });

  it('tells throttled, error and fault apart without colours', () => {
    const roots = [
      node('one', 0, 1, { throttle: true, error: true }),
      node('two', 0, 1, { error: true }),
      node('three', 0, 1, { fault: true }),
    ];
    expect(renderWaterfall(trace(roots), plainly)).toMatch(/^» one.*\n! two.*\n✗ three/m);
  });

  it('shows a trace of which only logs are here', () => {
    const logs = [{ time: Date.UTC(2026, 10, 22), message: 'alone', logGroup: 'g' }];
    const text = renderWaterfall(trace([], { logs, start: logs[0]?.time ?? 0, end: logs[0]?.time ?? 0 }), plainly);
    expect(text).toContain('Nothing of this trace but its logs');
    expect(text).toContain('alone');
  });

  it('draws ten thousand levels without running out of stack', () => {
    let deepest = node('leaf', 0, 1);
    for (let level = 0; level < 10_000; level += 1) deepest = node('level', 0, 1, { children: [deepest] });
    const lines = renderWaterfall(trace([deepest]), plainly).split('\n');
    expect(lines.filter((line) => /level +1\.00 ms/.test(line)).length).toBe(10_000);
  });

  it('colours on a terminal that wants it, and says the same with and without', () => {
    for (const sample of [coldRequest(), faultyRequest()]) {
      const colored = renderWaterfall(sample, { width: 80, color: true });
      expect(colored).toContain('\u001b[');
      const bare = stripVTControlCharacters(colored).replace(/ +$/gm, '');
      expect(bare).toBe(renderWaterfall(sample, plainly));
    }
  });

  it('is never wider than the terminal, and lets no control character through, whatever a trace holds', () => {
    fc.assert(
      fc.property(anyTrace, fc.integer({ min: 40, max: 200 }), (any, width) => {
        const lines = renderWaterfall(any, { width, color: false }).split('\n');
        expect(lines.filter((line) => stringWidth(line, { countAnsiEscapeCodes: true }) > width)).toEqual([]);
        expect(
          lines.filter((line) => /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]/u.test(line)),
        ).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('takes a terminal of less than 40 columns as one of 40', () => {
    expect(renderWaterfall(coldRequest(), { width: 10, color: false })).toBe(
      renderWaterfall(coldRequest(), { width: 40, color: false }),
    );
  });
});
