import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidSearch, matchesSearch, parseSearch } from '../../src/trace/search.ts';
import type { TraceSummary } from '../../src/trace/trace.ts';

const summary: TraceSummary = {
  id: '6561dad1a1b2c3d4e5f60718293a4b5c',
  xrayId: '1-6561dad1-a1b2c3d4e5f60718293a4b5c',
  start: 0,
  duration: 450,
  inProgress: false,
  error: false,
  fault: true,
  throttle: false,
  coldStart: true,
  method: 'GET',
  url: 'http://127.0.0.1:3000/api/users/worf?limit=5',
  status: 502,
  user: 'worf',
  reason: 'connect ECONNREFUSED 127.0.0.1:4998',
};

describe('a search', () => {
  it.each([
    ['', true],
    ['status>=500', true],
    ['status:502', true],
    ['status:5xx', true],
    ['status:4xx', false],
    ['status!=502', false],
    ['route:/api/users', true],
    ['route=/api/users', false],
    ['time:>300ms', true],
    ['time>0.5s', false],
    ['time<=450', true],
    ['user:worf', true],
    ['user!=worf', false],
    ['-user:worf', false],
    ['is:failed is:cold', true],
    ['-is:cold', false],
    ['is:running', false],
    ['econnrefused', true],
    ['"connect ECONN"', true],
    ['reason:"connect econnrefused" method:get', true],
    ['status>=500 route:/api/users time:>300ms user:worf refused', true],
    ['status>=500 nowhere', false],
    ['293a4b5c', true],
    ['http://127.0.0.1:3000/api', true],
  ])('%j: %s', (text, fits) => {
    expect(matchesSearch(summary, parseSearch(text))).toBe(fits);
  });

  it.each([
    ['statsu:500', /There is no field "statsu"; there are status, method/],
    ['status:abc', /"status:abc" needs a number, such as status>=500/],
    ['time:>soon', /needs a number, such as time:>300ms/],
    ['is:warm', /there are is:cold, is:failed and is:running/],
    ['"open', /Close the quote/],
  ])('refuses %j with what to write instead', (text, sentence) => {
    expect(() => parseSearch(text)).toThrow(sentence);
  });

  it('never does anything but parse or say why not, and a text finds itself', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        try {
          matchesSearch(summary, parseSearch(text));
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidSearch);
        }
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z][a-z ]{0,20}$/), (words) => {
        expect(matchesSearch({ ...summary, reason: words }, parseSearch(JSON.stringify(words)))).toBe(true);
      }),
    );
  });
});
