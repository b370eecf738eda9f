import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { refuseForeign } from '../loopback.ts';
import type { TelemetrySink } from '../store/records.ts';
import { cloudWatchLogsIntake } from './cloudwatch/index.ts';
import { createForwarder, type Forwarder, type ForwardTarget } from './forward.ts';
import { honeycombIntake } from './honeycomb/index.ts';
import {
  DEFAULT_LIMITS,
  type Intake,
  type IntakeAnswer,
  IntakeError,
  type IntakeLimits,
  type IntakeRequest,
  json,
  readBody,
} from './http.ts';
import { otlpIntake } from './otlp/index.ts';
import { rollbarIntake } from './rollbar/index.ts';

export interface TelemetryIntakeOptions {
  /** OTLP/HTTP's own port unless another is named; 0 takes a free one. */
  port?: number;
  sink: TelemetrySink;
  /** Over the defaults. */
  limits?: Partial<IntakeLimits>;
  /** Real services that get what was taken here too. */
  forward?: ForwardTarget[];
  /** Told in a sentence that one of them has stopped taking it, or takes it again. */
  onForward?(sentence: string): void;
  /** Host names to answer to beside this machine's own: see `loopback.ts`. */
  hosts?: readonly string[];
}

export interface TelemetryIntake {
  port: number;
  /** Resolves when the port is free; requests that are under way are cut off. */
  stop(): Promise<void>;
}

/** The sender has stopped caring, or never began: the rest of a refused body is not waited for longer than this. */
const LINGER_MILLISECONDS = 500;

/**
 * Starts the receivers for OTLP, Honeycomb events, Rollbar items and CloudWatch Logs: one server on 127.0.0.1.
 * @throws the listen error (`EADDRINUSE`) when the port is taken
 */
export async function startTelemetryIntake(options: TelemetryIntakeOptions): Promise<TelemetryIntake> {
  const { sink } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const intakes = [
    cloudWatchLogsIntake(sink, limits),
    otlpIntake(sink, limits),
    honeycombIntake(sink, limits),
    rollbarIntake(sink, limits),
  ];
  const forwarder = createForwarder(options.forward ?? [], sink, options.onForward);

  const server = createServer(
    {
      requestTimeout: limits.requestMilliseconds,
      headersTimeout: limits.requestMilliseconds,
      connectionsCheckingInterval: Math.min(1_000, limits.requestMilliseconds),
    },
    (request, response) => {
      if (refuseForeign(request, response, { hosts: options.hosts ?? [] })) return;
      // What fails here has had its answer begun: there is nobody left to tell.
      serve(request, response, { intakes, forwarder, sink, limits }).catch(() => response.destroy());
    },
  );
  server.maxConnections = limits.connections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 4318, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });

  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      await forwarder.stop();
    },
  };
}

async function serve(
  incoming: IncomingMessage,
  response: ServerResponse,
  {
    intakes,
    forwarder,
    sink,
    limits,
  }: { intakes: Intake[]; forwarder: Forwarder; sink: TelemetrySink; limits: IntakeLimits },
): Promise<void> {
  let taken: Buffer | undefined;
  const request: IntakeRequest = {
    method: incoming.method ?? 'GET',
    path: (incoming.url ?? '/').split('?', 1)[0] ?? '/',
    headers: incoming.headers,
    body: async (maximumBytes = limits.bodyBytes) => {
      taken = await readBody(incoming, Math.min(maximumBytes, limits.bodyBytes));
      return taken;
    },
  };
  const intake = intakes.find((candidate) => candidate.handles(request));
  if (!intake) {
    await send(incoming, response, json(404, { error: `Nothing is received at ${request.method} ${request.path}.` }));
    return;
  }
  try {
    const answer = await intake.answer(request);
    if (answer.status < 300 && taken) forwarder.forward(request.path, request.headers, taken);
    await send(incoming, response, answer);
  } catch (error) {
    const refusal =
      error instanceof IntakeError ? error : new IntakeError(500, 'The receiver failed; the request was not taken.');
    const reason = error instanceof IntakeError ? `request refused with ${error.status}` : 'receiver failed';
    sink.rejected(intake.name, reason, error instanceof Error ? error.message : String(error));
    await send(incoming, response, intake.refuse(refusal, request));
  }
}

async function send(incoming: IncomingMessage, response: ServerResponse, answer: IntakeAnswer): Promise<void> {
  if (response.destroyed) return;
  const body = answer.body ?? '';
  const headers = { ...answer.headers, 'content-length': Buffer.byteLength(body) };
  const { 'content-length': length = '0', 'transfer-encoding': chunked } = incoming.headers;
  if (incoming.complete || (length === '0' && chunked === undefined)) {
    response.writeHead(answer.status, headers).end(body);
    return;
  }
  // Closing on a sender that is still writing resets the connection, and it would never read the answer.
  response.writeHead(answer.status, { ...headers, connection: 'close' });
  response.write(body);
  incoming.resume();
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, LINGER_MILLISECONDS);
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    incoming.once('end', done);
    incoming.once('close', done);
  });
  response.end();
  incoming.destroy();
}
