import type { SamplingRule } from '../../service/model.ts';
import { matchesWildcard } from './wildcard.ts';

/** What a sampling rule is asked about. Several hosts or paths: the names that one request goes by; a rule needs to match one of them. */
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

/** X-Ray's own last rule: one request a second, then 5 % (https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html). */
const DEFAULT_RULE: SamplingRule = {
  RuleName: 'Default',
  Priority: 10_000,
  FixedRate: 0.05,
  ReservoirSize: 1,
  ServiceName: '*',
  ServiceType: '*',
  Host: '*',
  HTTPMethod: '*',
  URLPath: '*',
  ResourceARN: '*',
};

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
 * Makes the decision that X-Ray makes for a service: the first rule that matches, by priority and then by name; its reservoir of whole
 * requests a second first, its fixed rate for the rest.
 * @param now epoch milliseconds
 * @param random 0 to 1, 1 excluded
 */
export function createSampler(
  rules: SamplingRule[],
  now: () => number = Date.now,
  random: () => number = Math.random,
): (request: SamplingRequest) => SamplingDecision {
  const ordered = [...rules, DEFAULT_RULE].sort(
    (a, b) => a.Priority - b.Priority || (a.RuleName < b.RuleName ? -1 : Number(a.RuleName > b.RuleName)),
  );
  const reservoirs = new Map<SamplingRule, { second: number; taken: number }>();
  return (request) => {
    const rule = ordered.find((candidate) => applies(candidate, request)) ?? DEFAULT_RULE;
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
