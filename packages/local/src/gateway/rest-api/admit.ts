import type { JwtAuthorizer, LambdaAuthorizer } from '../../service/apis/api-model.ts';
import { formatTraceHeader } from '../../trace/trace-header.ts';
import { claimTexts } from '../guards/claims.ts';
import { identityValue } from '../guards/identity-source.ts';
import { proxyEvent } from '../integration/proxy-event.ts';
import { type GatewayError, gatewayErrors, templateValues } from '../responses/gateway-responses.ts';
import type { Admission, RestCall } from './rest-call.ts';

interface Admitted {
  admission: Admission;
  /** Why the request goes no further. */
  error?: GatewayError;
}

type Authorized = Admitted & { usageIdentifierKey?: string };

/**
 * Asks the guards of a route in API Gateway's order: the authorizer, then the API key and its usage
 * plan.
 */
export async function admit(call: RestCall): Promise<Admitted> {
  const { route, gateway } = call;
  const authorized = await authorize(call);
  if (authorized.error || !route.apiKeyRequired) return authorized;
  const { apiKeys = [], apiKeySource } = gateway.service.gateway;
  const given =
    apiKeySource === 'AUTHORIZER'
      ? authorized.usageIdentifierKey
      : call.request.headers.get('x-api-key')?.values.at(-1);
  const key = apiKeys.find(({ value, enabled }) => enabled && value === given);
  const error = key ? gateway.useKey(key) : gatewayErrors.invalidApiKey;
  if (error) return { ...authorized, error };
  const apiKey = { id: key?.name ?? '', value: key?.value ?? '' };
  return { admission: { ...authorized.admission, apiKey } };
}

async function authorize(call: RestCall): Promise<Authorized> {
  const { authorizer } = call.route;
  switch (authorizer?.kind) {
    case undefined:
      return { admission: {} };
    case 'open': {
      const { principal, authorizer: context } = authorizer;
      return { admission: { ...(principal ? { principal } : {}), ...(context ? { authorizer: context } : {}) } };
    }
    case 'refused':
      call.gateway.sink.rejected('gateway', 'A guard refused a request.', `${authorizer.name}: ${authorizer.reason}`);
      return {
        admission: {},
        error: authorizer.guard === 'iam' ? gatewayErrors.noRoute : gatewayErrors.authorizerFailed,
      };
    case 'jwt':
      return authorizeByToken(call, authorizer);
    case 'lambda':
      return authorizeByFunction(call, authorizer);
  }
}

function sourceContext({ request, path, match, gateway, decision, ids }: RestCall) {
  const { context } = templateValues(request, path, match, gateway.api, decision.trace, ids);
  return { context, stageVariables: gateway.service.gateway.stageVariables ?? {} };
}

async function authorizeByToken(call: RestCall, authorizer: JwtAuthorizer): Promise<Authorized> {
  const given = identityValue(authorizer.identitySource, call.request, sourceContext(call));
  if (given === undefined) return { admission: {}, error: gatewayErrors.unauthorized };
  const verdict = await call.gateway.verifyToken(authorizer, given.replace(/^Bearer\s+/i, ''));
  if (verdict.kind === 'valid') return { admission: { authorizer: { claims: claimTexts(verdict.claims, 'rest') } } };
  const expired = verdict.kind === 'invalid' && verdict.expired;
  return { admission: {}, error: expired ? gatewayErrors.expiredToken : gatewayErrors.unauthorized };
}

async function authorizeByFunction(call: RestCall, authorizer: LambdaAuthorizer): Promise<Authorized> {
  const { gateway, request, segment, decision } = call;
  const more = sourceContext(call);
  const identity = authorizer.identitySources.map((source) => identityValue(source, request, more));
  const [token] = identity;
  const valid = authorizer.validation === undefined || new RegExp(`^(?:${authorizer.validation})$`).test(token ?? '');
  if (identity.includes(undefined) || (authorizer.type === 'TOKEN' && !valid)) {
    return { admission: {}, error: gatewayErrors.unauthorized };
  }
  const methodArn = arnOf(call);
  const answer = await gateway.askAuthorizer({
    authorizer,
    event:
      authorizer.type === 'TOKEN'
        ? { type: 'TOKEN', methodArn, authorizationToken: token }
        : { type: 'REQUEST', methodArn, ...requestPart(call) },
    identity: identity.map(String),
    trace: decision.trace,
    begin: () => segment.beginFunction({ name: functionName(call, authorizer.functionKey) }),
    timeoutMilliseconds: gateway.timeoutMilliseconds,
    ending: call.ending,
  });
  if (answer.kind === 'unauthorized') return { admission: {}, error: gatewayErrors.unauthorized };
  if (answer.kind === 'failed') return { admission: {}, error: gatewayErrors.authorizerFailed };
  const texts = Object.entries(answer.context).map(([name, value]) => [name, String(value)]);
  const context = { ...Object.fromEntries(texts), principalId: answer.principalId };
  const decided = answer.decide(methodArn);
  return {
    admission: { authorizer: context },
    ...(decided === 'explicit-deny' ? { error: gatewayErrors.explicitlyDenied } : {}),
    ...(decided === 'implicit-deny' ? { error: gatewayErrors.denied } : {}),
    ...(answer.usageIdentifierKey === undefined ? {} : { usageIdentifierKey: answer.usageIdentifierKey }),
  };
}

function functionName({ gateway }: RestCall, key: string): string {
  return gateway.service.functions.find((lambda) => lambda.key === key)?.name ?? key;
}

/**
 * @returns `arn:aws:execute-api:<region>:<account>:<api>/<stage>/<METHOD>/<path>`, the path as the
 * client wrote it.
 */
function arnOf({ gateway: { api }, request, path }: RestCall): string {
  const api_ = `arn:aws:execute-api:${api.region}:${api.accountId}:${api.id}`;
  return `${api_}/${api.stage}/${request.method}/${path.replace(/^\//, '')}`;
}

/** A REQUEST authorizer's view of the request: a proxy event without its body. */
function requestPart(call: RestCall): object {
  const {
    body: _,
    isBase64Encoded: __,
    ...event
  } = proxyEvent(call, {
    traceHeader: formatTraceHeader(call.decision.trace),
    body: Buffer.alloc(0),
  });
  return event;
}
