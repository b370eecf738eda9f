import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cell, columns, line, plain, truncate, wrap } from '../../../src/cli/render/text.ts';
import { hostileText } from '../../trace/arbitrary-trace.ts';

describe('plain', () => {
  it('takes escape sequences out whole, not only their first character', () => {
    expect(plain('a\u001b[31mred\u001b[0m \u001b]8;;http://evil\u0007link\u001b]8;;\u0007')).toBe('ared link');
  });

  it('makes each tab and line end one space', () => {
    expect(plain('a\tb\r\nc')).toBe('a b  c');
  });

  it('leaves letters, emoji of several parts and combining marks as they are', () => {
    for (const text of ['Grüße', 'e\u0301', '日本語', '👩‍👩‍👧‍👦', '🇩🇪']) expect(plain(text)).toBe(text);
  });
});

describe('truncate', () => {
  it('leaves what fits, also when it fits exactly', () => {
    expect(truncate('hello', 5)).toBe('hello');
    expect(truncate('日本', 4)).toBe('日本');
  });

  it('measures columns, not characters, and never cuts a character of several parts in two', () => {
    expect(truncate('日本語テスト', 5)).toBe('日本…');
    expect(truncate('👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 3)).toBe('👩‍👩‍👧‍👦…');
  });

  it('never gives more columns than asked for', () => {
    fc.assert(
      fc.property(hostileText, fc.integer({ min: 0, max: 30 }), (text, width) => {
        expect(columns(truncate(plain(text), width))).toBeLessThanOrEqual(width);
      }),
    );
  });

  it('does not stack the thousand marks of one character over the lines around it', () => {
    expect(truncate(`a${'\u0301'.repeat(1000)}`, 10).length).toBeLessThan(10);
  });
});

describe('cell', () => {
  it('is as wide as asked for, whatever is in it', () => {
    expect(cell('日', 4)).toBe('日  ');
    expect(cell('12 ms', 8, 'right')).toBe('   12 ms');
    expect(cell('longer than that', 6)).toBe('longe…');
  });
});

describe('wrap', () => {
  it('breaks at spaces, and says by … that something is left out', () => {
    expect(wrap('the quick brown fox jumps over the lazy dog', 15, 2)).toEqual(['the quick brown', 'fox jumps over…']);
  });

  it('breaks a word that is longer than a line', () => {
    expect(wrap('abcdefghij', 4, 3)).toEqual(['abcd', 'efgh', 'ij']);
  });

  it('loses nothing but white space when there are lines enough', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), fc.integer({ min: 4, max: 30 }), (text, width) => {
        const squeezed = (value: string) => value.replaceAll(' ', '');
        expect(squeezed(wrap(text, width, 100).join(''))).toBe(squeezed(plain(text)));
      }),
    );
  });
});

describe('line', () => {
  it('never gives more columns than asked for when pieces join into other characters', () => {
    fc.assert(
      fc.property(fc.array(hostileText, { maxLength: 5 }), fc.integer({ min: 1, max: 30 }), (texts, width) => {
        expect(
          columns(
            line(
              texts.map((text) => ({ text })),
              width,
              false,
            ),
          ),
        ).toBeLessThanOrEqual(width);
      }),
    );
  });
});
