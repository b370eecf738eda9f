import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesWildcard } from '../../../../local/platform/gateway/wildcard.ts';

/** The same language by regular expression, which may take exponential time and is therefore not used itself. */
function byExpression(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\/]/g, '\\$&')
    .replaceAll('*', '[^]*')
    .replaceAll('?', '[^]');
  return new RegExp(`^${source}$`, 'i').test(text);
}

describe('matchesWildcard', () => {
  it.each([
    ['*', '', true],
    ['*', 'anything', true],
    ['/api/*', '/api/activities/home', true],
    ['/api/*', '/health', false],
    ['api-?/dev', 'api-1/dev', true],
    ['api-?/dev', 'api-/dev', false],
    ['GET', 'get', true],
    ['*.example.com', 'a.example.com', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a.c', 'abc', false],
    ['', 'a', false],
  ])('%s and %s: %s', (pattern, text, expected) => {
    expect(matchesWildcard(pattern, text)).toBe(expected);
  });

  it('agrees with a regular expression on every pattern', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'B', '.', '/', '*', '?'), maxLength: 8 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'A', '.', '/'), maxLength: 10 });
    fc.assert(
      fc.property(letters, text, (pattern, given) => {
        expect(matchesWildcard(pattern, given)).toBe(byExpression(pattern, given));
      }),
      { numRuns: 2000 },
    );
  });

  it('ends on a pattern that a backtracking matcher would not end on', () => {
    expect(matchesWildcard(`${'*a'.repeat(200)}b`, 'a'.repeat(10_000))).toBe(false);
  });
});
