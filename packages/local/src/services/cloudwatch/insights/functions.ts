import type { Value } from './query.ts';

/** @returns the number that a value is or reads as; undefined for anything else. */
export function numberOf(value: Value): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

export const textOf = (value: Value): string => (value === undefined ? '' : String(value));

const numeric =
  (work: (...numbers: number[]) => number) =>
  (...values: Value[]): Value => {
    const numbers = values.map(numberOf);
    if (numbers.length === 0 || numbers.some((one) => one === undefined)) return undefined;
    const result = work(...(numbers as number[]));
    return Number.isFinite(result) ? result : undefined;
  };

const textual =
  (work: (text: string, ...more: Value[]) => Value) =>
  (first: Value, ...more: Value[]): Value =>
    first === undefined ? undefined : work(String(first), ...more);

/** @returns the text without white space at its start, or without any of `signs` there. */
function trimmedStart(text: string, signs?: Value): string {
  if (signs === undefined) return text.trimStart();
  let start = 0;
  while (start < text.length && textOf(signs).includes(text.charAt(start))) start++;
  return text.slice(start);
}

function trimmedEnd(text: string, signs?: Value): string {
  if (signs === undefined) return text.trimEnd();
  let end = text.length;
  while (end > 0 && textOf(signs).includes(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

/**
 * The functions of an expression. Source: Amazon CloudWatch Logs User Guide, "Supported operations
 * and functions".
 */
export const functions: Record<string, (...values: Value[]) => Value> = {
  abs: numeric(Math.abs),
  ceil: numeric(Math.ceil),
  floor: numeric(Math.floor),
  greatest: numeric(Math.max),
  least: numeric(Math.min),
  log: numeric(Math.log),
  sqrt: numeric(Math.sqrt),
  ispresent: (value) => value !== undefined,
  isempty: (value) => value === undefined || value === '',
  isblank: (value) => textOf(value).trim() === '',
  coalesce: (...values) => values.find((value) => value !== undefined),
  concat: (...values) => values.map(textOf).join(''),
  strlen: textual((text) => text.length),
  toupper: textual((text) => text.toUpperCase()),
  tolower: textual((text) => text.toLowerCase()),
  trim: textual((text, signs) => trimmedEnd(trimmedStart(text, signs), signs)),
  ltrim: textual(trimmedStart),
  rtrim: textual(trimmedEnd),
  substr: textual((text, start, length) => {
    const from = numberOf(start) ?? 0;
    const count = numberOf(length);
    return text.slice(from, count === undefined ? undefined : from + count);
  }),
  replace: textual((text, found, by) => text.replaceAll(textOf(found), () => textOf(by))),
  strcontains: textual((text, part) => (text.includes(textOf(part)) ? 1 : 0)),
  tomillis: (value) => numberOf(value),
  frommillis: (value) => numberOf(value),
};

export const functionNames: ReadonlySet<string> = new Set(Object.keys(functions));
