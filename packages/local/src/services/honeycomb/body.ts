import { decode, ExtData } from '@msgpack/msgpack';
import { HttpError } from '../../http/http-error.ts';
import { isObject, parseJson, setOwn } from '../../receiver/json.ts';
import { mediaType, type ReceiverLimits, type ReceiverRequest } from '../../receiver/receiver.ts';

/**
 * Parses the body of an event or a batch: MessagePack where the Content-Type says so, else JSON.
 * Honeycomb takes all else for JSON: its documentation's own `curl -d` says that it sends a form.
 * @throws {HttpError} 400 or 413.
 */
export function parseBody(body: Buffer, request: ReceiverRequest, limits: ReceiverLimits): unknown {
  if (!mediaType(request.headers).includes('msgpack')) return parseJson(body, { ...limits, integer: BigInt });
  try {
    return plain(
      decode(body, { useBigInt64: true, maxArrayLength: limits.records, maxMapLength: 10_000 }),
      limits.depth,
    );
  } catch (error) {
    if (error instanceof HttpError) throw error;
    throw new HttpError(
      400,
      `Request body is malformed and cannot be read as MessagePack: ${(error as Error).message}`,
    );
  }
}

/** @returns the value as JSON would have it: times as ISO 8601, bytes as base64, integers exact. */
function plain(value: unknown, levels: number): unknown {
  if (levels === 0) throw new HttpError(413, 'Request body nests too deep.');
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (typeof value === 'string') return value.toWellFormed();
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof ExtData) return null;
  if (Array.isArray(value)) return value.map((element) => plain(element, levels - 1));
  if (!isObject(value)) return value ?? null;
  const object: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) setOwn(object, key, plain(member, levels - 1));
  return object;
}
