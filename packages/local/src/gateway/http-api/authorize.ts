import type { JwtAuthorizer, LambdaAuthorizer, LocalAuthorizer } from '../../service/apis/api-model.ts';
import type { GatewayAnswer } from '../answer.ts';
import { claimTexts } from '../guards/claims.ts';
import { identityValue } from '../guards/identity-source.ts';
import { noStageSegment } from '../tracing/stage-segment.ts';
import type { HttpCall } from './call.ts';
import { forbidden, httpError, internalError, unauthorized } from './errors.ts';
import { authorizerEvent } from './event.ts';

type Authorized = { authorizer?: Record<string, unknown> } | { refusal: GatewayAnswer };

/** Asks the authorizer of a route of an HTTP API, or of a function URL. */
export async function authorizeHttp(call: HttpCall, authorizer: LocalAuthorizer | undefined): Promise<Authorized> {
  switch (authorizer?.kind) {
    case undefined:
      return {};
    case 'open':
      if (authorizer.authorizer) return { authorizer: authorizer.authorizer };
      return authorizer.principal ? { authorizer: { iam: iamCaller(authorizer.principal, call) } } : {};
    case 'refused':
      call.gateway.sink.rejected('gateway', 'A guard refused a request.', `${authorizer.name}: ${authorizer.reason}`);
      return { refusal: authorizer.guard === 'iam' ? forbidden() : internalError() };
    case 'jwt':
      return authorizeByToken(call, authorizer);
    case 'lambda':
      return authorizeByFunction(call, authorizer);
  }
}

function iamCaller(userArn: string, { gateway }: HttpCall): object {
  return {
    accessKey: null,
    accountId: gateway.api.accountId,
    callerId: userArn,
    cognitoIdentity: null,
    principalOrgId: null,
    userArn,
    userId: userArn,
  };
}

function sources({ gateway, ids, routeKey }: HttpCall) {
  return {
    context: { routeKey, requestId: ids.requestId, stage: '$default', apiId: gateway.api.id },
    stageVariables: gateway.service.gateway.stageVariables ?? {},
  };
}

async function authorizeByToken(call: HttpCall, authorizer: JwtAuthorizer): Promise<Authorized> {
  const given = identityValue(authorizer.identitySource, call.request, sources(call));
  if (given === undefined) return { refusal: unauthorized() };
  const verdict = await call.gateway.verifyToken(authorizer, given.replace(/^Bearer\s+/i, ''));
  if (verdict.kind === 'valid') {
    const scopes = authorizer.scopes.length > 0 ? verdict.scopes : null;
    return { authorizer: { jwt: { claims: claimTexts(verdict.claims, 'http'), scopes } } };
  }
  if (verdict.kind === 'insufficient-scope') {
    const challenge = `Bearer scope="${authorizer.scopes.join(' ')}" error="insufficient_scope"`;
    return { refusal: httpError(403, 'Forbidden', [['www-authenticate', challenge]]) };
  }
  const why = verdict.expired ? 'the token has expired' : 'the token is not valid';
  const challenge = `Bearer scope="" error="invalid_token" error_description="${why}"`;
  return { refusal: httpError(401, 'Unauthorized', [['www-authenticate', challenge]]) };
}

async function authorizeByFunction(call: HttpCall, authorizer: LambdaAuthorizer): Promise<Authorized> {
  const { gateway, request, decision } = call;
  const { api } = gateway;
  const values = authorizer.identitySources.map((source) => identityValue(source, request, sources(call)));
  if (values.includes(undefined)) return { refusal: httpError(401, 'Unauthorized') };
  const identity = values.map(String);
  const path = request.path.replace(/^\//, '');
  const arn = `arn:aws:execute-api:${api.region}:${api.accountId}:${call.stage.apiId}/$default/${request.method}/${path}`;
  const segment = noStageSegment(decision.trace.parent);
  const answer = await gateway.askHttpAuthorizer({
    authorizer,
    event: authorizerEvent(call, authorizer.payload, arn, identity),
    identity,
    trace: decision.trace,
    begin: () => segment.beginFunction({ name: authorizer.functionKey }),
    timeoutMilliseconds: gateway.timeoutMilliseconds,
    ending: call.ending,
  });
  if (answer.kind === 'unauthorized') return { refusal: httpError(401, 'Unauthorized') };
  if (answer.kind === 'failed') return { refusal: internalError() };
  if (answer.decide(arn) !== 'allow') return { refusal: forbidden() };
  // A function that answers by a policy hands its principal on with the context in format 1.0.
  const principal =
    answer.principalId === undefined || authorizer.payload === '2.0' ? {} : { principalId: answer.principalId };
  return { authorizer: { lambda: { ...answer.context, ...principal } } };
}
