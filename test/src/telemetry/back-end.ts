import type { IncomingHttpHeaders } from 'node:http';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Server, Socket } from 'node:net';
import { DEFAULT_LIMITS, type Intake } from '../../../local/intake/http.ts';
import { otlpIntake } from '../../../local/intake/otlp/index.ts';
import type { SpanRecord, TelemetrySink } from '../../../local/store/records.ts';

/** How a back end behaves; `refused` has nobody listening. */
export type Behaviour =
  | 'works'
  | 'answers when told'
  | 'refused'
  | 'answers 400'
  | 'answers 429'
  | 'answers 503'
  | 'redirects'
  | 'slow by 1 s'
  | 'never answers'
  | 'garbage'
  | 'reset'
  | 'endless answer';

export interface Delivery {
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** `performance.now()` when the last byte had come. */
  time: number;
  /** `performance.now()` when it was answered. */
  answered?: number;
}

/** A collector or Rollbar's API on loopback, that keeps what it is sent and can misbehave in each listed way. */
export interface BackEnd {
  url: string;
  deliveries: Delivery[];
  connections: { open: number; ever: number };
  behave(behaviour: Behaviour): Promise<void>;
  /** Lets those answer that were told to wait. */
  answer(): void;
  /** Resets every connection, as a back end does with those of an environment that was frozen for long. */
  dropConnections(): void;
  /** Resolves once there are so many deliveries. */
  received(count: number): Promise<Delivery[]>;
  stop(): Promise<void>;
}

export async function startBackEnd(): Promise<BackEnd> {
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
  };

  const listen = async (): Promise<void> => {
    const created = createHttpServer((request, response) => void serve(request, response));
    created.on('connection', (socket) => {
      sockets.add(socket);
      ever += 1;
      socket.on('close', () => sockets.delete(socket));
    });
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
    url: `http://127.0.0.1:${port}`,
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
    dropConnections: () => {
      for (const socket of sockets) socket.resetAndDestroy();
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
  switch (behaviour) {
    case 'answers 400':
    case 'answers 503':
      response.writeHead(Number(behaviour.slice(-3))).end();
      return;
    case 'answers 429':
      response.writeHead(429, { 'retry-after': '-1' }).end();
      return;
    case 'redirects':
      response.writeHead(307, { location: '/elsewhere' }).end();
      return;
    case 'slow by 1 s':
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      break;
    case 'never answers':
      await new Promise<void>((resolve) => request.socket.on('close', resolve));
      return;
    case 'garbage':
      request.socket.end('\u0000\u0001 this is not HTTP \r\n\r\n');
      return;
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
  response.end(rollbar ? '{"err":0,"result":{"uuid":"1"}}' : '');
}

/** Deliveries that have been read. */
const read = new WeakMap<Delivery, SpanRecord[]>();

/** Reads OTLP deliveries as the project's own intake does. */
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
    rejected: (intake, reason, detail) => {
      throw new Error(`${intake} refused what was sent: ${reason} (${detail})`);
    },
  };
  const intake: Intake = otlpIntake(sink, DEFAULT_LIMITS);
  await intake.answer({ method: 'POST', path, headers, body: async () => body });
  return spans;
}
