import { createSocket } from 'node:dgram';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  bundleHandlers,
  createLambdaPlatform,
  type InvokeResult,
  type LocalFunction,
  type LocalService,
  type LogRecord,
  newRoot,
  newSegmentId,
  type SegmentDocument,
} from 'serverless-throughline/testing';
import { buildLayer } from '../../layer/build.ts';
import { type BackEnd, startBackEnd } from './back-end.ts';

/**
 * AWS's own runtime client, where one is installed: it is compiled on installation, which not every
 * machine can do.
 */
export const awsRuntimeClient = process.env.AWS_LAMBDA_RIC;

/**
 * Both runtime clients, for a suite that is run with each; AWS's is skipped, and says so, where its
 * folder is not named.
 */
export const runtimeClients = [
  { runtime: 'local', name: "this project's runtime client", skipped: false },
  {
    runtime: 'aws',
    name: awsRuntimeClient ? "AWS's runtime client" : "AWS's runtime client (skipped: AWS_LAMBDA_RIC is not set)",
    skipped: !awsRuntimeClient,
  },
] as const;

export interface HarnessOptions {
  /** A file that exports `handler`. */
  handler?: string;
  /** This project's layer, or the folder of another that has an `otel-handler`. */
  layer?: boolean | string;
  runtime?: 'local' | 'aws';
  timeoutSeconds?: number;
  /** Default: 1024. */
  memoryMegabytes?: number;
  /** Default: nodejs24.x, which imports handlers; the ones before require them. */
  version?: 'nodejs24.x' | 'nodejs22.x';
  environment?: Record<string, string>;
}

/**
 * A function in a real Lambda process, with an X-Ray daemon's socket, an OTLP collector and
 * Rollbar's API around it.
 */
export interface LambdaHarness {
  otlp: BackEnd;
  rollbar: BackEnd;
  /** The documents that reached the X-Ray socket. */
  subsegments: SegmentDocument[];
  lines: LogRecord[];
  invoke(request: HarnessRequest): Promise<Invocation>;
  /**
   * Resolves when the environment has ended what it does after the answer, and could take the next
   * invocation.
   */
  idle(invocation: Invocation): Promise<void>;
  /** The next invocation is a cold start. */
  cool(): void;
  /** The log lines that are JSON, of one request or of all. */
  json(invocation?: Invocation): Record<string, unknown>[];
  /** Resolves once `check` holds; asks again whenever something arrives. */
  until(check: () => boolean): Promise<void>;
  stop(): Promise<void>;
}

export interface HarnessRequest {
  path: string;
  /** The route, where it has parameters; default: the path. */
  resource?: string;
  method?: string;
  headers?: Record<string, string>;
  query?: Record<string, string>;
  pathParameters?: Record<string, string>;
  body?: string;
  /** Members of the event in place of those that a gateway would write. */
  event?: Record<string, unknown>;
  sampled?: boolean;
  /** The trace to join; default: a new one. */
  root?: string;
}

export interface Invocation extends InvokeResult {
  root: string;
  traceId: string;
  /** The segment that the platform made the function's parent. */
  response: { statusCode?: number; body?: string } | undefined;
  /** `performance.now()` when the answer was there. */
  answered: number;
  milliseconds: number;
}

export async function startLambdaHarness(options: HarnessOptions = {}): Promise<LambdaHarness> {
  const directory = await mkdtemp(path.join(tmpdir(), 'stage-'));
  const lambda = functionOf(options, typeof options.layer === 'string' ? options.layer : path.join(directory, 'layer'));
  await bundleHandler(lambda, path.join(directory, 'code'), options.handler);
  if (options.layer === true) await buildLayer(path.join(directory, 'layer'));
  const [otlp, rollbar, daemon] = await Promise.all([startBackEnd(), startBackEnd(), startDaemon()]);
  const waiting = new Set<() => void>();
  const arrived = (): void => {
    for (const check of waiting) check();
  };
  daemon.onSegment = arrived;
  const lines: LogRecord[] = [];
  const nothing = (): void => {};
  const platform = await createLambdaPlatform({
    service: serviceOf(directory, lambda),
    sink: {
      segment: nothing,
      span: nothing,
      metric: nothing,
      error: nothing,
      rejected: nothing,
      log: (record) => {
        lines.push(record);
        arrived();
      },
    },
    codeDirectory: async () => path.join(directory, 'code'),
    environment: {
      AWS_XRAY_DAEMON_ADDRESS: `127.0.0.1:${daemon.port}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url,
      ROLLBAR_ENDPOINT: `${rollbar.url}/api/1/item/`,
      ...options.environment,
    },
    ...(options.runtime === 'aws' && awsRuntimeClient
      ? { runtimeClient: [path.join(awsRuntimeClient, 'index.mjs')] }
      : {}),
  });
  const until: LambdaHarness['until'] = (check) =>
    new Promise((resolve) => {
      const again = (): void => {
        if (!check()) return;
        waiting.delete(again);
        resolve();
      };
      waiting.add(again);
      again();
    });
  return {
    otlp,
    rollbar,
    lines,
    until,
    idle: ({ requestId }) =>
      until(() => lines.some(({ message }) => message.startsWith(`REPORT RequestId: ${requestId}`))),
    cool: () => platform.reload(),
    subsegments: daemon.segments,
    invoke: async (request) => {
      const root = request.root ?? newRoot();
      const payload = JSON.stringify(eventOf(request));
      const started = performance.now();
      const result = await platform.invoke('probe', {
        payload,
        trace: { root, parent: newSegmentId(), sampled: request.sampled ?? true },
      });
      const answered = performance.now();
      const response = result.error ? undefined : (JSON.parse(result.payload) as Invocation['response']);
      return {
        ...result,
        root,
        traceId: root.slice(2).replace('-', ''),
        response,
        answered,
        milliseconds: answered - started,
      };
    },
    // By the trace, which is in the line: the platform can but guess the request of a line that
    // comes after the answer.
    json: (invocation) =>
      lines
        .flatMap(({ message }) => parse(message))
        .filter((line) => !invocation || line.trace_id === invocation.traceId),
    stop: async () => {
      await platform.stop();
      await Promise.all([otlp.stop(), rollbar.stop(), daemon.stop()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Writes the bundle of the probe, or of another file that exports `handler`, as it is deployed. */
export async function bundleHandler(
  lambda: LocalFunction,
  directory: string,
  file = path.join(import.meta.dirname, '../fixture/probe.ts'),
): Promise<void> {
  await bundleHandlers([{ kind: 'typescript', lambda, file }], directory, path.dirname(file), {
    mainFields: ['module', 'main'],
  });
}

export function functionOf(options: HarnessOptions, layer: string): LocalFunction {
  return {
    key: 'probe',
    name: 'stage-dev-probe',
    handler: 'handlers/probe.handler',
    runtime: options.version ?? 'nodejs24.x',
    memoryMegabytes: options.memoryMegabytes ?? 1024,
    timeoutSeconds: options.timeoutSeconds ?? 6,
    environment: {
      POWERTOOLS_SERVICE_NAME: 'stage',
      STAGE: 'test',
      RELEASE: 'abc1234',
      ...(options.layer ? { AWS_LAMBDA_EXEC_WRAPPER: '/opt/otel-handler', OTEL_SERVICE_NAME: 'stage' } : {}),
      ...options.environment,
    },
    tracing: 'Active',
    layers: options.layer ? [{ kind: 'directory', key: 'telemetry', path: layer }] : [],
    routes: [],
  };
}

function serviceOf(directory: string, lambda: LocalFunction): LocalService {
  return {
    name: 'stage',
    stage: 'dev',
    region: 'us-east-1',
    directory,
    functions: [lambda],
    gateway: { name: 'dev-stage', tracing: true, binaryMediaTypes: [], responses: [] },
    tables: [],
    samplingRules: [],
    settings: { ports: { api: 0, console: 0, otlp: 0, grpc: 0, xray: 0, dynamodb: 0, lambda: 0 }, environment: {} },
  };
}

function eventOf({
  path: target,
  resource = target,
  method = 'GET',
  headers = {},
  query,
  pathParameters,
  body,
  event,
}: HarnessRequest): Record<string, unknown> {
  return {
    resource,
    path: target,
    httpMethod: method,
    headers: { host: 'api.example.test', ...headers },
    queryStringParameters: query ?? null,
    pathParameters: pathParameters ?? null,
    body: body ?? null,
    isBase64Encoded: false,
    requestContext: { stage: 'dev', httpMethod: method, path: `/dev${target}` },
    ...event,
  };
}

async function startDaemon(): Promise<{
  port: number;
  segments: SegmentDocument[];
  onSegment: () => void;
  stop(): Promise<void>;
}> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const daemon = {
    port: socket.address().port,
    segments: [] as SegmentDocument[],
    onSegment: (): void => {},
    stop: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
  socket.on('message', (message) => {
    daemon.segments.push(JSON.parse(message.toString().split('\n')[1] ?? '') as SegmentDocument);
    daemon.onSegment();
  });
  return daemon;
}

function parse(message: string): Record<string, unknown>[] {
  try {
    const value: unknown = JSON.parse(message);
    return typeof value === 'object' && value !== null ? [value as Record<string, unknown>] : [];
  } catch {
    return [];
  }
}
