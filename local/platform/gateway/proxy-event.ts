import type { APIGatewayProxyEvent } from 'aws-lambda';
import { type ApiIdentity, stableId } from './api.ts';
import { firstMediaType, isBinaryMediaType } from './media-type.ts';
import { type GatewayRequest, lastValue, parseQuery } from './request.ts';
import type { RouteMatch } from './routes.ts';

export interface ProxyEventInput {
  request: GatewayRequest;
  /** Without the stage. */
  path: string;
  match: RouteMatch;
  api: ApiIdentity;
  requestId: string;
  extendedRequestId: string;
  /** Of the gateway itself, for `X-Forwarded-Port`. */
  port: number;
  /** The `X-Amzn-Trace-Id` that goes on. */
  traceHeader: string;
  body: Buffer;
  binaryMediaTypes: string[];
}

/** Headers of the connection, which end at the gateway. */
const DROPPED = new Set([
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
const REWRITTEN = new Map([
  ['authorization', 'Authorization'],
  ['host', 'Host'],
  ['user-agent', 'User-Agent'],
]);

type Multi = Record<string, string[]>;

function single(multi: Multi): Record<string, string> {
  const values: Record<string, string> = Object.create(null);
  for (const [name, list] of Object.entries(multi)) values[name] = list.at(-1) ?? '';
  return values;
}

function eventHeaders({ request, port, traceHeader }: ProxyEventInput): Multi {
  const headers: Multi = Object.create(null);
  for (const [key, { name, values }] of request.headers) {
    if (!DROPPED.has(key)) headers[REWRITTEN.get(key) ?? name] = values;
  }
  const forwarded = request.headers.get('x-forwarded-for')?.values ?? [];
  for (const key of ['x-forwarded-for', 'x-forwarded-port', 'x-forwarded-proto', 'x-amzn-trace-id']) {
    const sent = request.headers.get(key);
    if (sent) delete headers[sent.name];
  }
  headers['X-Amzn-Trace-Id'] = [traceHeader];
  headers['X-Forwarded-For'] = [[...forwarded, request.sourceIp].join(', ')];
  headers['X-Forwarded-Port'] = [String(port)];
  headers['X-Forwarded-Proto'] = ['http'];
  return headers;
}

function eventQuery(query: string): Multi | null {
  const parameters: Multi = Object.create(null);
  const pairs = parseQuery(query);
  for (const [name, value] of pairs) {
    const values = parameters[name];
    if (values) values.push(value);
    else parameters[name] = [value];
  }
  return pairs.length > 0 ? parameters : null;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** @returns the time as the common log format has it, in UTC: `22/Nov/2026:15:44:00 +0000`. */
export function commonLogTime(time: number): string {
  const date = new Date(time);
  const iso = date.toISOString();
  return `${iso.slice(8, 10)}/${MONTHS[date.getUTCMonth()]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}

type Context = APIGatewayProxyEvent['requestContext'];

/** What the type has and a REST API sends only where there are authorizers, API keys or client certificates is left out. */
type RequestContext = Omit<Context, 'authorizer' | 'identity'> & {
  deploymentId: string;
  identity: Omit<Context['identity'], 'apiKey' | 'apiKeyId' | 'clientCert'>;
};

function requestContext({ request, path, match, api, requestId, extendedRequestId }: ProxyEventInput): RequestContext {
  return {
    resourceId: stableId(match.resource.path, 6),
    resourcePath: match.resource.path,
    httpMethod: request.method,
    extendedRequestId,
    requestTime: commonLogTime(request.time),
    path: `/${api.stage}${path}`,
    accountId: api.accountId,
    protocol: request.protocol,
    stage: api.stage,
    domainPrefix: api.id,
    requestTimeEpoch: request.time,
    requestId,
    identity: {
      cognitoIdentityPoolId: null,
      accountId: null,
      cognitoIdentityId: null,
      caller: null,
      sourceIp: request.sourceIp,
      principalOrgId: null,
      accessKey: null,
      cognitoAuthenticationType: null,
      cognitoAuthenticationProvider: null,
      userArn: null,
      userAgent: lastValue(request, 'user-agent') ?? null,
      user: null,
    },
    domainName: request.host,
    deploymentId: stableId(`${api.id}/deployment`, 6),
    apiId: api.id,
  };
}

/**
 * Builds the event of a Lambda proxy integration, payload format 1.0, as REST APIs send it
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format).
 * `path` and path variables stay percent-encoded, query parameters are decoded, and of repeated ones the last is in the single-value maps.
 * Not there, as nothing local has it: CloudFront's headers, an authorizer, stage variables.
 */
export function proxyEvent(
  input: ProxyEventInput,
): Omit<APIGatewayProxyEvent, 'requestContext'> & { requestContext: RequestContext } {
  const { request, match, body } = input;
  const headers = eventHeaders(input);
  const query = eventQuery(request.query);
  const binary = isBinaryMediaType(
    input.binaryMediaTypes,
    // A body without a type is JSON to API Gateway.
    firstMediaType(lastValue(request, 'content-type')) ?? 'application/json',
  );
  return {
    resource: match.resource.path,
    path: input.path,
    httpMethod: request.method,
    headers: single(headers),
    multiValueHeaders: headers,
    queryStringParameters: query && single(query),
    multiValueQueryStringParameters: query,
    pathParameters: match.pathParameters,
    stageVariables: null,
    requestContext: requestContext(input),
    body: body.length === 0 ? null : body.toString(binary ? 'base64' : 'utf8'),
    isBase64Encoded: binary && body.length > 0,
  };
}
