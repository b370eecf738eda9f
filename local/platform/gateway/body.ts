import type { IncomingMessage } from 'node:http';

/** API Gateway's own limit (10 MB). */
export const maxBodyBytes = 10_485_760;
/** Lambda's limit for an event (6 MB and 100 bytes): no longer body fits in one, as an event holds at least its body. */
export const maxEventBytes = 6_291_556;

export type BodyReading =
  | { kind: 'read'; body: Buffer }
  /** `declared`: the length that the client announced, where it did. */
  | { kind: 'too-large'; declared?: number }
  /** There will be no end: the client went away, what it sent is no body, or the gateway stops. */
  | { kind: 'aborted' };

/** @returns a reading that says so when the announced length alone is over the limit. */
export function refuseByLength(incoming: IncomingMessage): Extract<BodyReading, { kind: 'too-large' }> | undefined {
  const declared = Number(incoming.headers['content-length'] ?? 0);
  return declared > maxEventBytes ? { kind: 'too-large', declared } : undefined;
}

/** Reads a body into memory as long as it can fit into an event; what is longer is neither read to its end nor kept. Never rejects. */
export function readBody(incoming: IncomingMessage, ending: AbortSignal): Promise<BodyReading> {
  const refused = refuseByLength(incoming);
  if (refused) return Promise.resolve(refused);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const done = (reading: BodyReading): void => {
      incoming.off('data', take);
      ending.removeEventListener('abort', abort);
      resolve(reading);
    };
    const abort = (): void => done({ kind: 'aborted' });
    const take = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > maxEventBytes) {
        incoming.pause();
        done({ kind: 'too-large' });
      } else {
        chunks.push(chunk);
      }
    };
    incoming.on('data', take);
    incoming.once('end', () => done({ kind: 'read', body: Buffer.concat(chunks) }));
    incoming.once('error', abort);
    incoming.once('close', abort);
    ending.addEventListener('abort', abort, { once: true });
    if (ending.aborted) abort();
  });
}
