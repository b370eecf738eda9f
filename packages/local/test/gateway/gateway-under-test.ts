import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { APIGatewayProxyEvent } from 'aws-lambda';
import { onTestFinished } from 'vitest';
import { createGateway, type GatewayOptions, type RequestLine } from '../../src/gateway/index.ts';
import type { InvokeRequest, InvokeResult, LambdaPlatform } from '../../src/lambda/invocation/types.ts';
import type { LocalFunction, LocalService } from '../../src/service/model.ts';
import type { SegmentDocument, TelemetrySink } from '../../src/trace/records.ts';

/** A function of the service under test; routes as `GET /path`. */
export function lambdaFunction(key: string, routes: string[], more: Partial<LocalFunction> = {}): LocalFunction {
  return {
    key,
    name: `shop-dev-${key}`,
    handler: `handlers/${key}.handler`,
    runtime: 'nodejs24.x',
    memoryMegabytes: 256,
    timeoutSeconds: 3,
    environment: {},
    tracing: 'Active',
    layers: [],
    routes: routes.map((text) => {
      const [method = 'GET', path = '/'] = text.split(' ');
      return { method, path };
    }),
    ...more,
  };
}

export function localService(functions: LocalFunction[], more: Partial<LocalService> = {}): LocalService {
  return {
    name: 'shop',
    stage: 'dev',
    region: 'eu-central-1',
    directory: '/nowhere',
    functions,
    gateway: { name: 'dev-shop', tracing: true, binaryMediaTypes: [], responses: [] },
    tables: [],
    samplingRules: [],
    settings: { ports: { api: 0, console: 0, otlp: 0, grpc: 0, xray: 0, dynamodb: 0, lambda: 0 }, environment: {} },
    ...more,
  };
}

export interface Invocation extends InvokeRequest {
  functionKey: string;
  event: APIGatewayProxyEvent;
}

export type Answer = Partial<InvokeResult> | Promise<Partial<InvokeResult>>;

/** A function's return value for a proxy integration, as the answer of an invocation. */
export function returns(value: unknown): Partial<InvokeResult> {
  return { payload: JSON.stringify(value) };
}

export interface GatewayUnderTest {
  url: string;
  port: number;
  invocations: Invocation[];
  segments: SegmentDocument[];
  rejected: { reason: string; detail: string }[];
  lines: RequestLine[];
  stop(): Promise<void>;
}

/**
 * Starts a real gateway over functions that are one callback here, and stops it when the test ends.
 */
export async function gatewayUnderTest(
  service: LocalService,
  invoke: (invocation: Invocation) => Answer = () => returns({ statusCode: 200, body: 'ok' }),
  options: Partial<GatewayOptions> = {},
): Promise<GatewayUnderTest> {
  const invocations: Invocation[] = [];
  const segments: SegmentDocument[] = [];
  const rejected: GatewayUnderTest['rejected'] = [];
  const lines: RequestLine[] = [];
  const lambda: LambdaPlatform = {
    async invoke(functionKey, request) {
      const invocation = { functionKey, ...request, event: JSON.parse(request.payload) as APIGatewayProxyEvent };
      invocations.push(invocation);
      return { requestId: 'r', coldStart: false, payload: 'null', ...(await invoke(invocation)) };
    },
    reload: () => {},
    stop: async () => {},
  };
  const sink: TelemetrySink = {
    segment: (document) => void segments.push(structuredClone(document)),
    span: () => {},
    log: () => {},
    metric: () => {},
    error: () => {},
    rejected: (_intake, reason, detail) => void rejected.push({ reason, detail }),
  };
  const gateway = await createGateway({
    service,
    lambda,
    sink,
    port: 0,
    onRequest: (line) => void lines.push(line),
    ...options,
  });
  onTestFinished(() => gateway.stop());
  return { ...gateway, invocations, segments, rejected, lines };
}

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  rawHeaders: string[];
  body: Buffer;
  text: string;
}

/** One request with everything as given: the path is sent as it is, headers in their own case. */
export function send(
  gateway: { port: number },
  method: string,
  path: string,
  headers: OutgoingHttpHeaders | string[] = {},
  body?: Buffer | string,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port: gateway.port, method, path, headers, agent: false });
    request.once('error', reject);
    request.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const whole = Buffer.concat(chunks);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          rawHeaders: response.rawHeaders,
          body: whole,
          text: whole.toString(),
        });
      });
    });
    request.end(body);
  });
}

/**
 * Sends bytes as they are and returns all that came back until the server closed, or until it
 * matches `until`.
 */
export function sendRaw(gateway: { port: number }, text: string, until?: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(gateway.port, '127.0.0.1');
    let received = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      received += chunk;
      if (until?.test(received)) socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(received));
    socket.write(text, 'latin1');
  });
}
