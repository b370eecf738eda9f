import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { refuseForeign } from '../../loopback.ts';
import { ApiError, invalidRequest } from './api-error.ts';
import { type XrayApiOptions, xrayOperations } from './operations.ts';
import type { Body } from './request.ts';

/** The daemon sends at most 50 documents of 64 KB at a time; escaped into a JSON string they may double. */
const MOST_BYTES = 8 * 1024 * 1024;

/** How long a client may take over its request, in milliseconds. */
const REQUEST_TIMEOUT = 30_000;

/** What the X-Ray daemon's own container, or one with an SDK, calls this machine. */
const CONTAINER_HOSTS = ['host.docker.internal'];

/**
 * X-Ray's API over HTTP, as AWS's SDKs and CLI call it (signatures are not checked) and as SDKs call it through the daemon.
 * @returns a server that does not listen yet.
 */
export function createXrayServer(options: XrayApiOptions): Server {
  const answer = xrayOperations(options);
  const server = createServer(async (request, response) => {
    if (refuseForeign(request, response, { hosts: CONTAINER_HOSTS })) return;
    try {
      if (request.method !== 'POST') throw new ApiError('UnknownOperationException', 'X-Ray is called by POST.', 404);
      const path = (request.url ?? '/').split('?', 1)[0] as string;
      send(response, 200, await answer(path, await readBody(request)));
    } catch (error) {
      sendError(response, error);
    }
  });
  server.requestTimeout = REQUEST_TIMEOUT;
  return server;
}

async function readBody(request: IncomingMessage): Promise<Body> {
  const tooLarge = new ApiError('RequestEntityTooLargeException', `The body is larger than ${MOST_BYTES} bytes.`, 413);
  if (Number(request.headers['content-length'] ?? 0) > MOST_BYTES) throw tooLarge;
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new ApiError('UnsupportedMediaTypeException', `Content-Encoding ${encoding} is not supported.`, 415);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw tooLarge;
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString();
  let body: unknown;
  try {
    body = text === '' ? {} : JSON.parse(text);
  } catch (error) {
    throw new ApiError('SerializationException', `The body is not JSON: ${(error as Error).message}`);
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalidRequest('The body must be a JSON object.');
  }
  return body as Body;
}

function send(response: ServerResponse, status: number, body: Body, headers: Record<string, string> = {}): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'x-amzn-requestid': randomUUID(),
    ...headers,
  });
  response.end(text);
}

function sendError(response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const { type, status, message } =
    error instanceof ApiError
      ? error
      : { type: 'InternalFailure', status: 500, message: error instanceof Error ? error.message : String(error) };
  // What is left of a body that was not read would be taken for the next request.
  const headers = { 'x-amzn-errortype': type, connection: 'close' };
  send(response, status, { __type: type, Message: message, message }, headers);
}
