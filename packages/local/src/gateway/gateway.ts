import type { IncomingMessage } from 'node:http';
import type { LambdaPlatform } from '../lambda/invocation/types.ts';
import type { LocalService } from '../service/model.ts';
import type { TelemetrySink } from '../trace/records.ts';
import type { GatewayAnswer } from './answer.ts';
import type { ApiIdentity } from './api-identity.ts';
import type { BodyReading } from './event-body.ts';
import type { GatewayRequest } from './gateway-request.ts';
import type { VerifyToken } from './guards/jwt.ts';
import type { AskAuthorizer } from './guards/lambda-authorizer.ts';
import type { UseKey } from './guards/usage.ts';
import type { ValidateRequest } from './guards/validation.ts';
import type { HttpRouter } from './http-api/routes.ts';
import type { RouteMatch } from './routes.ts';
import type { SamplingDecision, SamplingRequest, TraceDecision } from './tracing/trace-decision.ts';

/** One request, when it has been answered. */
export interface RequestLine {
  /** When it came, epoch milliseconds. */
  time: number;
  method: string;
  /** As the client wrote it, without the query. */
  path: string;
  /** Without the question mark. */
  query?: string;
  status: number;
  durationMilliseconds: number;
  coldStart: boolean;
  /** 32 hex digits. */
  traceId: string;
  /** Absent where the gateway answered alone. */
  functionKey?: string;
}

/** The parts that all exchanges of one gateway share. */
export interface Gateway {
  service: LocalService;
  api: ApiIdentity;
  router(path: string): RouteMatch | undefined;
  lambda: LambdaPlatform;
  sink: TelemetrySink;
  sampler: ((request: SamplingRequest) => SamplingDecision) | undefined;
  /** How long the gateway waits for a function, where the route says nothing else. */
  timeoutMilliseconds: number;
  httpRouter: HttpRouter;
  /** Where Lambda decides what is kept, as for HTTP APIs and function URLs. */
  lambdaSampler: Gateway['sampler'];
  askAuthorizer: AskAuthorizer;
  askHttpAuthorizer: AskAuthorizer;
  verifyToken: VerifyToken;
  useKey: UseKey;
  validate: ValidateRequest;
  onRequest(line: RequestLine): void;
}

/** One request on its way through an API. */
export interface Call {
  gateway: Gateway;
  incoming: IncomingMessage;
  request: GatewayRequest;
  ids: { requestId: string; extendedRequestId: string };
  decision: TraceDecision;
  readBody(): Promise<BodyReading>;
  /**
   * Aborts when nothing more is to be waited for: the gateway stops, or the rest of the request
   * makes no sense.
   */
  ending: AbortSignal;
  /** Aborts when nobody waits for the answer any more. */
  caller: AbortSignal;
}

/** How an API answered a request. */
export interface Served {
  answer: GatewayAnswer;
  functionKey?: string;
  coldStart?: boolean;
}
