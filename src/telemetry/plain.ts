import { isSecretKey, redacted, redactText } from './redaction.ts';

/** What JSON holds. */
export type Plain = string | number | boolean | null | Plain[] | { [key: string]: Plain };

const limits = { depth: 8, keys: 100, items: 100, characters: 8_192, total: 100_000 };

/**
 * Makes a copy of any value that JSON can hold, redacted and bounded: 8 levels, 100 keys or items a level, 8 KB a string, about 100 KB in
 * all. What cannot be read (a getter or a Proxy that throws) is named instead. Never throws, never runs a value's own `toJSON`.
 */
export function toPlain(value: unknown): Plain {
  return copy(value, 0, { left: limits.total, ancestors: new Set() });
}

interface Progress {
  /** Characters that may still be written. */
  left: number;
  ancestors: Set<object>;
}

function copy(value: unknown, depth: number, progress: Progress): Plain {
  try {
    switch (typeof value) {
      case 'string':
        return text(value, progress);
      case 'number':
        return Number.isFinite(value) ? value : String(value);
      case 'boolean':
        return value;
      case 'bigint':
        return text(String(value), progress);
      case 'undefined':
        return null;
      case 'symbol':
        return text(String(value), progress);
      case 'function':
        return '[function]';
      default:
        return value === null ? null : copyObject(value as object, depth, progress);
    }
  } catch {
    return '[unreadable]';
  }
}

function copyObject(value: object, depth: number, progress: Progress): Plain {
  if (progress.ancestors.has(value)) return '[circular]';
  if (depth >= limits.depth) return '[too deep]';
  if (progress.left <= 0) return '[too large]';
  progress.ancestors.add(value);
  try {
    if (Array.isArray(value)) return copyArray(value, depth, progress);
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
    if (value instanceof Error) return copyError(value, depth, progress);
    if (value instanceof Map) return copyEntries([...value].slice(0, limits.keys + 1), depth, progress);
    if (value instanceof Set) return copyArray([...value].slice(0, limits.items + 1), depth, progress);
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (value instanceof URL) return text(`${value.origin}${value.pathname}`, progress);
    return copyEntries(readEntries(value), depth, progress);
  } finally {
    progress.ancestors.delete(value);
  }
}

function copyArray(values: unknown[], depth: number, progress: Progress): Plain {
  const result: Plain[] = [];
  const length = Math.min(values.length, limits.items);
  for (let index = 0; index < length && progress.left > 0; index += 1) {
    progress.left -= 2;
    result.push(copy(read(values, index), depth + 1, progress));
  }
  if (result.length < values.length) result.push(`[${values.length - result.length} more]`);
  return result;
}

function copyError(error: Error, depth: number, progress: Progress): Plain {
  const named: [string, unknown][] = [
    ['name', read(error, 'name')],
    // An error's own text stands in a log; a secret in it is taken out by pattern, not for its key.
    ['stack', read(error, 'stack')],
    ['cause', read(error, 'cause')],
  ];
  const own = readEntries(error).filter(([key]) => !['name', 'message', 'stack', 'cause'].includes(key));
  const present = [...named, ...own].filter(([, member]) => member !== undefined);
  const result = copyEntries(present, depth, progress) as { [key: string]: Plain };
  result['message'] = copy(read(error, 'message'), depth + 1, progress);
  return result;
}

function copyEntries(entries: [unknown, unknown][], depth: number, progress: Progress): Plain {
  const result: { [key: string]: Plain } = {};
  let count = 0;
  for (const [key, member] of entries) {
    if (count >= limits.keys || progress.left <= 0) break;
    count += 1;
    const name = text(typeof key === 'string' ? key : String(key), progress).slice(0, 256);
    const plain =
      isSecretKey(name) && member !== null && member !== undefined ? redacted : copy(member, depth + 1, progress);
    // A key named __proto__ is a key like any other.
    Object.defineProperty(result, name, { value: plain, enumerable: true, configurable: true, writable: true });
  }
  if (entries.length > count) result['…'] = `${entries.length - count} more`;
  return result;
}

function readEntries(value: object): [string, unknown][] {
  return Object.keys(value).map((key) => [key, read(value, key)]);
}

function read(value: object, key: string | number): unknown {
  try {
    return (value as Record<string | number, unknown>)[key];
  } catch {
    return '[unreadable]';
  }
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
  progress.left -= result.length + 3;
  return result;
}
