/**
 * Words of one message that get an index item each. A message has at most 280 characters, so 50 longer words than the
 * one that is searched for cannot be in it unless it is made of one- to four-letter words alone; a search finds a
 * message by its longest word.
 */
const indexedWords = 50;

/**
 * A key of the table ends at 2,048 bytes, and folding can make one character eighteen: words that differ only after
 * these are one.
 */
const longestWord = 256;

// Made on first use: that takes milliseconds, and most functions that list activities never need one.
let segmenter: Intl.Segmenter | undefined;

/** @returns the distinct words of `text` as they are compared: folded in case and width, longest first. */
export function wordsOf(text: string): string[] {
  const folded = text.normalize('NFKC').toLowerCase();
  segmenter ??= new Intl.Segmenter('und', { granularity: 'word' });
  const words = [...segmenter.segment(folded)]
    .filter(({ isWordLike }) => isWordLike)
    .map(({ segment }) => segment.slice(0, longestWord).toWellFormed());
  return [...new Set(words)].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
}

/** @returns those of a message's words by which a search may begin. */
export function wordsToIndex(words: string[]): string[] {
  return words.slice(0, indexedWords);
}
