import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { HttpError } from '../../http/http-error.ts';
import { refuseForeign } from '../../http/loopback.ts';
import { readBody } from '../../http/read-body.ts';
import { unknownTraffic } from '../../http/unknown-traffic.ts';
import { ApiError, type Body, invalidRequest } from './api-request.ts';
import { type XrayApiOptions, xrayOperations } from './operations.ts';

/**
 * The daemon sends at most 50 documents of 64 KB at a time; escaped into a JSON string they may
 * double.
 */
const mostBytes = 8 * 1024 * 1024;

/** How long a client may take over its request, in milliseconds. */
const requestTimeout = 30_000;

/** This machine's name inside the X-Ray daemon's container, or one with an SDK. */
const containerHosts = ['host.docker.internal'];

/**
 * X-Ray's API over HTTP, as AWS's SDKs and CLI call it (signatures are not checked) and as SDKs
 * call it through the daemon.
 * @returns a server that does not listen yet.
 */
export function createXrayServer(options: XrayApiOptions): Server {
  const answer = xrayOperations(options);
  const server = createServer(async (request, response) => {
    if (refuseForeign(request, response, { hosts: containerHosts })) return;
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    try {
      if (request.method !== 'POST') throw new ApiError('UnknownOperationException', 'X-Ray is called by POST.', 404);
      send(response, 200, await answer(path, await readRequest(request)));
    } catch (error) {
      if (error instanceof ApiError && error.type === 'UnknownOperationException') {
        options.sink.rejected(
          'unknown',
          unknownTraffic(path, request.headers),
          `${request.method} ${path} at X-Ray's port`,
        );
      }
      sendError(response, error);
    }
  });
  server.requestTimeout = requestTimeout;
  return server;
}

/** @throws {ApiError} when the body is too large, encoded, cut off, or not a JSON object. */
async function readRequest(request: IncomingMessage): Promise<Body> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new ApiError('UnsupportedMediaTypeException', `Content-Encoding ${encoding} is not supported.`, 415);
  }
  const bytes = await readBody(request, mostBytes).catch((error: HttpError) => {
    const type = error.status === 413 ? 'RequestEntityTooLargeException' : 'SerializationException';
    throw new ApiError(type, error.message, error.status);
  });
  let body: unknown;
  try {
    body = bytes.length === 0 ? {} : JSON.parse(bytes.toString());
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
  // An unread rest of the body would be parsed as the next request.
  const headers = { 'x-amzn-errortype': type, connection: 'close' };
  send(response, status, { __type: type, Message: message, message }, headers);
}
