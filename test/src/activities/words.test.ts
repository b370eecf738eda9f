import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mentionsIn } from '../../../src/activities/activity.ts';
import { wordsOf, wordsToIndex } from '../../../src/activities/words.ts';

describe('the words of a text', () => {
  it.each([
    ['Cloud is very fun!', ['cloud', 'very', 'fun', 'is']],
    ['the The THE', ['the']],
    ['ＷＩＤＥ and ﬁne', ['wide', 'fine', 'and'].sort((a, b) => b.length - a.length)],
    ["don't stop, @worf #go", ["don't", 'stop', 'worf', 'go']],
    ['😀 !!! …', ['😀']],
    ['🇩🇪 👨‍👩‍👧', ['🇩🇪', '👨‍👩‍👧']],
    ['Crème BRÛLÉE, cre\u0300me', ['creme', 'brulee']],
    ['Ωμέγα', ['ωμεγα']],
    ['don’t', ["don't"]],
    ['!!! …', []],
    ['', []],
  ])('of "%s" are %j, longest first', (text, words) => {
    expect(new Set(wordsOf(text))).toEqual(new Set(words));
    const lengths = wordsOf(text).map((word) => word.length);
    expect(lengths).toEqual([...lengths].sort((a, b) => b - a));
  });

  it('are found in Japanese, which has no spaces', () => {
    expect(wordsOf('クラウドは楽しい')).toContain('楽しい');
  });

  it('keep marks that make another letter: か is not が, и is not й', () => {
    expect(wordsOf('が й')).not.toEqual(wordsOf('か и'));
    expect(wordsOf('か\u3099')).toEqual(wordsOf('が'));
  });

  it('fit into a table key of 2,048 bytes, and at most 50 are indexed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 280, size: 'max' }), (text) => {
        const words = wordsOf(text);
        for (const word of words) expect(Buffer.byteLength(word)).toBeLessThanOrEqual(1024);
        expect(wordsToIndex(words).length).toBeLessThanOrEqual(50);
      }),
    );
    expect(Buffer.byteLength(wordsOf('\ufdfa'.repeat(280))[0] ?? '')).toBeLessThanOrEqual(1024);
  });
});

describe('the mentions in a message', () => {
  it.each([
    ['@worf', ['worf']],
    ['hi @Worf, and @WORF!', ['worf']],
    ['(@a_b9) @bayko.', ['a_b9', 'bayko']],
    ['mail@worf.example me@@worf', []],
    ['@wörf @', []],
    ['no one', []],
  ])('"%s" are %j', (message, handles) => {
    expect(mentionsIn(message)).toEqual(handles);
  });
});
