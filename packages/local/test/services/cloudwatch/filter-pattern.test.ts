import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesPattern } from '../../../src/services/cloudwatch/filter-pattern/evaluate.ts';
import { parseFilterPattern } from '../../../src/services/cloudwatch/filter-pattern/parse.ts';
import { SyntaxProblem } from '../../../src/services/cloudwatch/syntax.ts';

const matches = (pattern: string, line: string) => matchesPattern(parseFilterPattern(pattern), line);
const access = '127.0.0.1 - frank [10/Oct/2026:13:55:36 -0700] "GET /index.html HTTP/1.0" 404 1534';
const json = JSON.stringify({
  eventType: 'UpdateTrail',
  sourceIPAddress: '10.0.0.7',
  arrayKey: ['value', 'another'],
  objectList: [{ name: 'a', id: 1 }],
  latency: 52.5,
  nothing: null,
  ok: true,
  'cluster.name': 'c',
});

describe('a filter pattern', () => {
  it.each([
    ['', 'anything', true],
    ['ERROR', '[ERROR] no', true],
    ['ERROR', 'error', false],
    ['ERROR ARGUMENTS', 'ERROR MISSING ARGUMENTS', true],
    ['ERROR ARGUMENTS', 'ERROR', false],
    ['"INTERNAL SERVER"', 'INTERNAL SERVER ERROR', true],
    ['"INTERNAL SERVER"', 'SERVER INTERNAL', false],
    ['ERROR -ARGUMENTS', 'ERROR 404', true],
    ['ERROR -"exit 1"', 'ERROR exit 1', false],
    ['?ERROR ?WARN', 'a WARN', true],
    ['?ERROR ?WARN', 'a INFO', false],
    // AWS ignores optional terms beside others.
    ['?ERROR REQUEST', 'INFO REQUEST', true],
    ['%[0-9]+ms%', 'took 12ms', true],
    ['%^[0-9]+ms%', 'took 12ms', false],
  ])('%j asks of the text %j: %j', (pattern, line, expected) => {
    expect(matches(pattern, line)).toBe(expected);
  });

  it.each([
    ['{ $.eventType = "UpdateTrail" }', true],
    ['{ $.eventType = UpdateTrail }', true],
    ['{ $.eventType = "Update*" }', true],
    ['{ $.sourceIPAddress != 123.123.* }', true],
    ['{ $.arrayKey[0] = "value" }', true],
    ['{ $.arrayKey[2] = "value" }', false],
    ['{ $.objectList[0].id = 1 }', true],
    ['{ $.objectList[0].id = "1" }', true],
    ["{ $.['cluster.name'] = c }", true],
    ['{ $.latency > 50 && $.latency <= 5.25e1 }', true],
    ['{ $.latency > 53 || $.ok IS FALSE }', false],
    ['{ ($.ok IS TRUE) && ($.nothing IS NULL) && ($.missing NOT EXISTS) }', true],
    ['{ $.nothing NOT EXISTS }', false],
    ['{ $.eventType = %Trail$% }', true],
    ['{ $.objectList = * }', true],
    ['{ $.missing != "a" }', false],
    ['{ $.ok = true }', true],
    ['{ $.eventType > 1 }', false],
  ])('%j asks of a JSON line: %j', (pattern, expected) => {
    expect(matches(pattern, json)).toBe(expected);
  });

  it('asks nothing in JSON of a line that is not JSON', () => {
    expect(matches('{ $.a NOT EXISTS }', 'text')).toBe(false);
    expect(matches('{ $.a NOT EXISTS }', '{broken')).toBe(false);
  });

  it.each([
    ['[ip, id, user, time, request, status, size]', true],
    ['[ip, id, user, time, request, status]', false],
    ['[ip, id, user, time, request = *html*, status = 4*, size]', true],
    ['[..., status = 4* && status != 404, size]', false],
    ['[..., status = 404 || status = 410, size > 1000]', true],
    ['[ip = %127\\.%, ...]', true],
    ['[ip, ..., time, request, status, size < 1534]', false],
    ['[ip, ..., size >= 1534]', true],
  ])('%j asks of the words of a line: %j', (pattern, expected) => {
    expect(matches(pattern, access)).toBe(expected);
  });

  it.each([
    ['RequestId:', 0, "Invalid character(s) in term 'RequestId:'"],
    ['a "b', 2, 'A quote that does not end'],
    ['a -', 3, 'Unexpected end'],
    ['%(a|b)%', 0, 'not supported'],
    ['%[%', 0, 'regular expression'],
    ['%a% %b% %c%', 8, 'More than 2 regular expressions'],
    ['{ $.a }', 6, 'Unexpected "}"'],
    ['{ $.a = 1 } b', 12, 'Unexpected "b"'],
    ['{ $.a < "x" }', 8, 'needs a number'],
    ['{ $.a[*] = 1 }', 5, 'Unexpected "[*]"'],
    ['[a, b = 1 && c = 2]', 13, 'names "c"'],
    ['[..., a, ...]', 9, 'More than one'],
    ['[]', 1, 'Unexpected "]"'],
    ['x'.repeat(1025), 1024, 'More than 1024 characters'],
    [`{ ${'('.repeat(300)}$.a = 1${')'.repeat(300)} }`, 102, 'deeper'],
  ])('%j is refused at character %i: %s', (pattern, start, message) => {
    expect.assertions(2);
    try {
      parseFilterPattern(pattern);
    } catch (error) {
      expect((error as SyntaxProblem).start).toBe(start);
      expect((error as SyntaxProblem).message).toContain(message);
    }
  });

  it('is read, or refused with its place, whatever it is', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '(',
      ')',
      '$.a',
      '=',
      '&&',
      '||',
      '"',
      '%',
      '-',
      '?',
      ',',
      '...',
      'x',
      '1',
      ' ',
    );
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.array(piece).map((pieces) => pieces.join('')),
    );
    fc.assert(
      fc.property(text, fc.string(), (pattern, line) => {
        try {
          expect(typeof matches(pattern, line)).toBe('boolean');
        } catch (error) {
          if (!(error instanceof SyntaxProblem)) throw error;
          expect(error.start).toBeGreaterThanOrEqual(0);
          expect(error.start).toBeLessThanOrEqual(pattern.length);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('in quotes finds exactly the lines that contain the text', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), fc.string(), (text, before, after) => {
        const pattern = `"${text.replace(/["\\]/g, '\\$&')}"`;
        expect(matches(pattern, before + text + after)).toBe(true);
        expect(matches(pattern, after)).toBe(after.includes(text));
      }),
    );
  });

  it('in JSON compares numbers as numbers', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (one, other) => {
        const line = JSON.stringify({ a: { b: one } });
        expect(matches(`{ $.a.b < ${other} }`, line)).toBe(one < other);
        expect(matches(`{ $.a.b >= ${other} }`, line)).toBe(one >= other);
        expect(matches(`{ $.a.b = ${other} }`, line)).toBe(one === other);
        expect(matches(`{ $.a.b != ${other} }`, line)).toBe(one !== other);
      }),
    );
  });
});
