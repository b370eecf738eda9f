import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GatewayAnswer } from './proxy-response.ts';

/** How long a client may go on sending a body that nobody wants, so that it reads the answer instead of finding the connection reset. */
const lingerMilliseconds = 5_000;

function hasBody(incoming: IncomingMessage): boolean {
  return Number(incoming.headers['content-length'] ?? 0) > 0 || incoming.headers['transfer-encoding'] !== undefined;
}

function discard(incoming: IncomingMessage, ending: AbortSignal, then: () => void): void {
  if (ending.aborted) {
    then();
    return;
  }
  const timer = setTimeout(finish, lingerMilliseconds);
  timer.unref();
  function finish(): void {
    clearTimeout(timer);
    incoming.off('end', finish).off('close', finish);
    ending.removeEventListener('abort', finish);
    then();
  }
  incoming.once('end', finish).once('close', finish);
  ending.addEventListener('abort', finish, { once: true });
  incoming.resume();
}

/**
 * Writes an answer. Where the body of the request has not been read to its end, the connection is closed afterwards; the rest of the body is
 * received and thrown away first. A client that announced its body and waits for `100 Continue` has its answer at once, too.
 */
export function writeAnswer(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { status, headers, body }: GatewayAnswer,
  ending: AbortSignal,
): void {
  // The client may have gone; what is written then goes nowhere.
  outgoing.on('error', () => {});
  if (outgoing.destroyed) return;
  const unread = hasBody(incoming) && !incoming.readableEnded;
  const bodiless = status === 204 || status === 304;
  const fields = headers.flat();
  if (!bodiless) fields.push('Content-Length', String(body.length));
  if (unread) fields.push('Connection', 'close');
  outgoing.writeHead(status, fields);
  if (!unread) {
    outgoing.end(bodiless ? undefined : body);
    return;
  }
  if (bodiless || incoming.method === 'HEAD') outgoing.flushHeaders();
  else outgoing.write(body);
  discard(incoming, ending, () => outgoing.end());
}
