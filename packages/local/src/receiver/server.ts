import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { drain, hasUnreadBody } from '../http/drain.ts';
import { HttpError } from '../http/http-error.ts';
import { close, listen } from '../http/listen.ts';
import { refuseForeign } from '../http/loopback.ts';
import { readBody } from '../http/read-body.ts';
import { unknownTraffic } from '../http/unknown-traffic.ts';
import type { TelemetrySink } from '../trace/records.ts';
import { createForwarder, type Forwarder, type ForwardTarget } from './forward.ts';
import {
  defaultLimits,
  json,
  type Receiver,
  type ReceiverAnswer,
  type ReceiverFactory,
  type ReceiverLimits,
  type ReceiverRequest,
} from './receiver.ts';

export interface ReceiversOptions {
  /** OTLP/HTTP's own port unless another is given; 0 for any free port. */
  port?: number;
  sink: TelemetrySink;
  /** The protocols: the first that handles a path answers it. */
  receivers: readonly ReceiverFactory[];
  /** Over the defaults. */
  limits?: Partial<ReceiverLimits>;
  /** Real services that also get what is received here. */
  forward?: ForwardTarget[];
  /** Called with a sentence when one of them begins to fail, or recovers. */
  onForward?(sentence: string): void;
  /** Host names to answer to besides this machine's own: see `loopback.ts`. */
  hosts?: readonly string[];
  /** Web origins whose pages may send: `custom.local.origins`. */
  origins?: readonly string[];
}

export interface Receivers {
  port: number;
  /** Cuts requests off. Resolves when the port is free. */
  stop(): Promise<void>;
}

/** How long a refused sender may go on writing its body, so that it reads the answer. */
const drainMilliseconds = 500;

/** Idle connections are closed when fewer than this many are left for new senders. */
const spareConnections = 16;

interface Context {
  receivers: Receiver[];
  forwarder: Forwarder;
  sink: TelemetrySink;
  limits: ReceiverLimits;
}

/**
 * Starts receivers that share one port of 127.0.0.1.
 * @throws the listen error (`EADDRINUSE`) when the port is busy.
 */
export async function startReceivers(options: ReceiversOptions): Promise<Receivers> {
  const { sink } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const receivers = options.receivers.map((create) => create(sink, limits));
  const forwarder = createForwarder(options.forward ?? [], sink, options.onForward);
  const context = { receivers, forwarder, sink, limits };
  const loopback = { hosts: options.hosts ?? [], origins: options.origins ?? [] };
  const answering = new WeakMap<Socket, ServerResponse>();
  const timeouts = {
    requestTimeout: limits.requestMilliseconds,
    headersTimeout: limits.requestMilliseconds,
    connectionsCheckingInterval: Math.min(1_000, limits.requestMilliseconds),
  };
  const server = createServer(timeouts, (request, response) => {
    answering.set(request.socket, response);
    if (refuseForeign(request, response, loopback)) return;
    if (answerPreflight(request, response)) return;
    // A failure here comes after the answer has begun: nobody is left to tell.
    serve(request, response, context).catch(() => response.destroy());
  });
  server.on('clientError', (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket: Socket) => {
    if (error.rawPacket?.subarray(0, 14).equals(http2Preface)) {
      sink.rejected('unknown', unknownTraffic('/opentelemetry.'), 'HTTP/2 on the port for OTLP/HTTP');
    }
    answerMalformed(error, socket, answering.get(socket));
  });
  limitConnections(server, limits.connections);
  const port = await listen(server, { port: options.port ?? 4318 });
  return {
    port,
    async stop() {
      await close(server);
      await forwarder.stop();
    },
  };
}

/** The first bytes of a gRPC client's connection. */
const http2Preface = Buffer.from('PRI * HTTP/2.0');

/** Answers as Node does where nobody listens for it: not in the middle of another answer. */
function answerMalformed(error: NodeJS.ErrnoException, socket: Socket, last: ServerResponse | undefined): void {
  const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request';
  const isFree = last === undefined || !last.headersSent || last.writableEnded;
  if (socket.writable && isFree) socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
  socket.destroy(error);
}

/** Lets a page of an allowed origin read answers, and answers what its browser asks first. */
function answerPreflight(request: IncomingMessage, response: ServerResponse): boolean {
  const { origin } = request.headers;
  if (origin === undefined) return false;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('vary', 'Origin');
  if (request.method !== 'OPTIONS') return false;
  response.writeHead(204, {
    'access-control-allow-methods': 'POST',
    'access-control-allow-headers': request.headers['access-control-request-headers'] ?? 'content-type',
    'access-control-max-age': '600',
  });
  response.end();
  return true;
}

/** Makes room for new senders by closing idle connections, which are kept open for long. */
function limitConnections(server: Server, maximum: number): void {
  server.maxConnections = maximum;
  let open = 0;
  server.on('connection', (socket) => {
    if (++open > maximum - spareConnections) server.closeIdleConnections();
    socket.once('close', () => open--);
  });
}

async function serve(
  incoming: IncomingMessage,
  response: ServerResponse,
  { receivers, forwarder, sink, limits }: Context,
): Promise<void> {
  let taken: Buffer | undefined;
  const request: ReceiverRequest = {
    method: incoming.method ?? 'GET',
    path: (incoming.url ?? '/').split('?', 1)[0] ?? '/',
    query: (incoming.url ?? '').split('?').slice(1).join('?'),
    headers: incoming.headers,
    body: async (maximumBytes = limits.bodyBytes) => {
      taken = await readBody(incoming, Math.min(maximumBytes, limits.bodyBytes));
      return taken;
    },
  };
  const receiver = receivers.find((candidate) => candidate.handles(request));
  if (!receiver) {
    const reason = unknownTraffic(request.path, request.headers);
    sink.rejected('unknown', reason, `${request.method} ${request.path}`);
    const error = `Nothing is received at ${request.method} ${request.path}: ${reason}.`;
    await send(incoming, response, json(404, { error }));
    return;
  }
  try {
    const answer = await receiver.answer(request);
    if (answer.status < 300 && taken) forwarder.forward(request.path, request.headers, taken);
    await send(incoming, response, answer);
  } catch (error) {
    const refusal =
      error instanceof HttpError ? error : new HttpError(500, 'The receiver failed; the request was not taken.');
    const reason = error instanceof HttpError ? `request refused with ${error.status}` : 'receiver failed';
    sink.rejected(receiver.name, reason, error instanceof Error ? error.message : String(error));
    await send(incoming, response, receiver.refuse(refusal, request));
  }
}

async function send(incoming: IncomingMessage, response: ServerResponse, answer: ReceiverAnswer): Promise<void> {
  if (response.destroyed) return;
  const body = answer.body ?? '';
  const headers = { ...answer.headers, 'content-length': Buffer.byteLength(body) };
  if (!hasUnreadBody(incoming)) {
    response.writeHead(answer.status, headers).end(body);
    return;
  }
  response.writeHead(answer.status, { ...headers, connection: 'close' });
  response.write(body);
  await drain(incoming, drainMilliseconds);
  response.end();
  incoming.destroy();
}
