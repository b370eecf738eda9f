import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { LocalService } from '../../service/model.ts';
import type { TelemetrySink } from '../../store/records.ts';
import type { LambdaPlatform } from '../lambda/types.ts';
import { formatTraceHeader, type TraceContext, traceIdOf } from '../trace-context.ts';
import { type ApiIdentity, extendedRequestId } from './api.ts';
import { maxBodyBytes, maxEventBytes, readBody } from './body.ts';
import { type GatewayError, gatewayAnswer, gatewayErrors } from './gateway-responses.ts';
import { integrate } from './integration.ts';
import { preflightAnswer } from './preflight.ts';
import { proxyEvent } from './proxy-event.ts';
import type { GatewayAnswer } from './proxy-response.ts';
import { headerBytes, lastValue, maxHeaderBytes, readRequest } from './request.ts';
import { type RouteMatch, route } from './routes.ts';
import type { SamplingDecision, SamplingRequest } from './sampling.ts';
import { beginStageSegment, noStageSegment } from './stage-segment.ts';
import { templateValues } from './template-values.ts';
import { decideTrace } from './trace-decision.ts';
import { writeAnswer } from './write.ts';

/** One request, when it has been answered. */
export interface RequestLine {
  /** When it came, epoch milliseconds. */
  time: number;
  method: string;
  /** As the client wrote it, without the query. */
  path: string;
  status: number;
  durationMilliseconds: number;
  coldStart: boolean;
  /** 32 hex digits. */
  traceId: string;
  /** Absent where the gateway answered alone. */
  functionKey?: string;
}

/** What every exchange of one gateway shares. */
export interface Gateway {
  service: LocalService;
  api: ApiIdentity;
  router(path: string): RouteMatch | undefined;
  lambda: LambdaPlatform;
  sink: TelemetrySink;
  sampler: ((request: SamplingRequest) => SamplingDecision) | undefined;
  /** How long the gateway waits for a function. */
  timeoutMilliseconds: number;
  onRequest(line: RequestLine): void;
}

interface Outcome {
  answer: GatewayAnswer | GatewayError;
  functionKey?: string;
  coldStart?: boolean;
}

type Segment = ReturnType<typeof noStageSegment>;

/**
 * Serves one request from its headers to its answer: which trace it belongs to, which function, what that returned, and the segment of it
 * all. Rejects for nothing that the client or the function does; the segment ends also when the client has gone.
 * @param expecting the client waits for `100 Continue` before it sends its body
 * @param ending aborts when nothing more is to be waited for: the gateway stops, or the rest of the request makes no sense
 */
export async function exchange(
  gateway: Gateway,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  expecting: boolean,
  ending: AbortSignal,
): Promise<void> {
  const { service, api, sink } = gateway;
  const started = performance.now();
  const request = readRequest(incoming, Date.now());
  const ids = { requestId: randomUUID(), extendedRequestId: extendedRequestId() };
  const decision = decideTrace(request, api, gateway.sampler);
  const { trace } = decision;
  const segment: Segment =
    service.gateway.tracing && trace.sampled
      ? beginStageSegment(sink, api, request, decision, ids)
      : noStageSegment(trace.parent);
  const { path, match } = route(gateway.router, api.stage, request.path);

  let waiting = expecting;
  const body = (): ReturnType<typeof readBody> => {
    const length = Number(incoming.headers['content-length'] ?? 0);
    if (waiting && length <= maxEventBytes) {
      outgoing.writeContinue();
      waiting = false;
    }
    return readBody(incoming, ending);
  };

  async function outcome(): Promise<Outcome> {
    if (headerBytes(incoming) > maxHeaderBytes) return { answer: gatewayErrors.headersTooLarge };
    const cors = match?.resource.cors;
    const lambda = match?.resource.methods.get(request.method);
    if (request.method === 'OPTIONS' && cors && !lambda) {
      return { answer: preflightAnswer(cors, lastValue(request, 'origin')) };
    }
    const target = lambda ?? match?.resource.methods.get('ANY');
    if (!match || !target) return { answer: gatewayErrors.noRoute };

    const functionKey = target.key;
    const reading = await body();
    if (reading.kind === 'aborted') return { answer: gatewayErrors.badRequest, functionKey };
    if (reading.kind === 'too-large') {
      const error = (reading.declared ?? 0) > maxBodyBytes ? gatewayErrors.bodyTooLarge : gatewayErrors.eventTooLarge;
      return { answer: error, functionKey };
    }
    const parent = segment.beginIntegration(target);
    const onward: TraceContext = { ...trace, parent };
    if (parent === undefined) delete onward.parent;
    const event = proxyEvent({
      request,
      path,
      match,
      api,
      ...ids,
      port: incoming.socket.localPort ?? 0,
      traceHeader: formatTraceHeader(onward),
      body: reading.body,
      binaryMediaTypes: service.gateway.binaryMediaTypes,
    });
    const result = await integrate(
      gateway,
      target,
      JSON.stringify(event),
      onward,
      lastValue(request, 'accept'),
      ending,
    );
    segment.endIntegration(result.outcome);
    return { answer: result.answer, functionKey, coldStart: result.coldStart };
  }

  const { answer: raw, functionKey, coldStart = false } = await outcome();
  const answer =
    'errorType' in raw
      ? gatewayAnswer(
          raw,
          service.gateway.responses,
          templateValues(request, path, match, api, trace, ids),
          lastValue(request, 'accept'),
        )
      : raw;
  const own: GatewayAnswer['headers'] = [
    ['x-amzn-RequestId', ids.requestId],
    ['x-amz-apigw-id', ids.extendedRequestId],
    ['X-Amzn-Trace-Id', `Root=${trace.root};Sampled=${trace.sampled ? 1 : 0}`],
  ];
  // The gateway's own win over what a function set under the same names.
  const reserved = new Set(own.map(([name]) => name.toLowerCase()));
  answer.headers = [...answer.headers.filter(([name]) => !reserved.has(name.toLowerCase())), ...own];
  // Before the answer is written: whoever has it can read the trace.
  segment.end(answer.status, answer.body.length);
  writeAnswer(incoming, outgoing, answer, ending);
  gateway.onRequest({
    time: request.time,
    method: request.method,
    path: request.path,
    status: answer.status,
    durationMilliseconds: performance.now() - started,
    coldStart,
    traceId: traceIdOf(trace.root),
    ...(functionKey ? { functionKey } : {}),
  });
}
