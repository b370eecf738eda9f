import type { InvokeResult } from '../../lambda/invocation/types.ts';
import { type SegmentDocument, type TelemetrySink, untracedMark } from '../../trace/records.ts';
import { newSegmentId } from '../../trace/trace-id.ts';
import type { ApiIdentity } from '../api-identity.ts';
import { type GatewayRequest, lastValue } from '../gateway-request.ts';
import type { TraceDecision } from './trace-decision.ts';

/**
 * How an invocation ended, as far as the gateway's subsegment shows it. `timeout`: the gateway
 * waited no longer.
 */
export type IntegrationOutcome = InvokeResult | { status: number; length: number } | 'timeout' | 'unreachable';

/** The part of a stage's segment that one call of a back end takes. */
export interface Subsegment {
  /**
   * The parent of what the back end emits; absent where nothing is traced and the caller named no
   * parent.
   */
  id?: string;
  end(outcome: IntegrationOutcome): void;
}

export interface StageSegment {
  /** Absent where nothing is emitted. */
  id?: string;
  beginFunction(lambda: { name: string }): Subsegment;
  /** @param url of an HTTP back end */
  beginHttp(url: string, method: string): Subsegment;
  end(status: number, contentLength: number): void;
}

/** X-Ray's flags: a 4xx is an error, 429 a throttle too, a 5xx a fault. */
function flags(status: number): Pick<SegmentDocument, 'error' | 'throttle' | 'fault'> {
  if (status >= 500) return { fault: true };
  if (status === 429) return { error: true, throttle: true };
  return status >= 400 ? { error: true } : {};
}

/** @returns the fields of a subsegment whose back end answered, or did not. */
function outcomeFields(outcome: IntegrationOutcome): Partial<SegmentDocument> & { status?: number; length?: number } {
  if (outcome === 'timeout' || outcome === 'unreachable') return { fault: true };
  if ('status' in outcome) return { ...flags(outcome.status), ...outcome };
  const length = Buffer.byteLength(outcome.payload);
  if (outcome.error?.kind === 'throttled') return { ...flags(429), status: 429, length };
  if (outcome.error?.kind === 'request-too-large') return { ...flags(413), status: 413, length };
  // Lambda answers 200 for a function that failed, with the failure in a header.
  return { ...(outcome.error ? { fault: true } : {}), status: 200, length };
}

function functionCall(lambda: { name: string }, api: ApiIdentity): SegmentDocument {
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
 * Emits the segment of an API's stage for one request: in progress at once, whole at its end under
 * the same id, with the integration as its subsegment. Field by field as in
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-understanding-xray-traces.html.
 */
export function beginStageSegment(
  sink: TelemetrySink,
  api: ApiIdentity,
  request: GatewayRequest,
  { trace, ruleName }: TraceDecision,
  ids: { requestId: string; extendedRequestId: string; untracedOnAws?: true | undefined },
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
    metadata: {
      default: { extended_request_id: ids.extendedRequestId, request_id: ids.requestId },
      ...(ids.untracedOnAws ? untracedMark : {}),
    },
  };
  sink.segment({ ...document, in_progress: true });
  const subsegments: SegmentDocument[] = [];
  const begin = (subsegment: SegmentDocument): Subsegment => {
    subsegments.push(subsegment);
    return {
      id: subsegment.id,
      end(outcome) {
        const { status, length, ...fields } = outcomeFields(outcome);
        Object.assign(subsegment, fields, { end_time: Date.now() / 1000 });
        if (status) subsegment.http = { ...subsegment.http, response: { status, content_length: length ?? 0 } };
      },
    };
  };
  return {
    ...(document.id ? { id: document.id } : {}),
    beginFunction: (lambda) => begin(functionCall(lambda, api)),
    beginHttp: (url, backMethod) =>
      begin({
        id: newSegmentId(),
        name: new URL(url).host,
        start_time: Date.now() / 1000,
        namespace: 'remote',
        http: { request: { url, method: backMethod } },
      }),
    end(status, contentLength) {
      sink.segment({
        ...document,
        ...flags(status),
        end_time: Date.now() / 1000,
        http: { request: httpRequest, response: { status, content_length: contentLength } },
        ...(subsegments.length > 0 ? { subsegments } : {}),
      });
    },
  };
}

/**
 * Returns a segment that emits nothing, for a request that is not sampled or an API without X-Ray.
 */
export function noStageSegment(parent: string | undefined): StageSegment {
  const subsegment: Subsegment = { ...(parent ? { id: parent } : {}), end: () => {} };
  return { beginFunction: () => subsegment, beginHttp: () => subsegment, end: () => {} };
}
