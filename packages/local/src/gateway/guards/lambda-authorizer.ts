import type { LambdaPlatform } from '../../lambda/invocation/types.ts';
import type { LambdaAuthorizer } from '../../service/apis/api-model.ts';
import type { TelemetrySink } from '../../trace/records.ts';
import type { TraceContext } from '../../trace/trace-header.ts';
import { withTimeout } from '../../with-timeout.ts';
import type { Subsegment } from '../tracing/stage-segment.ts';
import { evaluatePolicy, type PolicyDecision, readPolicy } from './policy.ts';

/** The answer of an authorizer's function about a caller. */
export type AuthorizerAnswer =
  | {
      kind: 'answered';
      decide(arn: string): PolicyDecision;
      principalId?: string;
      context: Record<string, unknown>;
      usageIdentifierKey?: string;
    }
  /** It threw `Unauthorized`. */
  | { kind: 'unauthorized' }
  /** It failed, or did not return an authorizer's answer; `reason` says why. */
  | { kind: 'failed'; reason: string };

export interface AuthorizerCall {
  authorizer: LambdaAuthorizer;
  event: unknown;
  /** The values of the identity sources. */
  identity: string[];
  trace: TraceContext;
  /** Called when the function is asked, not where its answer is remembered. */
  begin(): Subsegment;
  timeoutMilliseconds: number;
  ending: AbortSignal;
}

export type AskAuthorizer = (call: AuthorizerCall) => Promise<AuthorizerAnswer>;

const cachedAnswers = 1000;
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function readAnswer(
  payload: string,
  { simpleResponses, payload: format }: LambdaAuthorizer,
  rest: boolean,
): AuthorizerAnswer {
  const failed = (reason: string): AuthorizerAnswer => ({ kind: 'failed', reason });
  let answer: unknown;
  try {
    answer = JSON.parse(payload);
  } catch {
    return failed('it is not valid JSON');
  }
  if (!isRecord(answer)) return failed('it is not an object');
  const context = answer.context ?? {};
  if (!isRecord(context)) return failed('context is not an object');
  if (rest && Object.values(context).some((value) => value !== null && typeof value === 'object')) {
    return failed('context holds an object or an array: a REST API takes strings, numbers and booleans');
  }
  if (simpleResponses && format === '2.0') {
    if (typeof answer.isAuthorized !== 'boolean') return failed('isAuthorized is not a boolean');
    const isAuthorized = answer.isAuthorized;
    return { kind: 'answered', decide: () => (isAuthorized ? 'allow' : 'explicit-deny'), context };
  }
  const statements = readPolicy(answer.policyDocument);
  if (!statements) return failed('policyDocument is not a policy');
  if (typeof answer.principalId !== 'string' && rest) return failed('principalId is not a string');
  const key = answer.usageIdentifierKey;
  return {
    kind: 'answered',
    decide: (arn) => evaluatePolicy(statements, arn),
    ...(answer.principalId === undefined ? {} : { principalId: String(answer.principalId) }),
    context,
    ...(typeof key === 'string' ? { usageIdentifierKey: key } : {}),
  };
}

/**
 * Creates the caller of authorizers' functions. It caches their answers for `resultTtlInSeconds`,
 * by the values of the identity sources, and never rejects.
 * @param rest a REST API is stricter about what an authorizer returns than an HTTP API.
 */
export function createAuthorizerCache(lambda: LambdaPlatform, sink: TelemetrySink, rest: boolean): AskAuthorizer {
  const cache = new Map<string, { until: number; answer: AuthorizerAnswer }>();
  return async ({ authorizer, event, identity, trace, begin, timeoutMilliseconds, ending }) => {
    const { name, functionKey, type, identitySources } = authorizer;
    const key = JSON.stringify([name, functionKey, type, identitySources, identity]);
    const cached = cache.get(key);
    if (cached && cached.until > Date.now()) return cached.answer;
    cache.delete(key);

    const failed = (reason: string): AuthorizerAnswer => {
      sink.rejected('gateway', 'An authorizer failed or returned an invalid answer.', `${authorizer.name}: ${reason}`);
      return { kind: 'failed', reason };
    };
    const subsegment = begin();
    const onward: TraceContext = { ...trace, ...(subsegment.id ? { parent: subsegment.id } : {}) };
    const payload = JSON.stringify(event);
    const invocation = lambda.invoke(authorizer.functionKey, { payload, trace: onward });
    const waited = await withTimeout(invocation, timeoutMilliseconds, ending).catch((error: unknown) => String(error));
    if (typeof waited === 'string') {
      subsegment.end(waited === 'timeout' ? 'timeout' : 'unreachable');
      return failed(waited === 'timeout' ? 'it took too long' : waited);
    }
    const result = waited.value;
    subsegment.end(result);
    if (result.error) {
      return result.error.message === 'Unauthorized' ? { kind: 'unauthorized' } : failed(result.error.message);
    }
    const answer = readAnswer(result.payload, authorizer, rest);
    if (answer.kind === 'failed') return failed(answer.reason);
    if (authorizer.ttlSeconds > 0 && identity.length > 0) {
      cache.set(key, { until: Date.now() + Math.min(authorizer.ttlSeconds, 3600) * 1000, answer });
      const [oldest] = cache.keys();
      if (cache.size > cachedAnswers && oldest !== undefined) cache.delete(oldest);
    }
    return answer;
  };
}
