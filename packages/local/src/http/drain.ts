import type { IncomingMessage } from 'node:http';

/** @returns whether a request has a body of which something was not read. */
export function hasUnreadBody(request: IncomingMessage): boolean {
  const { 'content-length': length = '0', 'transfer-encoding': chunked } = request.headers;
  const hasBody = length !== '0' || chunked !== undefined;
  return hasBody && !request.complete && !request.readableEnded;
}

/**
 * Receives and discards the rest of a body. Closing on a client that is still writing resets the
 * connection, and the client never reads its answer.
 * @param milliseconds the longest wait for the end of the body.
 * @param signal ends the wait. Never rejects.
 */
export function drain(request: IncomingMessage, milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted || request.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      request.off('end', finish).off('close', finish);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, milliseconds);
    timer.unref();
    request.once('end', finish).once('close', finish);
    signal?.addEventListener('abort', finish, { once: true });
    request.resume();
  });
}
