import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The largest event and the largest response of Lambda, in bytes. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
export const MAXIMUM_PAYLOAD_BYTES = 6_291_556;

/** The X-Ray cause of an error comes as a header, and Node's limit for all headers together is 16 KB. */
const MAXIMUM_HEADER_BYTES = 256 * 1024;

export interface ApiRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  trailers: NodeJS.Dict<string>;
  /** At most MAXIMUM_PAYLOAD_BYTES; what came beyond them is not kept. */
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
 * Starts the HTTP server of one environment on a free port of 127.0.0.1. `answer` may take as long as it likes: `/next` is a long poll.
 * Reads bodies to their end, however large, but keeps no more than MAXIMUM_PAYLOAD_BYTES of them.
 */
export async function startRuntimeApi(answer: (request: ApiRequest) => Promise<ApiAnswer>): Promise<RuntimeApi> {
  const server = createServer({ maxHeaderSize: MAXIMUM_HEADER_BYTES }, (request, response) => {
    respond(request, response, answer).catch(() => response.destroy());
  });
  // A runtime holds its connection while the function works, and waits in /next for as long as nobody invokes it.
  server.keepAliveTimeout = 0;
  server.headersTimeout = 0;
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (request: ApiRequest) => Promise<ApiAnswer>,
): Promise<void> {
  const closed = new Promise<void>((resolve) => response.once('close', resolve));
  const { body, bodyBytes, startedAt } = await readBody(request);
  const fromPage = request.headers.origin !== undefined;
  const {
    status,
    headers,
    body: document,
  } = fromPage
    ? // No runtime sends Origin: this is a web page that has guessed the port.
      refusal(403, 'InvalidOrigin', 'The Runtime API answers no web page')
    : await answer({
        method: request.method ?? '',
        path: (request.url ?? '').replace(/\?.*$/, ''),
        headers: request.headers,
        trailers: request.trailers,
        body,
        bodyBytes,
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

async function readBody(request: IncomingMessage): Promise<{ body: Buffer; bodyBytes: number; startedAt: number }> {
  const chunks: Buffer[] = [];
  let bodyBytes = 0;
  let startedAt = performance.now();
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (bodyBytes === 0) startedAt = performance.now();
    bodyBytes += chunk.length;
    if (bodyBytes <= MAXIMUM_PAYLOAD_BYTES) chunks.push(chunk);
  }
  return { body: Buffer.concat(chunks), bodyBytes, startedAt };
}
