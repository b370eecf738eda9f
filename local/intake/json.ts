import type { AttributeValue } from '../store/records.ts';
import { IntakeError, type IntakeLimits } from './http.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses a body after counting what it would become, so that neither depth nor number can exhaust the stack or the heap.
 * @throws IntakeError 400 with the position, 413 when it nests or counts beyond the limits
 */
export function parseJson(body: Uint8Array, limits: Pick<IntakeLimits, 'depth' | 'objects'>): unknown {
  assertWithinLimits(body, limits);
  let text: string;
  try {
    text = UTF8.decode(body);
  } catch {
    throw new IntakeError(400, 'The body is not valid UTF-8.');
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new IntakeError(400, `The body is not valid JSON: ${(error as Error).message}`);
  }
}

function assertWithinLimits(body: Uint8Array, limits: Pick<IntakeLimits, 'depth' | 'objects'>): void {
  let depth = 0;
  let objects = 0;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i];
    if (byte === QUOTE) {
      // indexOf is native: most of a telemetry body is inside strings.
      let end = body.indexOf(QUOTE, i + 1);
      while (end !== -1 && isEscaped(body, end)) end = body.indexOf(QUOTE, end + 1);
      if (end === -1) return;
      i = end;
    } else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > limits.depth) {
        throw new IntakeError(413, `The JSON nests deeper than ${limits.depth} levels, at byte ${i}.`);
      }
      if (++objects > limits.objects) {
        throw new IntakeError(413, `The JSON holds more than ${limits.objects} objects and arrays.`);
      }
    } else if (byte === 0x7d || byte === 0x5d) {
      depth--;
    }
  }
}

function isEscaped(body: Uint8Array, quote: number): boolean {
  let backslashes = 0;
  while (body[quote - 1 - backslashes] === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}

export type JsonObject = Record<string, unknown>;

/** @returns whether `value` is a JSON object: neither null, nor an array, nor a scalar. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @returns `value` when it is a string that is not empty, or a number as one. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string' && value !== '') return value;
  return typeof value === 'number' ? String(value) : undefined;
}

/** Sets an own property whatever its name: plain assignment to `__proto__` would replace the prototype instead. */
export function setOwn<T>(record: Record<string, T>, key: string, value: T): void {
  if (key === '__proto__') {
    Object.defineProperty(record, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    record[key] = value;
  }
}

/** @returns the members of a parsed JSON object without `except`, as attributes. */
export function attributesOf(
  object: JsonObject,
  except: ReadonlySet<string> = new Set(),
): Record<string, AttributeValue> {
  const attributes: Record<string, AttributeValue> = {};
  for (const [key, value] of Object.entries(object)) {
    if (!except.has(key)) setOwn(attributes, key, value as AttributeValue);
  }
  return attributes;
}

/** @returns JSON text of an attribute's value; a BigInt beyond what JSON's readers can hold is written as a string. */
export function toJsonText(value: unknown): string {
  return JSON.stringify(value, (_key, member) => (typeof member === 'bigint' ? String(member) : member)) ?? '';
}
