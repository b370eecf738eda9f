import { setOwn } from '../../receiver/json.ts';
import type { AttributeValue } from '../../trace/records.ts';
import type { AnyValue, KeyValue } from './generated/opentelemetry/proto/common/v1/common_pb.js';

const maximumSafe = BigInt(Number.MAX_SAFE_INTEGER);

/** @returns a number where that is exact, else the BigInt. */
function integer(value: bigint): number | bigint {
  return value <= maximumSafe && value >= -maximumSafe ? Number(value) : value;
}

/** @returns the value as it is kept; bytes as base64, nothing as null. */
export function attributeValue(value: AnyValue | undefined): AttributeValue {
  const held = value?.value;
  switch (held?.case) {
    case 'stringValue':
    case 'boolValue':
    case 'doubleValue':
      return held.value;
    case 'intValue':
      return integer(held.value);
    case 'bytesValue':
      return Buffer.from(held.value.buffer, held.value.byteOffset, held.value.byteLength).toString('base64');
    case 'arrayValue':
      return held.value.values.map(attributeValue);
    case 'kvlistValue':
      return attributes(held.value.values);
    default:
      return null;
  }
}

/**
 * @returns a record of the first `maximum` pairs; of a key that comes twice the last value counts.
 */
export function attributes(pairs: KeyValue[], maximum = Number.POSITIVE_INFINITY): Record<string, AttributeValue> {
  const record: Record<string, AttributeValue> = {};
  const count = Math.min(pairs.length, maximum);
  for (let i = 0; i < count; i++) {
    const pair = pairs[i];
    if (pair) setOwn(record, pair.key, attributeValue(pair.value));
  }
  return record;
}

/**
 * @returns how many attributes are missing: what the sender left out, and what is over the limit;
 * undefined for none.
 */
export function droppedAttributes(pairs: KeyValue[], bySender: number, maximum: number): number | undefined {
  return bySender + Math.max(0, pairs.length - maximum) || undefined;
}

/** @returns the ids as hex digits. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** @returns the id as hex digits when it has `length` bytes that are not all zero. */
export function identifier(bytes: Uint8Array, length: 8 | 16): string | undefined {
  if (bytes.length !== length) return undefined;
  for (const byte of bytes) if (byte !== 0) return hex(bytes);
  return undefined;
}

/**
 * Beyond this a time was negative, or no number, before it was written as an unsigned integer. It
 * is the year 2262.
 */
export const latestNanoseconds = 2n ** 63n - 1n;

/**
 * @returns epoch milliseconds with microseconds behind the point: what a double holds exactly
 * enough.
 */
export function milliseconds(nanoseconds: bigint): number {
  return Number(nanoseconds / 1000n) / 1000;
}
