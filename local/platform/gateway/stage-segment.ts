import type { LocalFunction } from '../../service/model.ts';
import type { SegmentDocument, TelemetrySink } from '../../store/records.ts';
import type { InvokeResult } from '../lambda/types.ts';
import { newSegmentId } from '../trace-context.ts';
import type { ApiIdentity } from './api.ts';
import { type GatewayRequest, lastValue } from './request.ts';
import type { TraceDecision } from './trace-decision.ts';

/** How an invocation ended, as far as the gateway's subsegment shows it. `timeout`: the gateway waited no longer. */
export type IntegrationOutcome = InvokeResult | 'timeout' | 'unreachable';

export interface StageSegment {
  /** Begins the subsegment of the integration. @returns its id, the parent of what Lambda emits. */
  beginIntegration(lambda: LocalFunction): string;
  endIntegration(outcome: IntegrationOutcome): void;
  end(status: number, contentLength: number): void;
}

/** X-Ray's flags: a 4xx is an error, 429 a throttle too, a 5xx a fault. */
function flags(status: number): Pick<SegmentDocument, 'error' | 'throttle' | 'fault'> {
  if (status >= 500) return { fault: true };
  if (status === 429) return { error: true, throttle: true };
  return status >= 400 ? { error: true } : {};
}

function outcomeFields(outcome: IntegrationOutcome): Partial<SegmentDocument> & { status?: number; length?: number } {
  if (outcome === 'timeout' || outcome === 'unreachable') return { fault: true };
  const length = Buffer.byteLength(outcome.payload);
  if (outcome.error?.kind === 'throttled') return { ...flags(429), status: 429, length };
  if (outcome.error?.kind === 'request-too-large') return { ...flags(413), status: 413, length };
  // Lambda answers 200 for a function that failed, with the failure in a header.
  return { ...(outcome.error ? { fault: true } : {}), status: 200, length };
}

function integration(lambda: LocalFunction, api: ApiIdentity): SegmentDocument {
  const arn = `arn:aws:lambda:${api.region}:${api.accountId}:function:${lambda.name}`;
  const url = `https://lambda.${api.region}.amazonaws.com/2015-03-31/functions/${arn}/invocations`;
  return {
    id: newSegmentId(),
    name: 'Lambda',
    start_time: Date.now() / 1000,
    namespace: 'aws',
    http: { request: { url, method: 'POST' } },
    aws: { function_name: lambda.name, region: api.region, operation: 'Invoke', resource_names: [lambda.name] },
  };
}

/**
 * Emits the segment of an API's stage for one request: in progress at once, whole at its end under the same id, with the integration as its
 * subsegment. Field by field as in https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-understanding-xray-traces.html.
 */
export function beginStageSegment(
  sink: TelemetrySink,
  api: ApiIdentity,
  request: GatewayRequest,
  { trace, ruleName }: TraceDecision,
  ids: { requestId: string; extendedRequestId: string },
): StageSegment {
  const forwarded = lastValue(request, 'x-forwarded-for')?.split(',', 1)[0]?.trim();
  const userAgent = lastValue(request, 'user-agent');
  const { method, host, path, query } = request;
  const httpRequest = {
    url: `http://${host}${path}${query ? `?${query}` : ''}`,
    method,
    client_ip: forwarded || request.sourceIp,
    ...(forwarded ? { x_forwarded_for: true } : {}),
    ...(userAgent ? { user_agent: userAgent } : {}),
  };
  const document: SegmentDocument = {
    id: newSegmentId(),
    name: api.segmentName.replace(/[^\p{L}\p{N}\s_.:/%&#=+\\\-@]/gu, '_').slice(0, 200),
    trace_id: trace.root,
    ...(trace.parent ? { parent_id: trace.parent } : {}),
    start_time: request.time / 1000,
    origin: 'AWS::ApiGateway::Stage',
    resource_arn: api.stageArn,
    http: { request: httpRequest },
    aws: {
      ...(ruleName ? { xray: { sampling_rule_name: ruleName } } : {}),
      api_gateway: { account_id: api.accountId, rest_api_id: api.id, stage: api.stage, request_id: ids.requestId },
    },
    annotations: { 'aws:api_id': api.id, 'aws:api_stage': api.stage },
    metadata: { default: { extended_request_id: ids.extendedRequestId, request_id: ids.requestId } },
  };
  sink.segment({ ...document, in_progress: true });
  let subsegment: SegmentDocument | undefined;
  return {
    beginIntegration(lambda) {
      subsegment = integration(lambda, api);
      return subsegment.id;
    },
    endIntegration(outcome) {
      if (!subsegment) return;
      const { status, length, ...fields } = outcomeFields(outcome);
      Object.assign(subsegment, fields, { end_time: Date.now() / 1000 });
      if (status) subsegment.http = { ...subsegment.http, response: { status, content_length: length ?? 0 } };
    },
    end(status, contentLength) {
      sink.segment({
        ...document,
        ...flags(status),
        end_time: Date.now() / 1000,
        http: { request: httpRequest, response: { status, content_length: contentLength } },
        ...(subsegment ? { subsegments: [subsegment] } : {}),
      });
    },
  };
}

/** What stands in where nothing is emitted: tracing is off for the stage, or the request is not sampled. */
export function noStageSegment(parent: string | undefined): Omit<StageSegment, 'beginIntegration'> & {
  beginIntegration(lambda: LocalFunction): string | undefined;
} {
  return { beginIntegration: () => parent, endIntegration: () => {}, end: () => {} };
}
