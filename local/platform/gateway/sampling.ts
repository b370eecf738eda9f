import { defaultSamplingRule, type SamplingRule } from '../../service/model.ts';
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
