import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { close, listen } from '../../http/listen.ts';
import { refuseForeign } from '../../http/loopback.ts';
import { collectBody } from '../../http/read-body.ts';
import type { LocalService } from '../../service/model.ts';
import { maximumPayloadBytes } from '../apis/runtime-api.ts';
import type { LambdaPlatform } from '../invocation/types.ts';
import { ApiError } from './api-error.ts';
import { type InvokeAnswer, invoke, tooLarge } from './invoke.ts';

export interface InvokeApiOptions {
  service: LocalService;
  /** 0 for any free port. */
  port: number;
  /**
   * Undefined while the functions are not there yet: their environment has to name this server
   * first.
   */
  platform(): LambdaPlatform | undefined;
}

export interface InvokeApi {
  port: number;
  stop(): Promise<void>;
}

const invocationsPattern = /^\/2015-03-31\/functions\/([^/]+)\/invocations\/?$/;

/**
 * Starts the part of Lambda's own API that invokes functions, for AWS's CLI and SDKs
 * (`AWS_ENDPOINT_URL_LAMBDA`).
 * @throws {PortInUse}
 */
export async function startInvokeApi(options: InvokeApiOptions): Promise<InvokeApi> {
  const server = createServer((request, response) => {
    if (refuseForeign(request, response)) return;
    respond(options, request, response).catch(() => response.destroy());
  });
  // A function may work for 15 minutes, and a debugged one for longer.
  server.requestTimeout = 0;
  const port = await listen(server, { port: options.port, name: 'lambda' });
  return { port, stop: () => close(server) };
}

async function respond(options: InvokeApiOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const caller = new AbortController();
  response.once('close', () => caller.abort());
  const answer = await answerTo(options, request, caller.signal).catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    const headers = { 'X-Amzn-ErrorType': error.type, 'Content-Type': 'application/json' };
    return { status: error.status, headers, body: error.body };
  });
  response.writeHead(answer.status, {
    'x-amzn-RequestId': randomUUID(),
    ...answer.headers,
    'Content-Length': Buffer.byteLength(answer.body),
    // An unread rest of the body would be parsed as the next request.
    ...(request.complete ? {} : { Connection: 'close' }),
  });
  response.end(answer.body);
}

async function answerTo(
  { service, platform }: InvokeApiOptions,
  request: IncomingMessage,
  signal: AbortSignal,
): Promise<InvokeAnswer> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const functionName = invocationsPattern.exec(url.pathname)?.[1];
  if (request.method !== 'POST' || functionName === undefined) {
    const message = `This machine's Lambda serves Invoke alone, not ${request.method} ${url.pathname.slice(0, 200)}.`;
    throw new ApiError(404, 'UnknownOperationException', message);
  }
  const lambda = platform();
  if (!lambda) throw new ApiError(503, 'ServiceException', 'The functions are still being built.');
  const { end, body } = await collectBody(request, { maximumBytes: maximumPayloadBytes, overflow: 'stop' });
  if (end === 'too-large') throw tooLarge(maximumPayloadBytes);
  if (end === 'aborted') throw new ApiError(400, 'InvalidRequestContentException', 'The body came to no end.');
  const qualifier = url.searchParams.get('Qualifier') ?? undefined;
  const call = { functionName: decoded(functionName), qualifier, headers: request.headers, body, signal };
  return invoke(service, lambda, call);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
