import { defaultSamplingRule, type SamplingRule } from '../../service/model.ts';
import { type IncomingTrace, parseTraceHeader, parseTraceparent, type TraceContext } from '../../trace/trace-header.ts';
import { newRoot } from '../../trace/trace-id.ts';
import type { ApiIdentity } from '../api-identity.ts';
import { type GatewayRequest, onlyValue } from '../gateway-request.ts';

/**
 * The properties of a request that sampling rules match. A rule has to match one of its hosts and
 * one of its paths.
 */
export interface SamplingRequest {
  serviceName: string;
  serviceType: string;
  resourceArn: string;
  hosts: string[];
  method: string;
  paths: string[];
}

export interface SamplingDecision {
  sampled: boolean;
  ruleName: string;
}

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

/**
 * @returns what the sampling rules are asked about a request: a rule may name its host with or
 * without the port, its path with or without the stage.
 */
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
 * Decides which trace a request belongs to and whether it is kept. A valid `traceparent` wins over
 * a valid `X-Amzn-Trace-Id`; without either a trace begins here. Where there is no sampler
 * everything is kept, whatever the caller says: a browser's `traceparent` is unsampled more often
 * than not, and on a laptop one wants to see it. With a sampler, a caller's decision is followed as
 * on AWS.
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

/** Matches `text` against one of X-Ray's patterns, for which case does not count. */
export function matchesWildcard(pattern: string, text: string): boolean {
  return matchesPattern(pattern.toLowerCase(), text.toLowerCase());
}

/**
 * Matches `given` against a pattern in which `*` stands for any characters or none, `?` for exactly
 * one. Two cursors and one place to return to, so that no pattern takes more than pattern times
 * text steps: patterns and hosts come from outside.
 */
export function matchesPattern(wanted: string, given: string): boolean {
  let cursor = 0;
  let position = 0;
  let star = -1;
  let resume = 0;
  while (position < given.length) {
    if (wanted[cursor] === '*') {
      star = cursor;
      resume = position;
      cursor += 1;
    } else if (cursor < wanted.length && (wanted[cursor] === '?' || wanted[cursor] === given[position])) {
      cursor += 1;
      position += 1;
    } else if (star >= 0) {
      // The last star takes one character more.
      cursor = star + 1;
      resume += 1;
      position = resume;
    } else {
      return false;
    }
  }
  while (wanted[cursor] === '*') cursor += 1;
  return cursor === wanted.length;
}

function applies(rule: SamplingRule, request: SamplingRequest): boolean {
  return (
    matchesWildcard(rule.ServiceName, request.serviceName) &&
    matchesWildcard(rule.ServiceType, request.serviceType) &&
    matchesWildcard(rule.ResourceARN, request.resourceArn) &&
    matchesWildcard(rule.HTTPMethod, request.method) &&
    request.hosts.some((host) => matchesWildcard(rule.Host, host)) &&
    request.paths.some((path) => matchesWildcard(rule.URLPath, path)) &&
    // API Gateway names no attributes, so a rule that asks for one never matches.
    Object.keys(rule.Attributes ?? {}).length === 0
  );
}

/**
 * Makes the decision that X-Ray makes for a service: the first rule that matches, by priority and
 * then by name; its reservoir of whole requests a second first, its fixed rate for the rest.
 * @param now epoch milliseconds
 * @param random 0 to 1, 1 excluded
 */
export function createSampler(
  rules: SamplingRule[],
  now: () => number = Date.now,
  random: () => number = Math.random,
): (request: SamplingRequest) => SamplingDecision {
  const ordered = [...rules, defaultSamplingRule].sort(
    (a, b) => a.Priority - b.Priority || (a.RuleName < b.RuleName ? -1 : Number(a.RuleName > b.RuleName)),
  );
  const reservoirs = new Map<SamplingRule, { second: number; taken: number }>();
  return (request) => {
    const rule = ordered.find((candidate) => applies(candidate, request)) ?? defaultSamplingRule;
    const second = Math.floor(now() / 1000);
    const reservoir = reservoirs.get(rule);
    const taken = reservoir?.second === second ? reservoir.taken : 0;
    if (taken < rule.ReservoirSize) {
      reservoirs.set(rule, { second, taken: taken + 1 });
      return { sampled: true, ruleName: rule.RuleName };
    }
    return { sampled: random() < rule.FixedRate, ruleName: rule.RuleName };
  };
}
