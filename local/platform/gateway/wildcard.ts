/**
 * Matches `text` against one of X-Ray's patterns: `*` stands for any characters or none, `?` for exactly one, case does not count.
 * Two cursors and one place to return to, so that no pattern takes more than pattern times text steps: patterns and hosts come from outside.
 */
export function matchesWildcard(pattern: string, text: string): boolean {
  const wanted = pattern.toLowerCase();
  const given = text.toLowerCase();
  let cursor = 0;
  let position = 0;
  let star = -1;
  let resume = 0;
  while (position < given.length) {
    if (wanted[cursor] === '*') {
      star = cursor;
      resume = position;
      cursor += 1;
    } else if (cursor < wanted.length && (wanted[cursor] === '?' || wanted[cursor] === given[position])) {
      cursor += 1;
      position += 1;
    } else if (star >= 0) {
      // The last star takes one character more.
      cursor = star + 1;
      resume += 1;
      position = resume;
    } else {
      return false;
    }
  }
  while (wanted[cursor] === '*') cursor += 1;
  return cursor === wanted.length;
}
