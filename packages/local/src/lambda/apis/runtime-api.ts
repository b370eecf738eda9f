import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { close, listen } from '../../http/listen.ts';
import { foreignReason } from '../../http/loopback.ts';
import { collectBody } from '../../http/read-body.ts';

/**
 * The largest event and the largest response of Lambda, in bytes.
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
 */
export const maximumPayloadBytes = 6_291_556;

/**
 * The X-Ray cause of an error comes as a header, and Node's limit for all headers together is 16
 * KB.
 */
const maximumHeaderBytes = 256 * 1024;

export interface ApiRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  trailers: NodeJS.Dict<string>;
  /** At most maximumPayloadBytes; what came beyond them is not kept. */
  body: Buffer;
  /** Of everything that came. */
  bodyBytes: number;
  /** When the first byte of the body came, by `performance.now()`. */
  startedAt: number;
  /** Resolves when the connection is gone before an answer was given. */
  closed: Promise<void>;
}

export interface ApiAnswer {
  status: number;
  headers?: Record<string, string>;
  /** Text as it is, anything else as JSON. */
  body?: unknown;
}

export interface RuntimeApi {
  /** `127.0.0.1:<port>`: the value of AWS_LAMBDA_RUNTIME_API. */
  address: string;
  close(): Promise<void>;
}

/** @returns an error document in the form that Lambda's Runtime and Extensions API answers with. */
export function refusal(status: number, errorType: string, errorMessage: string): ApiAnswer {
  return { status, body: { errorMessage, errorType } };
}

/** @returns Lambda's answer to what it has taken. */
export function accepted(): ApiAnswer {
  return { status: 202, body: { status: 'OK' } };
}

/**
 * Starts the HTTP server of one environment on a free port of 127.0.0.1. `answer` may take as long
 * as it likes: `/next` is a long poll. Reads bodies to their end, however large, but keeps no more
 * than maximumPayloadBytes of them.
 */
export async function startRuntimeApi(answer: (request: ApiRequest) => Promise<ApiAnswer>): Promise<RuntimeApi> {
  const server = createServer({ maxHeaderSize: maximumHeaderBytes }, (request, response) => {
    respond(request, response, answer).catch(() => response.destroy());
  });
  // A runtime holds its connection while the function works, and waits in /next for as long as
  // nobody invokes it.
  server.headersTimeout = 0;
  server.requestTimeout = 0;
  const port = await listen(server, { port: 0, keepAliveMilliseconds: 0 });
  return { address: `127.0.0.1:${port}`, close: () => close(server) };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (request: ApiRequest) => Promise<ApiAnswer>,
): Promise<void> {
  const closed = new Promise<void>((resolve) => response.once('close', resolve));
  const { end, body, bytes, startedAt } = await collectBody(request, {
    maximumBytes: maximumPayloadBytes,
    overflow: 'discard',
  });
  if (end === 'aborted') return;
  const foreign = foreignReason(request);
  const {
    status,
    headers,
    body: document,
  } = foreign !== undefined
    ? // No runtime sends Origin or another Host: this is a web page that has guessed the port.
      refusal(403, 'InvalidOrigin', foreign)
    : await answer({
        method: request.method ?? '',
        path: (request.url ?? '').replace(/\?.*$/, ''),
        headers: request.headers,
        trailers: request.trailers,
        body,
        bodyBytes: bytes,
        startedAt,
        closed,
      });
  const text = typeof document === 'string' ? document : document === undefined ? '' : JSON.stringify(document);
  response.writeHead(status, {
    'Content-Type': 'application/json',
    ...headers,
    'Content-Length': Buffer.byteLength(text),
  });
  response.end(text);
}
