import type { APIGatewayProxyEvent } from 'aws-lambda';
import { firstMediaType, isBinaryMediaType } from '../answer.ts';
import { stableId } from '../api-identity.ts';
import type { Call } from '../gateway.ts';
import { commonLogTime, lastValue, parseQuery } from '../gateway-request.ts';
import type { RestCall } from '../rest-api/rest-call.ts';

/** The parts of a proxy event that are not in the request itself. */
interface Sent {
  /** The `X-Amzn-Trace-Id` that goes on. */
  traceHeader: string;
  body: Buffer;
}

/** Headers of the connection, which end at the gateway. */
const dropped = new Set([
  'connection',
  'content-length',
  'content-md5',
  'expect',
  'max-forwards',
  'proxy-authenticate',
  'server',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'www-authenticate',
]);

/** Headers that AWS writes in its own way; all others stay as the client wrote them. */
const rewritten = new Map([
  ['authorization', 'Authorization'],
  ['host', 'Host'],
  ['user-agent', 'User-Agent'],
]);

export type Multi = Record<string, string[]>;

export function single(multi: Multi): Record<string, string> {
  const values: Record<string, string> = Object.create(null);
  for (const [name, list] of Object.entries(multi)) values[name] = list.at(-1) ?? '';
  return values;
}

/**
 * @returns the headers of an event in format 1.0: the client's, and what the gateway says of the
 * connection.
 */
export function eventHeaders({ request, incoming }: Call, traceHeader: string): Multi {
  const headers: Multi = Object.create(null);
  for (const [key, { name, values }] of request.headers) {
    if (!dropped.has(key)) headers[rewritten.get(key) ?? name] = values;
  }
  const forwarded = request.headers.get('x-forwarded-for')?.values ?? [];
  for (const key of ['x-forwarded-for', 'x-forwarded-port', 'x-forwarded-proto', 'x-amzn-trace-id']) {
    const sent = request.headers.get(key);
    if (sent) delete headers[sent.name];
  }
  headers['X-Amzn-Trace-Id'] = [traceHeader];
  headers['X-Forwarded-For'] = [[...forwarded, request.sourceIp].join(', ')];
  headers['X-Forwarded-Port'] = [String(incoming.socket.localPort ?? 0)];
  headers['X-Forwarded-Proto'] = ['http'];
  return headers;
}

export function eventQuery(query: string): Multi | null {
  const parameters: Multi = Object.create(null);
  const pairs = parseQuery(query);
  for (const [name, value] of pairs) {
    const values = parameters[name];
    if (values) values.push(value);
    else parameters[name] = [value];
  }
  return pairs.length > 0 ? parameters : null;
}

type Context = APIGatewayProxyEvent['requestContext'];

/**
 * What the type has and a REST API sends only where it applies is optional here: authorizers, API
 * keys, client certificates.
 */
type RequestContext = Omit<Context, 'authorizer' | 'identity'> & {
  deploymentId: string;
  operationName?: string;
  authorizer?: Record<string, unknown>;
  identity: Omit<Context['identity'], 'apiKey' | 'apiKeyId' | 'clientCert'> & { apiKey?: string; apiKeyId?: string };
};

/**
 * @returns who calls, as far as a local run knows: the principal that stands in for a signature,
 * and the API key.
 */
export function callerIdentity({ request, admission, gateway }: RestCall): RequestContext['identity'] {
  const { principal = null, apiKey } = admission;
  return {
    cognitoIdentityPoolId: null,
    accountId: principal === null ? null : gateway.api.accountId,
    cognitoIdentityId: null,
    caller: principal,
    sourceIp: request.sourceIp,
    principalOrgId: null,
    accessKey: null,
    cognitoAuthenticationType: null,
    cognitoAuthenticationProvider: null,
    userArn: principal,
    userAgent: lastValue(request, 'user-agent') ?? null,
    user: principal,
    ...(apiKey ? { apiKey: apiKey.value, apiKeyId: apiKey.id } : {}),
  };
}

function requestContext(call: RestCall): RequestContext {
  const { request, path, match, route, ids, admission } = call;
  const { api } = call.gateway;
  return {
    resourceId: stableId(match.resource.path, 6),
    resourcePath: match.resource.path,
    httpMethod: request.method,
    extendedRequestId: ids.extendedRequestId,
    requestTime: commonLogTime(request.time),
    path: `/${api.stage}${path}`,
    accountId: api.accountId,
    protocol: request.protocol,
    stage: api.stage,
    domainPrefix: api.id,
    requestTimeEpoch: request.time,
    requestId: ids.requestId,
    identity: callerIdentity(call),
    domainName: request.host,
    deploymentId: stableId(`${api.id}/deployment`, 6),
    apiId: api.id,
    ...(route.operationName ? { operationName: route.operationName } : {}),
    ...(admission.authorizer ? { authorizer: admission.authorizer } : {}),
  };
}

/**
 * Builds the event of a Lambda proxy integration, payload format 1.0, as REST APIs send it
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format).
 * `path` and path variables stay percent-encoded, query parameters are decoded, and of repeated
 * ones the last is in the single-value maps. Not there, as nothing local has it: CloudFront's
 * headers.
 */
export function proxyEvent(
  call: RestCall,
  { traceHeader, body }: Sent,
): Omit<APIGatewayProxyEvent, 'requestContext'> & { requestContext: RequestContext } {
  const { request, match, gateway } = call;
  const headers = eventHeaders(call, traceHeader);
  const query = eventQuery(request.query);
  const binary = isBinaryMediaType(
    gateway.service.gateway.binaryMediaTypes,
    // A body without a type is JSON to API Gateway.
    firstMediaType(lastValue(request, 'content-type')) ?? 'application/json',
  );
  return {
    resource: match.resource.path,
    path: call.path,
    httpMethod: request.method,
    headers: single(headers),
    multiValueHeaders: headers,
    queryStringParameters: query && single(query),
    multiValueQueryStringParameters: query,
    pathParameters: match.pathParameters,
    stageVariables: gateway.service.gateway.stageVariables ?? null,
    requestContext: requestContext(call),
    body: body.length === 0 ? null : body.toString(binary ? 'base64' : 'utf8'),
    isBase64Encoded: binary && body.length > 0,
  };
}
