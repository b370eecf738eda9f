import { distance } from 'fastest-levenshtein';

/** @returns the one of `names` that differs from `name` by at most two letters, or undefined. */
export function closest(name: string, names: readonly string[]): string | undefined {
  const near = names
    .map((known) => ({ known, letters: distance(name.slice(0, 100), known) }))
    .filter(({ known, letters }) => letters <= Math.min(2, known.length - 1))
    .sort((one, other) => one.letters - other.letters);
  return near[0]?.known;
}
