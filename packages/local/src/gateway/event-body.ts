import type { IncomingMessage } from 'node:http';
import { collectBody } from '../http/read-body.ts';

/** API Gateway's own limit (10 MB). */
export const maxBodyBytes = 10_485_760;
/**
 * Lambda's limit for an event (6 MB and 100 bytes): no longer body fits in one, as an event holds
 * at least its body.
 */
export const maxEventBytes = 6_291_556;

export type BodyReading =
  | { kind: 'read'; body: Buffer }
  /** `declared`: the length that the client announced, where it did. */
  | { kind: 'too-large'; declared?: number }
  /** The body has no end: the client went away, sent an invalid body, or the gateway stops. */
  | { kind: 'aborted' };

/** @returns a reading that says so when the announced length alone is over the limit. */
export function refuseByLength(incoming: IncomingMessage): Extract<BodyReading, { kind: 'too-large' }> | undefined {
  const declared = Number(incoming.headers['content-length'] ?? 0);
  return declared > maxEventBytes ? { kind: 'too-large', declared } : undefined;
}

/**
 * Reads a body into memory as long as it can fit into an event; what is longer is neither read to
 * its end nor kept. Never rejects.
 */
export async function readBody(incoming: IncomingMessage, ending: AbortSignal): Promise<BodyReading> {
  const refused = refuseByLength(incoming);
  if (refused) return refused;
  const { end, body } = await collectBody(incoming, {
    maximumBytes: maxEventBytes,
    overflow: 'stop',
    signal: ending,
  });
  return end === 'complete' ? { kind: 'read', body } : { kind: end };
}
