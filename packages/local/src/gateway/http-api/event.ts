import { formatTraceHeader } from '../../trace/trace-header.ts';
import type { Call } from '../gateway.ts';
import { commonLogTime, lastValue, parseQuery } from '../gateway-request.ts';
import { eventHeaders, eventQuery, single } from '../integration/proxy-event.ts';
import { eventBody, type HttpCall } from './call.ts';

/**
 * The header that goes on: what the caller sent, else a root alone; Lambda decides about the rest.
 */
function traceHeader({ decision, request }: Call): string {
  return request.headers.has('x-amzn-trace-id') || request.headers.has('traceparent')
    ? formatTraceHeader(decision.trace)
    : `Root=${decision.trace.root}`;
}

/** Lower case, repeated ones joined by commas, cookies apart. */
function headersAndCookies(call: Call): { headers: Record<string, string>; cookies?: string[] } {
  const headers: Record<string, string> = Object.create(null);
  const all = Object.entries(eventHeaders(call, traceHeader(call))).map(
    ([name, values]) => [name.toLowerCase(), values] as const,
  );
  const cookies: string[] = [];
  for (const [name, values] of all.sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (name === 'cookie') cookies.push(...values.flatMap((value) => value.split(/;\s*/)).filter((one) => one !== ''));
    else headers[name] = values.join(',');
  }
  const length = lastValue(call.request, 'content-length');
  if (length !== undefined) headers['content-length'] = length;
  return { headers, ...(cookies.length > 0 ? { cookies } : {}) };
}

function queryParameters(query: string): { queryStringParameters?: Record<string, string> } {
  const parameters: Record<string, string> = Object.create(null);
  const pairs = parseQuery(query);
  for (const [name, value] of pairs) {
    parameters[name] = Object.hasOwn(parameters, name) ? `${parameters[name]},${value}` : value;
  }
  return pairs.length > 0 ? { queryStringParameters: parameters } : {};
}

/** The parts that an authorizer's event has too. */
function shared(call: HttpCall): object {
  const { request, stage, routeKey, pathParameters, ids, gateway, authorizer } = call;
  return {
    routeKey,
    rawPath: request.path,
    rawQueryString: request.query,
    ...headersAndCookies(call),
    ...queryParameters(request.query),
    requestContext: {
      accountId: stage.accountId,
      apiId: stage.apiId,
      ...(authorizer ? { authorizer } : {}),
      domainName: request.host,
      domainPrefix: stage.apiId,
      http: {
        method: request.method,
        path: request.path,
        protocol: request.protocol,
        sourceIp: request.sourceIp,
        userAgent: lastValue(request, 'user-agent') ?? '',
      },
      requestId: ids.requestId,
      routeKey,
      stage: '$default',
      time: commonLogTime(request.time),
      timeEpoch: request.time,
    },
    ...(pathParameters ? { pathParameters } : {}),
    ...(gateway.service.gateway.stageVariables ? { stageVariables: gateway.service.gateway.stageVariables } : {}),
  };
}

/**
 * Builds the event of payload format 2.0, of an HTTP API and of a function URL
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).
 */
export function eventV2(call: HttpCall, body: Buffer): object {
  return { version: '2.0', ...shared(call), ...eventBody(call, body) };
}

/** Builds the event of payload format 1.0, which is a REST API's in the words of an HTTP API. */
export function eventV1(call: HttpCall, body: Buffer): object {
  const { request, gateway } = call;
  const { body: text = null, isBase64Encoded } = eventBody(call, body);
  return {
    version: '1.0',
    ...sharedV1(call),
    stageVariables: gateway.service.gateway.stageVariables ?? null,
    body: text,
    isBase64Encoded,
    httpMethod: request.method,
  };
}

function sharedV1(call: HttpCall): object {
  const { request, stage, routeKey, pathParameters, ids, authorizer } = call;
  const multi = eventHeaders(call, traceHeader(call));
  const length = lastValue(request, 'content-length');
  if (length !== undefined) multi['Content-Length'] = [length];
  const query = eventQuery(request.query);
  const resource = routeKey.split(' ').at(-1) ?? routeKey;
  return {
    resource,
    path: request.path,
    httpMethod: request.method,
    headers: single(multi),
    multiValueHeaders: multi,
    queryStringParameters: query && single(query),
    multiValueQueryStringParameters: query,
    requestContext: {
      accountId: stage.accountId,
      apiId: stage.apiId,
      ...(authorizer ? { authorizer: authorizerV1(authorizer) } : {}),
      domainName: request.host,
      domainPrefix: stage.apiId,
      extendedRequestId: ids.extendedRequestId,
      httpMethod: request.method,
      identity: {
        accessKey: null,
        accountId: null,
        caller: null,
        cognitoAmr: null,
        cognitoAuthenticationProvider: null,
        cognitoAuthenticationType: null,
        cognitoIdentityId: null,
        cognitoIdentityPoolId: null,
        principalOrgId: null,
        sourceIp: request.sourceIp,
        user: null,
        userAgent: lastValue(request, 'user-agent') ?? '',
        userArn: null,
      },
      path: request.path,
      protocol: request.protocol,
      requestId: ids.requestId,
      requestTime: commonLogTime(request.time),
      requestTimeEpoch: request.time,
      resourceId: routeKey,
      resourcePath: resource,
      stage: '$default',
    },
    pathParameters: pathParameters ?? null,
  };
}

/** Format 1.0 has what a JWT or a function says directly, not below `jwt` or `lambda`. */
function authorizerV1(authorizer: Record<string, unknown>): unknown {
  return authorizer.jwt ?? authorizer.lambda ?? authorizer;
}

/** @returns the event of an authorizer's function, in its format. */
export function authorizerEvent(call: HttpCall, format: '1.0' | '2.0', arn: string, identity: string[]): object {
  const { gateway } = call;
  if (format === '2.0')
    return { version: '2.0', type: 'REQUEST', routeArn: arn, identitySource: identity, ...shared(call) };
  const token = identity.join(',');
  return {
    version: '1.0',
    type: 'REQUEST',
    methodArn: arn,
    identitySource: token,
    authorizationToken: token,
    ...sharedV1(call),
    stageVariables: gateway.service.gateway.stageVariables ?? {},
  };
}
