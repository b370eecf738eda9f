import { stripVTControlCharacters, styleText } from 'node:util';
import stringWidth from 'string-width';
import type { Piece, Style } from '../../format/style.ts';

export interface RenderOptions {
  /** Columns of the terminal; less than 40 is taken as 40. */
  width: number;
  color: boolean;
}

const formats = {
  plain: [],
  bold: ['bold'],
  dim: ['dim'],
  good: ['green'],
  warning: ['yellow'],
  bad: ['red'],
  throttled: ['magenta'],
  accent: ['blue'],
  cold: ['cyan'],
} as const satisfies Record<Style, readonly Parameters<typeof styleText>[0][]>;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

// A grapheme may carry any number of combining marks, which a terminal stacks over the lines above
// and below.
const longestGrapheme = 16;

/**
 * Makes untrusted text safe for one line of a terminal: no escape sequence, control, bidirectional
 * override or lone surrogate is left, and each tab or line end is a space.
 */
export function plain(text: string): string {
  return stripVTControlCharacters(text)
    .toWellFormed()
    .replace(/[\s\u0085]/gu, ' ')
    .replace(/\p{Cc}/gu, '\uFFFD')
    .replace(/(?!\u200D)\p{Cf}/gu, '');
}

/** @returns how many columns of a terminal `text` takes. */
export function columns(text: string): number {
  return stringWidth(text, { countAnsiEscapeCodes: true });
}

/** @returns the longest beginning of `text` that fits `width` columns. */
function take(text: string, width: number): string {
  let result = '';
  let used = 0;
  // A grapheme of no width counts as one column here, so that an endless row of them ends too.
  for (const { segment } of graphemes.segment(text.slice(0, (width + 1) * longestGrapheme))) {
    const grapheme = segment.length > longestGrapheme ? '\uFFFD' : segment;
    used += Math.max(1, columns(grapheme));
    if (used > width) break;
    result += grapheme;
  }
  return result;
}

/**
 * @returns `text` where it fits `width` columns, else the longest beginning that does, with `…` as
 * its last column.
 */
export function truncate(text: string, width: number): string {
  if (width <= 0) return '';
  const whole = take(text, width);
  return whole.length === text.length ? whole : `${take(text, width - 1)}…`;
}

/**
 * @returns `text` in exactly `width` columns: cut with `…`, or filled up with spaces at its end (or
 * start).
 */
export function cell(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const fitted = truncate(plain(text), width);
  const space = ' '.repeat(Math.max(0, width - columns(fitted)));
  return align === 'left' ? fitted + space : space + fitted;
}

/**
 * Breaks `text` at spaces into at most `most` lines of `width` columns; the last one ends in `…`
 * where something was left out.
 */
export function wrap(text: string, width: number, most: number): string[] {
  const lines: string[] = [];
  // Only so much can be shown; a megabyte on one line is not worth looking through.
  let rest = plain(text.slice(0, width * most * longestGrapheme))
    .replace(/ +/g, ' ')
    .trim();
  while (rest !== '' && lines.length < most - 1) {
    const full = take(rest, width);
    if (full === '' || !rest.startsWith(full)) break;
    const space = full.length === rest.length || rest[full.length] === ' ' ? full.length : full.lastIndexOf(' ');
    const broken = space > full.length / 2 ? full.slice(0, space) : full;
    lines.push(broken);
    rest = rest.slice(broken.length).trim();
  }
  if (rest !== '') lines.push(truncate(rest, width));
  return lines;
}

/**
 * Puts pieces into one line of at most `width` columns. Every line that is printed goes through
 * here, so no text can leave its line, widen it, or colour it by itself.
 */
export function line(pieces: Piece[], width: number, color: boolean): string {
  let used = 0;
  let result = '';
  let shown = '';
  for (const piece of pieces) {
    if (used >= width) break;
    const safe = plain(piece.text);
    let text = truncate(safe, width - used);
    // Two pieces side by side can make one grapheme that is wider than both: a digit and a keycap
    // mark.
    for (let room = width - used - 1; columns(shown + text) > width; room -= 1) text = truncate(safe, room);
    if (text === '') continue;
    shown += text;
    used = columns(shown);
    const format = formats[piece.style ?? 'plain'];
    // validateStream off: whether to colour was decided by who knows the stream.
    result += color && format.length > 0 ? styleText([...format], text, { validateStream: false }) : text;
  }
  return result.trimEnd();
}
