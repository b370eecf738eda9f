import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explain } from '../../src/explain/index.ts';
import { reasonKey, routeOf, runContext } from '../../src/explain/run-statistics.ts';
import { summaryOf } from '../../src/trace/build-trace.ts';
import { inOrder, type Trace } from '../../src/trace/trace.ts';
import { anyTrace } from '../trace/arbitrary-trace.ts';
import { node, trace } from '../trace/sample-trace.ts';

/**
 * Traces that real runs have sent: `handlers/plain.ts` uses no telemetry, `handlers/all.ts` uses
 * @throughline/telemetry.
 */
function recorded(name: string): Trace {
  return JSON.parse(readFileSync(new URL(`./recorded/${name}.json`, import.meta.url), 'utf8')) as Trace;
}

/** Durations differ between recordings; the words do not. */
const words = (sentence: string) => sentence.replace(/\d+(\.\d+)? (ms|s|%)/g, '# $2');

describe('the sentence of a recorded request', () => {
  it.each([
    [
      'refused-connection',
      'Failed with 502: connect ECONNREFUSED 127.0.0.1:4998 (TypeError: fetch failed), in GET 127.0.0.1:4998/pay.',
    ],
    ['slow-call', '# s, of which # s (# %) in GET 127.0.0.1:4999/slow.'],
    [
      'calls-in-a-row',
      '# s, of which # ms in 25 × GET 127.0.0.1:4999/pay/{id} one after another (at once about # ms), # ms in Init (cold start).',
    ],
    [
      'timeout',
      'Timed out after # s, waiting for GET 127.0.0.1:4999/never for # s, # s after its last log line “waiting for payments”.',
    ],
    [
      'wrong-answer',
      `Failed with 502: SyntaxError: Unexpected token '<', "[redacted]" is not valid JSON, after GET 127.0.0.1:4999/html answered 200.`,
    ],
    [
      'failed-downstream',
      'Failed with 502: payments answered 503, after GET 127.0.0.1:4999/fail answered 503, at handlers/all.ts:12.',
    ],
    [
      'exception-without-spans',
      "Failed with 502: TypeError: Cannot read properties of undefined (reading 'name'), at handlers/plain.ts:5.",
    ],
    [
      'timeout-without-spans',
      "Timed out after # s in the handler's own code, # s after its last log line “last words”.",
    ],
    [
      'slow-without-spans',
      '# s, of which # s (# %) in code that no span covers, # s after its last log line “charging”.',
    ],
    ['own-code', '# s, of which # ms (# %) in Init (cold start), # ms in code that no span covers.'],
    ['unknown-route', 'Answered 403 without calling a function: the gateway refused it.'],
    ['cold-start', '# s, of which # ms (# %) in Init (cold start), # ms in work, # ms in GET 127.0.0.1:4999/pay/{id}.'],
    ['warm', "# ms, of which # ms (# %) in GET 127.0.0.1:4999/pay/{id}, # ms in Lambda's runtime."],
  ])('%s', (name, sentence) => {
    expect(words(explain(recorded(name)).sentence)).toBe(sentence);
  });

  it('says what is missing where the function sent no span', () => {
    expect(explain(recorded('slow-without-spans')).missing).toEqual([
      'The function sent no span, so its calls are not recorded.',
    ]);
  });
});

describe('the rules', () => {
  const handler = (children: Trace['roots'], end = 1000) =>
    trace([node('## handler', 0, end, { type: 'segment', children })], { duration: end });
  const call = (name: string, from: number, to: number | undefined, more = {}) =>
    node(name, from, to, { namespace: 'remote', http: { method: 'GET', url: `http://${name}/pay` }, ...more });

  it('put a build that fails before everything else', () => {
    const message = 'The handlers do not build: handlers/a.ts:3:7: Unexpected "}"';
    const failing = trace(
      [
        node('function', 0, 5, {
          type: 'segment',
          fault: true,
          exceptions: [{ type: 'Runtime.ImportModuleError', message, stack: [] }],
        }),
      ],
      { fault: true },
    );
    expect(explain(failing)).toMatchObject({ kind: 'build', reason: message });
  });

  it('name throttles and retries', () => {
    const query = node('DynamoDB', 100, 900, {
      namespace: 'aws',
      throttle: true,
      aws: { operation: 'Query', table_name: 'orders', retries: 3 },
    });
    expect(explain(handler([query])).sentence).toBe(
      '1.00 s, of which 800 ms in DynamoDB Query orders, which was throttled and retried 3 times.',
    );
  });

  it('do not call parallel calls a sequence', () => {
    const parallel = Array.from({ length: 10 }, (_, index) => call('payments', 10, 800 + index));
    expect(explain(handler(parallel)).kind).toBe('group');
    const row = Array.from({ length: 5 }, (_, index) => call('payments', index * 100, index * 100 + 90));
    expect(explain(handler(row)).kind).toBe('sequence');
  });

  it('tell the start of a process on this machine apart from Lambda', () => {
    const code = node('function', 600, 1000, { type: 'segment', origin: 'AWS::Lambda::Function' });
    const lambda = node('lambda', 0, 1000, { type: 'segment', origin: 'AWS::Lambda', children: [code] });
    expect(explain(trace([lambda])).sentence).toBe(
      '1.00 s, of which 400 ms (40 %) in code that no span covers, 600 ms in starting a process on this machine.',
    );
  });

  it('compare with the median of the route in the run, without the request itself', () => {
    const slow = handler([call('payments', 0, 1000)]);
    const say = (milliseconds: number, requests: number) =>
      explain(slow, { usual: { milliseconds, requests } }).sentence.replace(/^.*\(100 %\) in GET payments\/pay/, '');
    expect(say(111, 7)).toBe('; 9 times its usual 111 ms.');
    expect(say(950, 7)).toBe('; usual for this route: 950 ms.');
    expect(say(0, 0)).toBe('; the first of its kind in this run.');
    expect(say(200, 1)).toBe('; the only other one took 200 ms.');
  });

  it('say what a request in progress waits for', () => {
    const open = trace([
      node('## handler', 0, undefined, { type: 'segment', children: [call('payments', 10, undefined)] }),
    ]);
    expect(explain(open).sentence).toMatch(/^In progress for .+, in GET payments\/pay\.$/);
  });

  it('need no span, and say so', () => {
    expect(explain(trace([]))).toMatchObject({ kind: 'no-evidence', evidence: [] });
  });
});

describe('whatever a trace holds', () => {
  it('no number is in the sentence without evidence, and all evidence is in the trace', () => {
    fc.assert(
      fc.property(anyTrace, (any) => {
        const { sentence, evidence } = explain(any, { usual: { milliseconds: 10, requests: 3 }, failures: 2 });
        const ids = new Set([...inOrder(any.roots)].map(({ id }) => id));
        let rest = sentence;
        for (const { text, nodes = [], logs = [], run } of evidence) {
          const at = rest.indexOf(text);
          expect(at).toBeGreaterThanOrEqual(0);
          // The words between two pieces of evidence are the rule's own.
          expect(rest.slice(0, at)).not.toMatch(/\d/);
          rest = rest.slice(at + text.length);
          for (const id of nodes) expect(ids).toContain(id);
          for (const log of logs) expect(any.logs[log]).toBeDefined();
          expect(nodes.length + logs.length > 0 || run).toBe(true);
        }
        expect(rest).not.toMatch(/\d/);
      }),
    );
  });

  it('the parts of the critical path lie end to end, and the terms add up to what the caller waited', () => {
    fc.assert(
      fc.property(anyTrace, (any) => {
        const { criticalPath, terms, waited = 0 } = explain(any);
        for (const [index, { start, end }] of criticalPath.entries()) {
          expect(end).toBeGreaterThan(start);
          if (index > 0) expect(start).toBe(criticalPath[index - 1]?.end);
        }
        const sum = terms.reduce((total, { milliseconds }) => total + milliseconds, 0);
        expect(Math.abs(sum - waited)).toBeLessThanOrEqual(1e-6 * Math.max(1, waited));
        if (terms.length > 0) expect(terms.reduce((total, { share }) => total + share, 0)).toBeCloseTo(1);
      }),
    );
  });
});

describe('runContext', () => {
  const summary = (id: string, url: string, duration: number) => ({
    ...summaryOf(trace([])),
    id,
    method: 'GET',
    url,
    duration,
  });

  it("takes the median of the route's other requests, IDs folded", () => {
    const all = [
      summary('a', 'http://x/u/1', 10),
      summary('b', 'http://x/u/2?q=1', 30),
      summary('c', 'http://x/u/3', 20),
    ];
    const own = summary('d', 'http://x/u/4', 900);
    expect(runContext(own, [...all, own, summary('e', 'http://x/other', 5)], new Map())).toEqual({
      usual: { milliseconds: 20, requests: 3 },
    });
  });

  it('counts requests that failed for the same reason', () => {
    const reasons = new Map([
      ['a', 'x'],
      ['b', 'x'],
      ['c', 'y'],
    ]);
    expect(runContext(summary('a', 'http://x/', 1), [], reasons).failures).toBe(2);
  });

  it('knows a route whatever the IDs in it', () => {
    const id = '0b0d1f0e-7a55-4d0c-9d4f-8f1a2b3c4d5e';
    expect(routeOf({ method: 'GET', url: `http://h/users/${id}/posts/42?a=1` })).toBe('GET /users/{id}/posts/{id}');
    expect(reasonKey('order 12 failed after 3.1 s “words”')).toBe(reasonKey('order 7 failed after 20 s “others”'));
  });
});
