import type { IncomingMessage, ServerResponse } from 'node:http';
import { drain, hasUnreadBody } from '../../http/drain.ts';
import type { GatewayAnswer } from '../answer.ts';

/**
 * How long a client may go on sending a body that nobody wants, so that it reads the answer instead
 * of finding the connection reset.
 */
const lingerMilliseconds = 5_000;

/**
 * Writes an answer. Where the body of the request has not been read to its end, the connection is
 * closed afterwards; the rest of the body is received and thrown away first. A client that
 * announced its body and waits for `100 Continue` has its answer at once, too.
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
  const unread = hasUnreadBody(incoming);
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
  void drain(incoming, lingerMilliseconds, ending).then(() => outgoing.end());
}
