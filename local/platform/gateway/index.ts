import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { PortInUse } from '../../failure.ts';
import { foreignReason } from '../../loopback.ts';
import type { LocalService } from '../../service/model.ts';
import type { TelemetrySink } from '../../store/records.ts';
import type { LambdaPlatform } from '../lambda/types.ts';
import { apiIdentity } from './api.ts';
import { exchange, type Gateway, type RequestLine } from './exchange.ts';
import { answerMalformed, type UnderWay } from './malformed.ts';
import { createRouter } from './routes.ts';
import { createSampler } from './sampling.ts';

export type { RequestLine } from './exchange.ts';

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
  /** `http://127.0.0.1:<port>`, without a stage; URLs that begin with the stage work too where no route claims them. */
  url: string;
  /** Ends connections and waits for what was under way to be recorded. */
  stop(): Promise<void>;
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new PortInUse('api', port) : error);
    });
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

/**
 * Starts API Gateway's REST API on 127.0.0.1: the routes of all functions, each answered by its function through a Lambda proxy integration,
 * and the segment of the stage for each request.
 * @throws PortInUse
 */
export async function createGateway(options: GatewayOptions): Promise<RunningGateway> {
  const { service, lambda, sink } = options;
  const gateway: Gateway = {
    service,
    api: apiIdentity(service),
    router: createRouter(service.functions),
    lambda,
    sink,
    // Without tracing on the stage it is Lambda that decides, and Lambda knows X-Ray's own rule alone.
    sampler: options.sampling ? createSampler(service.gateway.tracing ? service.samplingRules : []) : undefined,
    timeoutMilliseconds: options.integrationTimeoutMilliseconds ?? 29_000,
    onRequest: (line) => options.onRequest?.(line),
  };
  const underWay = new Map<ServerResponse, UnderWay>();
  let stopped = false;

  // Node's own limit on headers is above API Gateway's, so that what is a little too long still gets the gateway's answer.
  const server = createServer({ maxHeaderSize: 65_536 });
  const serve =
    (expecting: boolean): RequestListener =>
    (incoming, outgoing) => {
      const foreign = foreignReason(incoming, { origins: 'any' });
      if (foreign) {
        sink.rejected('gateway', 'The Host header is not of this machine.', String(incoming.headers.host));
        outgoing.writeHead(403, { 'Content-Type': 'application/json', Connection: 'close' });
        outgoing.end(JSON.stringify({ message: 'Forbidden' }));
        return;
      }
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
      sink.rejected('gateway', 'A request was no valid HTTP.', String(error.code ?? error.message));
    }
  });

  const port = await listen(server, options.port);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async stop() {
      // What waits for a body or a function is answered 503 now, so that its segment ends.
      stopped = true;
      for (const { ending } of underWay.values()) ending.abort();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all([...underWay.values()].map(({ done }) => done));
      server.closeAllConnections();
      await closed;
    },
  };
}
