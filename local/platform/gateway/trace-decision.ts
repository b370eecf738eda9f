import {
  type IncomingTrace,
  newRoot,
  parseTraceHeader,
  parseTraceparent,
  type TraceContext,
} from '../trace-context.ts';
import type { ApiIdentity } from './api.ts';
import { type GatewayRequest, onlyValue } from './request.ts';
import type { SamplingDecision, SamplingRequest } from './sampling.ts';

export interface TraceDecision {
  trace: TraceContext;
  /** The rule that decided, where one was asked. */
  ruleName?: string;
}

function incomingTrace(request: GatewayRequest): IncomingTrace | undefined {
  // Sent twice, a header says nothing: onlyValue leaves it out.
  const xray = parseTraceHeader(onlyValue(request, 'x-amzn-trace-id'));
  const w3c = parseTraceparent(onlyValue(request, 'traceparent'));
  if (!w3c) return xray;
  return xray?.rest && xray.root === w3c.root ? { ...w3c, rest: xray.rest } : w3c;
}

/** @returns what the sampling rules are asked about a request: a rule may name its host with or without the port, its path with or without the stage. */
export function samplingRequest(request: GatewayRequest, api: ApiIdentity): SamplingRequest {
  return {
    serviceName: api.segmentName,
    serviceType: 'AWS::ApiGateway::Stage',
    resourceArn: api.stageArn,
    hosts: [request.host, request.host.replace(/:\d+$/, '')],
    method: request.method,
    paths: [request.path, `/${api.stage}${request.path}`],
  };
}

/**
 * Decides which trace a request belongs to and whether it is kept. A valid `traceparent` wins over a valid `X-Amzn-Trace-Id`; without
 * either a trace begins here. Where there is no sampler everything is kept, whatever the caller says: a browser's `traceparent` is unsampled
 * more often than not, and on a laptop one wants to see it. With a sampler, a caller's decision is followed as on AWS.
 */
export function decideTrace(
  request: GatewayRequest,
  api: ApiIdentity,
  sampler: ((request: SamplingRequest) => SamplingDecision) | undefined,
): TraceDecision {
  const incoming = incomingTrace(request) ?? { root: newRoot(request.time) };
  if (!sampler) return { trace: { ...incoming, sampled: true } };
  if (incoming.sampled !== undefined) return { trace: { ...incoming, sampled: incoming.sampled } };
  const { sampled, ruleName } = sampler(samplingRequest(request, api));
  return { trace: { ...incoming, sampled }, ruleName };
}
