import { createHash, randomUUID } from 'node:crypto';
import { invalidInput } from '../errors.ts';
import { firstTry, type Origin } from '../table/first-try.ts';
import type { Identity } from '../users/user.ts';
import { type ApiEvent, header, pathVariable } from './request.ts';

/**
 * Finds out whether a request has been here before: with an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header)
 * each of its tries gets the origin of the first, so that all of them write the same items, which writes once, and
 * answer the same, also when they come at once or when an earlier one was cut off midway. Without the header each try
 * is a request of its own. Call it with checked input only: a key is not used up by input that was refused.
 * @throws {ExpectedError} `invalid_input` with `idempotency_key_invalid`, unless the key has 1-255 visible ASCII
 * characters, or with `idempotency_key_reused`, when it came with another path or body within the last 24 hours
 */
export async function originOf(event: ApiEvent & { user: Identity }, now: Date): Promise<Origin> {
  const origin = { uuid: randomUUID(), now };
  const key = header(event, 'idempotency-key')?.trim();
  if (key === undefined) return origin;
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) throw invalidInput(['idempotency_key_invalid']);
  const variables = Object.keys(event.pathParameters ?? {}).map((name) => pathVariable(event, name).toLowerCase());
  const fingerprint = hashOf([variables, event.json]);
  const first = await firstTry(hashOf([event.user.id, event.httpMethod, event.resource, key]), {
    uuid: origin.uuid,
    created_at: now.toISOString(),
    fingerprint,
  });
  if (first.fingerprint !== fingerprint) throw invalidInput(['idempotency_key_reused']);
  return { uuid: first.uuid, now: new Date(first.created_at) };
}

/** A key of the table ends at 2,048 bytes, and what a caller wrote is kept nowhere twice. */
function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url');
}
