import { describe, expect, it } from 'vitest';
import { errors, failure, invalidInput, isExpected } from '../../src/errors.ts';

describe('an expected error', () => {
  it('is recognised by its code, since a bundle can hold two copies of the class', () => {
    expect(isExpected(failure('unauthenticated'))).toBe(true);
    expect(isExpected({ code: 'activity_not_found', failedChecks: [] })).toBe(true);
  });
  it.each([
    undefined,
    null,
    'unauthenticated',
    new Error('x'),
    { code: 'ECONNREFUSED' },
    { code: 'toString' },
    { code: 404 },
  ])('is not %s', (error) => {
    expect(isExpected(error)).toBe(false);
  });
  it('is not an object that throws when it is inspected', () => {
    const refuse = () => {
      throw new Error('no');
    };
    expect(isExpected(Object.defineProperty(new Error('x'), 'code', { get: refuse }))).toBe(false);
    expect(isExpected(new Proxy({}, { has: refuse }))).toBe(false);
  });
  it('has a stack that begins where it is thrown', () => {
    for (const error of [failure('user_not_found'), invalidInput(['a_blank'])]) {
      expect(error.stack?.split('\n')[1]).toContain('errors.test.ts');
    }
  });
  it('carries every failed check', () => {
    expect(invalidInput(['a_blank', 'b_blank'])).toMatchObject({
      code: 'invalid_input',
      failedChecks: ['a_blank', 'b_blank'],
    });
  });
  it("counts as the caller's", () => {
    for (const { status } of Object.values(errors)) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
    }
  });
});
