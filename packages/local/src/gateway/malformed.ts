import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { finished } from 'node:stream/promises';

/** A request that has not been answered completely. */
export interface UnderWay {
  outgoing: ServerResponse;
  /** Aborting it ends every wait of the request. */
  ending: AbortController;
  /** Resolves when the request is answered and recorded. */
  done: Promise<void>;
}

const statusByReason: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

function rawAnswer(code: string | undefined): string {
  const status = statusByReason[code ?? ''] ?? '400 Bad Request';
  const body = JSON.stringify({ message: status.slice(4) });
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
}

/**
 * Answers bytes that are not valid HTTP, after the answers to the earlier requests of the same
 * connection. If the bytes are the body of a request, the exchange of that request answers 400.
 * @returns whether the client made a mistake; false if it has closed the connection.
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
