import { isBoxedPrimitive } from 'node:util/types';
import { isSecretKey, redacted, redactText } from './redaction.ts';

/** What JSON holds. */
export type Plain = string | number | boolean | null | Plain[] | { [key: string]: Plain };

const limits = { depth: 8, keys: 100, items: 100, characters: 8_192, total: 100_000, key: 256 };
/** Writing a longer integer takes time with the square of its length. */
const largestInteger = 2n ** 4_096n;

/**
 * Makes a copy of any value that JSON can hold, redacted and bounded: 8 levels, 100 keys or items a level, 8 KB a string, about 100 KB of
 * JSON in all. What cannot be read (a getter or a Proxy that throws) is named instead. Never throws, never runs a value's own `toJSON`.
 * @param part of those 100 KB, where it is not alone on its line.
 */
export function toPlain(value: unknown, part = 1): Plain {
  return copy(value, 0, { left: limits.total * part, ancestors: new Set() });
}

interface Progress {
  /** Bytes of JSON that may still be written. */
  left: number;
  ancestors: Set<object>;
}

function copy(value: unknown, depth: number, progress: Progress): Plain {
  try {
    switch (typeof value) {
      case 'string':
        return text(value, progress);
      case 'number':
        progress.left -= String(value).length;
        return Number.isFinite(value) ? number(value) : String(value);
      case 'boolean':
        progress.left -= 5;
        return value;
      case 'bigint':
        if (value > largestInteger || value < -largestInteger) return note('[large integer]', progress);
        return text(String(value), progress);
      case 'undefined':
        return nothing(progress);
      case 'symbol':
        return text(String(value), progress);
      case 'function':
        return note('[function]', progress);
      default:
        return value === null ? nothing(progress) : copyObject(value as object, depth, progress);
    }
  } catch {
    return note('[unreadable]', progress);
  }
}

function nothing(progress: Progress): null {
  progress.left -= 4;
  return null;
}

/** What stands in the place of a value. A million of them are as long as any text. */
function note(words: string, progress: Progress): string {
  progress.left -= words.length + 2;
  return words;
}

function copyObject(value: object, depth: number, progress: Progress): Plain {
  if (progress.ancestors.has(value)) return note('[circular]', progress);
  if (depth >= limits.depth) return note('[too deep]', progress);
  if (progress.left <= 0) return note('[too large]', progress);
  progress.ancestors.add(value);
  try {
    if (Array.isArray(value)) return copyArray(value, value.length, depth, progress);
    // A subclass may answer anything, also what is no text.
    if (value instanceof Date)
      return text(Number.isNaN(value.getTime()) ? 'Invalid Date' : String(value.toISOString()), progress);
    // It has a key for each of its characters.
    if (isBoxedPrimitive(value)) return copy(value.valueOf(), depth + 1, progress);
    if (value instanceof Error) return copyError(value, depth, progress);
    if (value instanceof Map)
      return copyEntries(first(mapEntries.call(value), limits.keys), value.size, depth, progress);
    if (value instanceof Set) return copyArray(first(setValues.call(value), limits.items), value.size, depth, progress);
    if (ArrayBuffer.isView(value)) return text(`[${value.byteLength} bytes]`, progress);
    if (value instanceof URL) return text(`${value.origin}${value.pathname}`, progress);
    const keys = Object.keys(value);
    return copyEntries(readEntries(value, keys.slice(0, limits.keys)), keys.length, depth, progress);
  } finally {
    progress.ancestors.delete(value);
  }
}

/** @param size of the whole, of which `values` may be the first part. */
function copyArray(values: unknown[], size: number, depth: number, progress: Progress): Plain {
  const result: Plain[] = [];
  const length = Math.min(values.length, limits.items);
  for (let index = 0; index < length && progress.left > 0; index += 1) {
    progress.left -= 2;
    result.push(copy(read(values, index), depth + 1, progress));
  }
  if (result.length < size) result.push(note(`[${size - result.length} more]`, progress));
  return result;
}

function copyError(error: Error, depth: number, progress: Progress): Plain {
  const named: [string, unknown][] = [
    ['name', read(error, 'name')],
    // An error's own text stands in a log; a secret in it is taken out by pattern, not for its key.
    ['stack', read(error, 'stack')],
    ['cause', read(error, 'cause')],
  ];
  const keys = Object.keys(error).filter((key) => !['name', 'message', 'stack', 'cause'].includes(key));
  const own = readEntries(error, keys.slice(0, limits.keys - named.length));
  const present = [...named, ...own].filter(([, member]) => member !== undefined);
  const size = present.length + keys.length - own.length;
  const result = copyEntries(present, size, depth, progress) as { [key: string]: Plain };
  result['message'] = copy(read(error, 'message'), depth + 1, progress);
  return result;
}

/** @param size of the whole, of which `entries` may be the first part. */
function copyEntries(entries: [unknown, unknown][], size: number, depth: number, progress: Progress): Plain {
  const result: { [key: string]: Plain } = {};
  let count = 0;
  for (const [key, member] of entries) {
    if (count >= limits.keys || progress.left <= 0) break;
    count += 1;
    // With room for a secret that the cut would halve.
    const name = text((typeof key === 'string' ? key : String(key)).slice(0, limits.key * 2), progress).slice(
      0,
      limits.key,
    );
    const isSecret = isSecretKey(name) && member !== null && member !== undefined;
    const plain = isSecret ? note(redacted, progress) : copy(member, depth + 1, progress);
    // A key named __proto__ is a key like any other.
    Object.defineProperty(result, name, { value: plain, enumerable: true, configurable: true, writable: true });
  }
  if (size > count) result['…'] = `${size - count} more`;
  return result;
}

function readEntries(value: object, keys: string[]): [string, unknown][] {
  return keys.map((key) => [key, read(value, key)]);
}

// A subclass may have an iterator of its own, without an end.
const mapEntries = Map.prototype.entries;
const setValues = Set.prototype.values;

/** @returns the first `most`: the rest is not even read, there may be millions. */
function first<T>(values: Iterator<T>, most: number): T[] {
  const result: T[] = [];
  for (let next = values.next(); !next.done && result.length < most; next = values.next()) result.push(next.value);
  return result;
}

function read(value: object, key: string | number): unknown {
  try {
    return (value as Record<string | number, unknown>)[key];
  } catch {
    return '[unreadable]';
  }
}

/** The number of a card is as secret without quotation marks; one of less than six characters is none. */
function number(value: number): Plain {
  const shown = String(value);
  return shown.length < 6 || redactText(shown) === shown ? value : redacted;
}

/** A line of a log ends at U+2028, U+2029 and U+0085 for some readers: they become line feeds, which JSON escapes, as it does control characters. */
function text(value: string, progress: Progress): string {
  // Long texts are cut before the patterns run over them, with room for a secret that the cut would halve.
  const bounded = value.length > limits.characters * 2 ? value.slice(0, limits.characters * 2) : value;
  const clean = redactText(bounded)
    .replace(/[\u2028\u2029\u0085]/g, '\n')
    .toWellFormed();
  const room = Math.max(0, Math.min(limits.characters, progress.left));
  const result = clean.length > room ? `${clean.slice(0, room)}… [${value.length} characters]` : clean;
  progress.left -= lengthInJson(result) + 3;
  return result;
}

/** @returns bytes: a control character is six of them, and most letters of the world are two or three. */
function lengthInJson(value: string): number {
  return /[^\x20-\x7e]|["\\]/.test(value) ? Buffer.byteLength(JSON.stringify(value)) - 2 : value.length;
}
