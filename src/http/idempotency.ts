import { createHash, randomUUID } from 'node:crypto';
import { failure, invalidInput } from '../errors.ts';
import { claimIdempotencyKey, type WriteIdentity } from '../table/idempotency-key.ts';
import type { Identity } from '../users/user.ts';
import { type ApiEvent, header, pathVariable } from './request.ts';

/**
 * Makes retries safe: with an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header) every
 * try of a request gets the write identity of the first. All tries then write the same items and
 * give the same answer, also when they run at once or an earlier one stopped midway. Without the
 * header each try is a request of its own. Call it with checked input only, so that refused input
 * does not use up the key.
 * @throws {ExpectedError} `invalid_input` with `idempotency_key_invalid`, unless the key has
 *   1-255 visible ASCII characters, or with `idempotency_key_reused`, when it came with another
 *   path or body within the last 24 hours; `body_too_deep` when the body cannot be compared with
 *   the first try's
 */
export async function writeIdentityOf(event: ApiEvent & { user: Identity }, now: Date): Promise<WriteIdentity> {
  const fresh = { uuid: randomUUID(), now };
  const key = header(event, 'idempotency-key')?.trim();
  if (key === undefined) return fresh;
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) throw invalidInput(['idempotency_key_invalid']);
  if (isDeeperThan(mostLevels, event.json)) throw failure('body_too_deep');
  const variables = Object.keys(event.pathParameters ?? {}).map((name) => pathVariable(event, name).toLowerCase());
  const fingerprint = hashOf([variables, event.json]);
  const first = await claimIdempotencyKey(hashOf([event.user.id, event.httpMethod, event.resource, key]), {
    uuid: fresh.uuid,
    created_at: now.toISOString(),
    fingerprint,
  });
  if (first.fingerprint !== fingerprint) throw invalidInput(['idempotency_key_reused']);
  return { uuid: first.uuid, now: new Date(first.created_at) };
}

/**
 * Levels of a body that are compared between tries. Thousands would overflow the stack of
 * `JSON.stringify`.
 */
const mostLevels = 64;

function isDeeperThan(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeperThan(levels - 1, inner));
}

/**
 * Hashes, since a table key holds at most 2,048 bytes and the caller's text should not be stored
 * twice.
 */
function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url');
}
