import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { isExpected } from '../../../src/errors.ts';
import { check, message, text } from '../../../src/http/validation.ts';

function codesOf(schema: v.GenericSchema, input: unknown): string[] {
  try {
    check(schema, input);
    return [];
  } catch (error) {
    if (!isExpected(error)) throw error;
    return error.failedChecks;
  }
}

describe('a message', () => {
  const schema = v.object({ message: message(280) });

  it('is counted in code points after trimming, in any script', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 0, maxLength: 600, size: 'max' }), (given) => {
        const length = [...given.toWellFormed().trim()].length;
        const codes = length === 0 ? ['message_blank'] : length > 280 ? ['message_exceed_max_chars'] : [];
        expect(codesOf(schema, { message: given })).toEqual(codes);
      }),
    );
  });

  it('of any other type is blank', () => {
    const others = fc.anything().filter((value) => typeof value !== 'string');
    fc.assert(
      fc.property(others, (value) => {
        expect(codesOf(schema, { message: value })).toEqual(['message_blank']);
      }),
    );
  });
});

describe('checked input', () => {
  it('fails with codes only, for any JSON', () => {
    const schema = v.object({ a: text('a_blank'), b: text('b_blank') });
    fc.assert(
      fc.property(fc.jsonValue(), (input) => {
        expect(['', 'a_blank', 'b_blank', 'a_blank,b_blank']).toContain(codesOf(schema, input).join(','));
      }),
    );
  });

  it('ignores inherited properties', () => {
    const schema = v.object({ a: text('a_blank') });
    expect(codesOf(schema, JSON.parse('{"__proto__":{"a":"x"}}'))).toEqual(['a_blank']);
  });
});
