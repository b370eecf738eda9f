import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LocalIntegration } from '../../service/apis/api-model.ts';
import { formatTraceHeader } from '../../trace/trace-header.ts';
import type { GatewayAnswer } from '../answer.ts';
import { type GatewayError, gatewayErrors } from '../responses/gateway-responses.ts';
import type { RestCall } from '../rest-api/rest-call.ts';
import { type IntegrationResult, traceBelow } from './invoke.ts';
import { mappedValue, mapRequest, mapResponse } from './mapping.ts';
import { noOverrides, type Overrides } from './mapping-template.ts';

type Integration<Kind extends LocalIntegration['kind']> = Extract<LocalIntegration, { kind: Kind }>;
type Result = Promise<IntegrationResult<GatewayAnswer>>;

/** Headers of the connection to the client, or of the one to the back end. */
const hop = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

interface BackEndRequest {
  url: string;
  method: string;
  headers: Record<string, string | string[]>;
  body: Buffer;
}

interface BackEndResponse {
  status: number;
  headers: [string, string][];
  body: Buffer;
}

function send({ url, method, headers, body }: BackEndRequest, milliseconds: number, ending: AbortSignal) {
  return new Promise<BackEndResponse>((resolve, reject) => {
    const open = url.startsWith('https:') ? httpsRequest : httpRequest;
    const signal = AbortSignal.any([ending, AbortSignal.timeout(milliseconds)]);
    const hasBody = body.length > 0 && !['GET', 'HEAD', 'OPTIONS'].includes(method);
    const outgoing = open(url, {
      method,
      headers: { ...headers, ...(hasBody ? { 'Content-Length': String(body.length) } : {}) },
      signal,
    });
    outgoing.once('error', reject);
    outgoing.once('response', (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const pairs: [string, string][] = [];
        for (let index = 0; index + 1 < response.rawHeaders.length; index += 2) {
          const name = response.rawHeaders[index] ?? '';
          if (!hop.has(name.toLowerCase())) pairs.push([name, response.rawHeaders[index + 1] ?? '']);
        }
        resolve({ status: response.statusCode ?? 502, headers: pairs, body: Buffer.concat(chunks) });
      });
    });
    outgoing.end(hasBody ? body : undefined);
  });
}

/**
 * Sends a request on to a back end within the time that the route has, as a subsegment of its own.
 */
async function forward(call: RestCall, request: BackEndRequest): Promise<BackEndResponse | GatewayError> {
  const { gateway, route, segment, decision, ending } = call;
  if (!URL.canParse(request.url)) return gatewayErrors.configuration;
  const subsegment = segment.beginHttp(request.url, request.method);
  const headers = {
    ...request.headers,
    'X-Amzn-Trace-Id': formatTraceHeader(traceBelow(decision.trace, subsegment.id)),
    'X-Amzn-Apigateway-Api-Id': gateway.api.id,
  };
  try {
    const milliseconds = route.timeoutMilliseconds ?? gateway.timeoutMilliseconds;
    const response = await send({ ...request, headers }, milliseconds, ending);
    subsegment.end({ status: response.status, length: response.body.length });
    return response;
  } catch (error) {
    const timedOut = error instanceof Error && (error.name === 'TimeoutError' || /timeout/i.test(String(error.cause)));
    subsegment.end(timedOut ? 'timeout' : 'unreachable');
    gateway.sink.rejected('gateway', 'A back end did not answer.', `${request.url}: ${String(error)}`);
    if (ending.aborted) return gatewayErrors.stopping;
    return timedOut ? gatewayErrors.timedOut : gatewayErrors.configuration;
  }
}

/**
 * What `integration.request.…` mappings and overrides make of the request: parts of the path, the
 * query, headers.
 */
function mappedParts(call: RestCall, parameters: Record<string, string>, { requestOverride }: Overrides) {
  const parts = { path: {}, querystring: {}, header: {} } as Record<
    'path' | 'querystring' | 'header',
    Record<string, string>
  >;
  for (const [target, source] of Object.entries(parameters)) {
    const [, place, name] = /^integration\.request\.(path|querystring|header)\.(.+)$/.exec(target) ?? [];
    const value = mappedValue(call, source);
    if (place && name && value !== undefined) parts[place as keyof typeof parts][name] = value;
  }
  for (const place of ['path', 'querystring', 'header'] as const) Object.assign(parts[place], requestOverride[place]);
  return parts;
}

function backEndUrl(call: RestCall, uri: string, path: Record<string, string>, query: string): string {
  const variables = call.gateway.service.gateway.stageVariables ?? {};
  const filled = uri
    .replace(/\$\{stageVariables\.([\w]+)\}/g, (_, name: string) => variables[name] ?? '')
    .replace(/\{([\w]+)\+?\}/g, (whole, name: string) => (Object.hasOwn(path, name) ? (path[name] ?? '') : whole));
  return query === '' ? filled : `${filled}${filled.includes('?') ? '&' : '?'}${query}`;
}

/**
 * `integration: http-proxy`: the request goes to the back end as it came, and its answer comes back
 * as it is.
 */
export async function integrateHttpProxy(call: RestCall, integration: Integration<'http-proxy'>, body: Buffer): Result {
  const { request } = call;
  const parts = mappedParts(call, integration.requestParameters, noOverrides());
  const headers: BackEndRequest['headers'] = {};
  for (const [key, { name, values }] of request.headers) if (!hop.has(key)) headers[name] = values;
  const added = new URLSearchParams(parts.querystring).toString();
  // A mapping of a parameter to its own name says no more than the query itself.
  const own = Object.values(integration.requestParameters).every((source) => source.startsWith('method.request.'));
  const query = [request.query, own ? '' : added].filter((text) => text !== '').join('&');
  const response = await forward(call, {
    url: backEndUrl(call, integration.uri, parts.path, query),
    method: integration.method === 'ANY' ? request.method : integration.method,
    headers: { ...headers, ...parts.header },
    body,
  });
  if ('errorType' in response) return { answer: response, coldStart: false };
  return { answer: { ...response, status: Math.max(200, response.status) }, coldStart: false };
}

/** `integration: http`: templates and mappings make the request and the answer. */
export async function integrateHttp(call: RestCall, integration: Integration<'http'>, body: Buffer): Result {
  const overrides = noOverrides();
  const mapped = mapRequest(call, integration, body.toString('utf8'), overrides);
  if (typeof mapped !== 'string') return { answer: mapped, coldStart: false };
  const parts = mappedParts(call, integration.requestParameters, overrides);
  const response = await forward(call, {
    url: backEndUrl(call, integration.uri, parts.path, new URLSearchParams(parts.querystring).toString()),
    method: integration.method === 'ANY' ? call.request.method : integration.method,
    headers: { 'Content-Type': 'application/json', ...parts.header },
    body: Buffer.from(mapped),
  });
  if ('errorType' in response) return { answer: response, coldStart: false };
  const back = {
    body: response.body.toString('utf8'),
    headers: Object.fromEntries(response.headers.map(([name, value]) => [name.toLowerCase(), value])),
  };
  const answer = mapResponse(call, integration.responses, String(response.status), back, overrides);
  return { answer, coldStart: false };
}
