import type { IncomingHttpHeaders } from 'node:http';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import {
  defaultLimits,
  otlpReceiver,
  type Receiver,
  type SpanRecord,
  type TelemetrySink,
} from 'serverless-throughline/testing';

/**
 * How a back end behaves; `refused` has nobody listening. A number is a status, with a Retry-After
 * where there is a second word.
 */
export type Behaviour =
  | 'works'
  | 'answers when told'
  | 'refused'
  | 'accepts and hangs'
  | `answers ${number}`
  | `answers ${number} ${string}`
  | 'redirects'
  | 'slow by 1 s'
  | 'slow headers'
  | 'slow body'
  | 'never answers'
  | 'garbage'
  | '200 with garbage'
  | 'reset'
  | 'reset when read'
  | 'reset in its answer'
  | 'endless headers'
  | 'endless answer';

export interface Delivery {
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** `performance.now()` when the last byte had come. */
  time: number;
  /** `performance.now()` when it was answered. */
  answered?: number;
  /** The status in the head of the answer. */
  status?: number;
}

/**
 * A collector or Rollbar's API on loopback, that keeps what it is sent and can misbehave in each
 * listed way.
 */
export interface BackEnd {
  url: string;
  deliveries: Delivery[];
  connections: { open: number; ever: number };
  behave(behaviour: Behaviour): Promise<void>;
  /** Lets those answer that were told to wait. */
  answer(): void;
  /**
   * Closes every connection, as a back end does with idle ones, or resets them, as one does that
   * knows of them no more.
   */
  dropConnections(how?: 'reset' | 'close'): void;
  /** Resolves once there are so many deliveries. */
  received(count: number): Promise<Delivery[]>;
  stop(): Promise<void>;
}

/** @param identity a key and its certificate, PEM: the back end then speaks HTTPS. */
export async function startBackEnd(identity?: { key: string; cert: string }): Promise<BackEnd> {
  const deliveries: Delivery[] = [];
  const waiting = new Set<() => void>();
  const sockets = new Set<Socket>();
  let ever = 0;
  const held: (() => void)[] = [];
  let behaviour: Behaviour = 'works';
  let server: Server | undefined;
  let port = 0;

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (behaviour === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer);
    } catch {
      return;
    }
    const delivery: Delivery = {
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks),
      time: performance.now(),
    };
    deliveries.push(delivery);
    for (const check of waiting) check();
    if (behaviour === 'answers when told') await new Promise<void>((resolve) => held.push(resolve));
    await misbehave(behaviour, request, response);
    delivery.answered = performance.now();
    if (response.headersSent) delivery.status = response.statusCode;
  };
  const http = createHttpServer((request, response) => void serve(request, response));
  const connect = (socket: Socket): void => {
    sockets.add(socket);
    ever += 1;
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    if (behaviour !== 'accepts and hangs') http.emit('connection', socket);
  };

  const listen = async (): Promise<void> => {
    const created = identity ? createTlsServer(identity, connect) : createServer(connect);
    await new Promise<void>((resolve) => created.listen(port, '127.0.0.1', resolve));
    port = (created.address() as AddressInfo).port;
    server = created;
  };
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    const closing = server;
    server = undefined;
    if (closing) await new Promise((resolve) => closing.close(resolve));
  };

  await listen();
  return {
    url: `${identity ? 'https' : 'http'}://127.0.0.1:${port}`,
    deliveries,
    get connections() {
      return { open: sockets.size, ever };
    },
    behave: async (next) => {
      behaviour = next;
      if (next === 'refused') await close();
      else if (!server) await listen();
    },
    answer: () => {
      for (const go of held.splice(0)) go();
    },
    dropConnections: (how = 'reset') => {
      for (const socket of sockets) {
        if (how === 'reset') socket.resetAndDestroy();
        else socket.destroy();
      }
    },
    received: (count) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (deliveries.length < count) return;
          waiting.delete(check);
          resolve(deliveries);
        };
        waiting.add(check);
        check();
      }),
    stop: close,
  };
}

async function misbehave(behaviour: Behaviour, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { socket } = request;
  const [, status, retryAfter] = /^answers (\d+) ?(.*)$/.exec(behaviour) ?? [];
  if (status) {
    response.writeHead(Number(status), retryAfter ? { 'retry-after': retryAfter } : {});
    return ended(response);
  }
  switch (behaviour) {
    case 'redirects':
      response.writeHead(307, { location: '/elsewhere' });
      return ended(response);
    case 'slow by 1 s':
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      break;
    case 'slow headers':
      socket.write('HTTP/1.1 200 OK\r\nx-slow: ');
      return trickle(socket, 'x');
    case 'slow body':
      response.writeHead(200, { 'content-length': 1_000_000 }).flushHeaders();
      return trickle(socket, 'x');
    case 'never answers':
      return new Promise<void>((resolve) => socket.on('close', () => resolve()));
    case 'garbage':
      socket.end('\u0000\u0001 this is not HTTP \r\n\r\n');
      return;
    case '200 with garbage':
      response.writeHead(200, { 'content-type': 'application/x-protobuf' });
      return ended(response, Buffer.from('<html>\u00ff\u0000 { "partialSuccess": { "rejectedSpans": 1e300'));
    case 'reset when read':
      socket.resetAndDestroy();
      return;
    case 'reset in its answer':
      response.writeHead(200, { 'content-length': 1_000 });
      response.write('x', () => socket.resetAndDestroy());
      return;
    case 'endless headers':
      socket.write('HTTP/1.1 200 OK\r\n');
      return trickle(socket, `x-endless: ${'x'.repeat(16_000)}\r\n`);
    case 'endless answer': {
      response.writeHead(200);
      const chunk = Buffer.alloc(16_384, 'x');
      while (!response.destroyed) {
        if (response.write(chunk)) continue;
        await new Promise<void>((resolve) => {
          const go = (): void => {
            response.off('drain', go).off('close', go);
            resolve();
          };
          response.on('drain', go).on('close', go);
        });
      }
      return;
    }
    default:
  }
  const rollbar = request.url?.includes('/item');
  response.writeHead(200, { 'content-type': rollbar ? 'application/json' : 'application/x-protobuf' });
  return ended(response, rollbar ? '{"err":0,"result":{"uuid":"1"}}' : '');
}

function ended(response: ServerResponse, body: string | Buffer = ''): Promise<void> {
  return new Promise((resolve) => {
    response.once('close', resolve);
    response.end(body, resolve);
  });
}

/** Writes this again and again, until nobody reads it any more. */
function trickle(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve) => {
    const timer = setInterval(() => socket.write(text), 10);
    socket.on('close', () => {
      clearInterval(timer);
      resolve();
    });
  });
}

/** Deliveries that have been read. */
const read = new WeakMap<Delivery, SpanRecord[]>();

/** Reads OTLP deliveries as the project's own receiver does. */
export async function spansOf(deliveries: readonly Delivery[]): Promise<SpanRecord[]> {
  const spans = await Promise.all(
    deliveries.map(async (delivery) => {
      const known = read.get(delivery) ?? (await spansIn(delivery));
      read.set(delivery, known);
      return known;
    }),
  );
  return spans.flat();
}

async function spansIn({ path, headers, body }: Delivery): Promise<SpanRecord[]> {
  const spans: SpanRecord[] = [];
  const nothing = (): void => {};
  const sink: TelemetrySink = {
    segment: nothing,
    span: (record) => spans.push(record),
    log: nothing,
    metric: nothing,
    error: nothing,
    rejected: (receiver, reason, detail) => {
      throw new Error(`${receiver} refused what was sent: ${reason} (${detail})`);
    },
  };
  const receiver: Receiver = otlpReceiver(sink, defaultLimits);
  const plain = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
  await receiver.answer({ method: 'POST', path, query: '', headers, body: async () => plain });
  return spans;
}
