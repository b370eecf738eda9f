/**
 * Words of one message that get an index item each. A message has at most 280 characters, so 50
 * longer words than the one that is searched for cannot be in it unless it is made of one- to
 * four-letter words alone; a search finds a message by its longest word.
 */
const indexedWords = 50;

/**
 * A key of the table ends at 2,048 bytes, and folding can make one character eighteen: words that
 * differ only after these are one.
 */
const longestWord = 256;

// Made on first use: that takes milliseconds, and most functions that list activities never need
// one.
let segmenter: Intl.Segmenter | undefined;

/** @returns the distinct words and emoji of `text` as they are compared, longest first. */
export function wordsOf(text: string): string[] {
  segmenter ??= new Intl.Segmenter('und', { granularity: 'word' });
  const words = [...segmenter.segment(folded(text))]
    .filter(
      ({ isWordLike, segment }) => isWordLike || /[\p{Extended_Pictographic}\p{Regional_Indicator}]/u.test(segment),
    )
    .map(({ segment }) => segment.slice(0, longestWord).toWellFormed());
  return [...new Set(words)].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
}

/**
 * Folds case and width, accents and the curly apostrophe that phones write. Marks go where they
 * stand on Latin and Greek letters alone: in other scripts they make another letter, such as が of
 * か.
 */
function folded(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/([\p{Script=Latin}\p{Script=Greek}])\p{Mn}+/gu, '$1')
    .replaceAll('\u2019', "'")
    .normalize('NFKC');
}

/** @returns those of a message's words by which a search may begin. */
export function wordsToIndex(words: string[]): string[] {
  return words.slice(0, indexedWords);
}
