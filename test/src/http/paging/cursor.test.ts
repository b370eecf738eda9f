import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cursorCodec } from '../../../../src/http/paging/cursor.ts';

const codec = cursorCodec('a secret of some length');

describe('a cursor', () => {
  it('decrypts to its position for the same route, user and query', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), fc.string(), (position, binding) => {
        expect(codec.open(codec.seal(position, binding), binding)).toBe(position);
      }),
    );
  });

  it('does not decrypt for another route, user or query', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), fc.string(), (position, binding, other) => {
        fc.pre(binding !== other);
        expect(codec.open(codec.seal(position, binding), other)).toBeUndefined();
      }),
    );
  });

  it('does not decrypt if any character is changed', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ .';
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(...alphabet), (place, character) => {
        const sealed = codec.seal('2026-11-22T16:00:00.000Z#68f126b0', 'home');
        const at = place % sealed.length;
        fc.pre(sealed[at] !== character);
        expect(codec.open(sealed.slice(0, at) + character + sealed.slice(at + 1), 'home')).toBeUndefined();
      }),
    );
  });

  it('does not decrypt with another secret', () => {
    expect(cursorCodec('another secret of that length').open(codec.seal('x', 'home'), 'home')).toBeUndefined();
  });

  it('never throws on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(codec.open(text, 'home')).toBeUndefined();
      }),
    );
  });

  it('reveals nothing of the position, not even that two are equal', () => {
    const [one, two] = [codec.seal('2026-11-22', 'home'), codec.seal('2026-11-22', 'home')];
    expect(one).not.toBe(two);
    expect(Buffer.from(one, 'base64url').toString('latin1')).not.toContain('2026');
  });
});
