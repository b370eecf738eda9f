import { HttpError } from '../http/http-error.ts';
import type { AttributeValue } from '../trace/records.ts';
import type { ReceiverLimits } from './receiver.ts';

const quoteCode = 0x22;
const backslash = 0x5c;
const utf8 = new TextDecoder('utf-8', { fatal: true });

export interface JsonLimits extends Pick<ReceiverLimits, 'depth' | 'objects'> {
  /** Makes the value of a whole number beyond 2^53; without it such a number is rounded. */
  integer?(digits: string): unknown;
}

/**
 * Parses a body after counting what it would become, so that neither depth nor number can exhaust
 * the stack or the heap.
 * @throws HttpError 400 with the position, 413 when it nests or counts beyond the limits
 */
export function parseJson(body: Uint8Array, limits: JsonLimits): unknown {
  assertWithinLimits(body, limits);
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    throw new HttpError(400, 'The body is not valid UTF-8.');
  }
  try {
    return parseExactly(wellFormed(text), limits.integer);
  } catch (error) {
    throw new HttpError(400, `The body is not valid JSON: ${(error as Error).message}`);
  }
}

/** An escape that may be half of a pair; `.` takes any other, so that `\\\\ud800` stays text. */
const escapes = /\\(?:ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|(ud[89a-f][0-9a-f]{2})|.)/gis;

/** @returns JSON with each lone surrogate as U+FFFD, as protobuf and every UTF-8 text have it. */
function wellFormed(json: string): string {
  if (!/\\ud[89a-f]/i.test(json)) return json;
  return json.replace(escapes, (written, lone) => (lone === undefined ? written : '\\ufffd'));
}

/**
 * Whole numbers beyond 2^53, which JavaScript would round, as `integer` makes them of their digits.
 */
function parseExactly(json: string, integer: ((digits: string) => unknown) | undefined): unknown {
  // Looking at each value takes three times as long: only where such a number may stand.
  if (!integer || !/[\s:,[]-?\d{16,}(?![\d.eE])/.test(json)) return JSON.parse(json);
  const exact = (_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d{16,}$/.test(context?.source ?? '')
      ? integer(context?.source ?? '')
      : value;
  return JSON.parse(json, exact);
}

function assertWithinLimits(body: Uint8Array, limits: Pick<ReceiverLimits, 'depth' | 'objects'>): void {
  let depth = 0;
  let objects = 0;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i];
    if (byte === quoteCode) {
      // indexOf is native: most of a telemetry body is inside strings.
      let end = body.indexOf(quoteCode, i + 1);
      while (end !== -1 && isEscaped(body, end)) end = body.indexOf(quoteCode, end + 1);
      if (end === -1) return;
      i = end;
    } else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > limits.depth) {
        throw new HttpError(413, `The JSON nests deeper than ${limits.depth} levels, at byte ${i}.`);
      }
      if (++objects > limits.objects) {
        throw new HttpError(413, `The JSON holds more than ${limits.objects} objects and arrays.`);
      }
    } else if (byte === 0x7d || byte === 0x5d) {
      depth--;
    }
  }
}

function isEscaped(body: Uint8Array, quote: number): boolean {
  let backslashes = 0;
  while (body[quote - 1 - backslashes] === backslash) backslashes++;
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

/**
 * Sets an own property whatever its name: plain assignment to `__proto__` would replace the
 * prototype instead.
 */
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

/**
 * @returns JSON text of an attribute's value; a BigInt beyond what JSON's readers can hold is
 * written as a string.
 */
export function toJsonText(value: unknown): string {
  return JSON.stringify(value, (_key, member) => (typeof member === 'bigint' ? String(member) : member)) ?? '';
}
