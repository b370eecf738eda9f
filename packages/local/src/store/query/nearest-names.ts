import { distance } from 'fastest-levenshtein';

const most = 3;

/** @returns the names most like `wanted`, the likest first; none where nothing is like it. */
export function nearestNames(wanted: string, names: readonly string[]): string[] {
  const short = wanted.slice(0, 100).toLowerCase();
  const scored = [...new Set(names)].map((name) => ({
    name,
    score: distance(short, name.slice(0, 100).toLowerCase()),
  }));
  const enough = Math.max(1, Math.floor(short.length / 3));
  const near = scored.filter(({ score }) => score <= enough);
  near.sort((one, other) => one.score - other.score || (one.name < other.name ? -1 : 1));
  return near.slice(0, most).map(({ name }) => name);
}
