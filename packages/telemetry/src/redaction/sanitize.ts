import { isBoxedPrimitive } from 'node:util/types';
import { errorParts, isError, namedMembers, readMember, reasonOf } from './error-parts.ts';
import { isSecretKey, redacted } from './patterns.ts';
import { redactText } from './redact.ts';

/** A JSON value. */
export type Plain = string | number | boolean | null | Plain[] | { [key: string]: Plain };

const limits = { depth: 8, keys: 100, items: 100, characters: 8_192, total: 100_000, key: 256 };
/** The time to write a longer integer grows with the square of its length. */
const largestInteger = 2n ** 4_096n;

/**
 * Copies any value to plain JSON, redacted and bounded: 8 levels, 100 keys or items a level, 8 KB a
 * string, about 100 KB of JSON in all. A member that cannot be read (a getter or a Proxy that
 * throws) is named instead. Never throws, never calls `toJSON`.
 * @param part of those 100 KB, where the value is not alone on its line.
 */
export function sanitize(value: unknown, part = 1): Plain {
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

/** Stands in for a value. A million of them are as long as any text, so they count. */
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
    // A subclass may return anything, even no text.
    if (value instanceof Date)
      return text(Number.isNaN(value.getTime()) ? 'Invalid Date' : String(value.toISOString()), progress);
    // A boxed string has a key for each character.
    if (isBoxedPrimitive(value)) return copy(value.valueOf(), depth + 1, progress);
    if (isError(value)) return copyError(value, depth, progress);
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
    result.push(copy(readMember(values, index), depth + 1, progress));
  }
  if (result.length < size) result.push(note(`[${size - result.length} more]`, progress));
  return result;
}

/**
 * An error's message stays, whatever its key is called elsewhere: a secret in it is taken out by
 * its form.
 */
function copyError(error: Error, depth: number, progress: Progress): Plain {
  const { message, ...named } = errorParts(error);
  const keys = Object.keys(error).filter((key) => !namedMembers.has(key));
  const own = readEntries(error, keys.slice(0, limits.keys - 8));
  const reason = reasonOf(error);
  const result: { [key: string]: Plain } = {};
  if (reason !== undefined) result.reason = copy(reason, depth + 1, progress);
  result.name = copy(named.name, depth + 1, progress);
  result.message = copy(message, depth + 1, progress);
  const present = [...Object.entries(named).slice(1), ...own].filter(([, member]) => member !== undefined);
  const rest = copyEntries(present, present.length + keys.length - own.length, depth, progress);
  return { ...result, ...rest };
}

/** @param size of the whole, of which `entries` may be the first part. */
function copyEntries(
  entries: [unknown, unknown][],
  size: number,
  depth: number,
  progress: Progress,
): { [key: string]: Plain } {
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
  return keys.map((key) => [key, readMember(value, key)]);
}

// A subclass may have its own, endless iterator.
const mapEntries = Map.prototype.entries;
const setValues = Set.prototype.values;

/** @returns the first `most` values; the rest, perhaps millions, is never read. */
function first<T>(values: Iterator<T>, most: number): T[] {
  const result: T[] = [];
  for (let next = values.next(); !next.done && result.length < most; next = values.next()) result.push(next.value);
  return result;
}

/** A card number is as secret as a number; fewer than six digits are not secret. */
function number(value: number): Plain {
  const shown = String(value);
  return shown.length < 6 || redactText(shown) === shown ? value : redacted;
}

/**
 * Some readers end a log line at U+2028, U+2029 or U+0085: they become line feeds, which JSON
 * escapes.
 */
function text(value: string, progress: Progress): string {
  // Cut before the patterns run, with room for a secret that the cut would halve.
  const bounded = value.length > limits.characters * 2 ? value.slice(0, limits.characters * 2) : value;
  const clean = redactText(bounded)
    .replace(/[\u2028\u2029\u0085]/g, '\n')
    .toWellFormed();
  const room = Math.max(0, Math.min(limits.characters, progress.left));
  const result = clean.length > room ? `${clean.slice(0, room)}… [${value.length} characters]` : clean;
  progress.left -= lengthInJson(result) + 3;
  return result;
}

/** @returns bytes: a control character takes six, most of the world's letters two or three. */
function lengthInJson(value: string): number {
  return /[^\x20-\x7e]|["\\]/.test(value) ? Buffer.byteLength(JSON.stringify(value)) - 2 : value.length;
}

/** A value that X-Ray can index and OpenTelemetry carries as it is. */
export type AnnotationValue = string | number | boolean;

/**
 * @returns a redacted value that both carry; anything but a string, finite number or boolean
 * becomes text.
 */
export function toScalar(value: unknown): AnnotationValue {
  const plain = sanitize(value);
  return typeof plain === 'object' ? JSON.stringify(plain) : plain;
}
