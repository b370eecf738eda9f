import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { listen } from '../http/listen.ts';
import { foreignReason } from '../http/loopback.ts';
import type { LambdaPlatform } from '../lambda/invocation/types.ts';
import type { LocalService } from '../service/model.ts';
import type { TelemetrySink } from '../trace/records.ts';
import { apiIdentity } from './api-identity.ts';
import { exchange } from './exchange.ts';
import type { Gateway, RequestLine } from './gateway.ts';
import { createTokenVerifier } from './guards/jwt.ts';
import { createAuthorizerCache } from './guards/lambda-authorizer.ts';
import { createUsageMeter } from './guards/usage.ts';
import { createRequestValidator } from './guards/validation.ts';
import { createHttpRouter } from './http-api/routes.ts';
import { answerMalformed, type UnderWay } from './malformed.ts';
import { answersOpenApi } from './openapi.ts';
import { createRouter } from './routes.ts';
import { createSampler } from './tracing/trace-decision.ts';

export type { RequestLine } from './gateway.ts';

export interface GatewayOptions {
  service: LocalService;
  lambda: LambdaPlatform;
  sink: TelemetrySink;
  /** 0 for a free one. */
  port: number;
  /** Whether the service's sampling rules decide what is kept; without it everything is. */
  sampling?: boolean;
  /** API Gateway's 29 seconds unless said otherwise. */
  integrationTimeoutMilliseconds?: number;
  /** Called once for each request, when its answer is written. */
  onRequest?(line: RequestLine): void;
}

export interface RunningGateway {
  port: number;
  /**
   * `http://127.0.0.1:<port>`, without a stage; URLs that begin with the stage work too where no
   * route claims them.
   */
  url: string;
  /** Closes every connection, and waits until the requests that were under way are recorded. */
  stop(): Promise<void>;
}

/**
 * Starts API Gateway on 127.0.0.1: the service's REST API and HTTP API and the URLs of its
 * functions, all on one port.
 * @throws PortInUse
 */
export async function createGateway(options: GatewayOptions): Promise<RunningGateway> {
  const { service, lambda, sink } = options;
  const gateway: Gateway = {
    service,
    api: apiIdentity(service),
    router: createRouter(service.functions, service.gateway.closedRoutes),
    lambda,
    sink,
    // Without tracing on the stage it is Lambda that decides, and Lambda knows X-Ray's own rule
    // alone.
    httpRouter: createHttpRouter(service.functions, service.gateway.httpApi?.closedRoutes),
    lambdaSampler: options.sampling ? createSampler([]) : undefined,
    askAuthorizer: createAuthorizerCache(lambda, sink, true),
    askHttpAuthorizer: createAuthorizerCache(lambda, sink, false),
    verifyToken: createTokenVerifier(sink),
    useKey: createUsageMeter(service.gateway.usagePlans ?? []),
    validate: createRequestValidator(sink),
    sampler: options.sampling ? createSampler(service.gateway.untracedOnAws ? [] : service.samplingRules) : undefined,
    timeoutMilliseconds: options.integrationTimeoutMilliseconds ?? 29_000,
    onRequest: (line) => options.onRequest?.(line),
  };
  const urlHosts = service.functions.flatMap(({ key, url }) =>
    url ? [`${key.toLowerCase()}.lambda-url.localhost`] : [],
  );
  const underWay = new Map<ServerResponse, UnderWay>();
  let stopped = false;

  // Above API Gateway's limit, so that headers that are a little too long still get the gateway's
  // answer.
  const server = createServer({ maxHeaderSize: 65_536 });
  const serve =
    (expecting: boolean): RequestListener =>
    (incoming, outgoing) => {
      const foreign = foreignReason(incoming, { origins: 'any', hosts: urlHosts });
      if (foreign) {
        sink.rejected('gateway', 'The Host header is not of this machine.', String(incoming.headers.host));
        outgoing.writeHead(403, { 'Content-Type': 'application/json', Connection: 'close' });
        outgoing.end(JSON.stringify({ message: 'Forbidden' }));
        return;
      }
      if (answersOpenApi(service, incoming, outgoing)) return;
      const ending = new AbortController();
      if (stopped) ending.abort();
      const done = exchange(gateway, incoming, outgoing, expecting, ending.signal).catch((error: unknown) => {
        sink.rejected('gateway', 'A request could not be served.', String(error));
        outgoing.destroy();
      });
      underWay.set(outgoing, { outgoing, ending, done });
      outgoing.once('close', () => void done.then(() => underWay.delete(outgoing)));
    };
  server.on('request', serve(false));
  server.on('checkContinue', serve(true));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const before = [...underWay.values()].filter(({ outgoing }) => outgoing.req.socket === socket);
    if (answerMalformed(error, socket, before)) {
      sink.rejected('gateway', 'A request was not valid HTTP.', String(error.code ?? error.message));
    }
  });

  const port = await listen(server, { port: options.port, name: 'api' });
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async stop() {
      // Answers 503 now to every request that waits for a body or a function, so that its segment
      // ends.
      stopped = true;
      for (const { ending } of underWay.values()) ending.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all([...underWay.values()].map(({ done }) => done));
      server.closeAllConnections();
      await closed;
    },
  };
}
