import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { finished } from 'node:stream/promises';

/** A request whose answer is not written to its end. */
export interface UnderWay {
  outgoing: ServerResponse;
  /** Aborted, it waits for nothing more. */
  ending: AbortController;
  /** Resolves when it is answered and recorded. */
  done: Promise<void>;
}

const STATUS: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

function rawAnswer(code: string | undefined): string {
  const status = STATUS[code ?? ''] ?? '400 Bad Request';
  const body = JSON.stringify({ message: status.slice(4) });
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}

/**
 * Answers bytes that are no HTTP, after the answers to the requests that came before them on the same connection. A request that they are
 * the body of is answered 400 by its own exchange.
 * @returns whether the client made a mistake: false where it has gone, with or without a word.
 */
export function answerMalformed(error: NodeJS.ErrnoException, socket: Socket, before: UnderWay[]): boolean {
  if (error.code === 'ECONNRESET') {
    socket.destroy();
    return false;
  }
  const broken = before.filter(({ outgoing }) => !outgoing.req.complete);
  for (const { ending } of broken) ending.abort();
  void Promise.allSettled(before.map(({ outgoing }) => finished(outgoing))).then(() => {
    if (!socket.writable) socket.destroy();
    else if (broken.length > 0) socket.end();
    else socket.end(rawAnswer(error.code));
  });
  return !(error.code === 'HPE_INVALID_EOF_STATE' && broken.length > 0);
}
