import type { LocalFunction } from '../service/model.ts';
import type { Gateway } from './gateway.ts';
import { type GatewayRequest, lastValue } from './gateway-request.ts';
import type { HttpMatch } from './http-api/routes.ts';
import { compareSpecificity, route, split } from './routes.ts';

/** Which API a request is for: on AWS each has a host of its own, here they share a port. */
export type ChosenApi =
  | { api: 'rest' }
  | { api: 'http'; match: HttpMatch | undefined }
  | { api: 'url'; lambda: LocalFunction; path: string };

/** The URL of a function is here `/lambda-url/<key>/`, or the host `<key>.lambda-url.localhost`. */
export const urlPrefix = '/lambda-url/';
const urlHost = /^(.+)\.lambda-url\.localhost(?::\d+)?$/i;

function functionUrl({ service }: Gateway, { host, path }: GatewayRequest): ChosenApi | undefined {
  const withUrl = service.functions.filter(({ url }) => url);
  const named = urlHost.exec(host)?.[1]?.toLowerCase();
  const byHost = named && withUrl.find(({ key }) => key.toLowerCase() === named);
  if (byHost) return { api: 'url', lambda: byHost, path };
  const byPath = withUrl.find(({ key }) => path === `${urlPrefix}${key}` || path.startsWith(`${urlPrefix}${key}/`));
  if (byPath) return { api: 'url', lambda: byPath, path: path.slice(urlPrefix.length + byPath.key.length) || '/' };
  // Where there is nothing else, the only URL has the whole port.
  const [only, ...others] = withUrl;
  const alone = only && others.length === 0 && !hasRestApi(service) && !service.gateway.httpApi;
  return alone ? { api: 'url', lambda: only, path } : undefined;
}

function hasRestApi({ functions, gateway }: Gateway['service']): boolean {
  return functions.some(({ routes }) => routes.length > 0) || (gateway.closedRoutes ?? []).length > 0;
}

/**
 * Chooses by the more specific route where a REST API and an HTTP API both claim a path; the REST
 * API where they are equal.
 */
export function chooseApi(gateway: Gateway, request: GatewayRequest): ChosenApi {
  const url = functionUrl(gateway, request);
  if (url) return url;
  const { httpApi } = gateway.service.gateway;
  if (!httpApi) return { api: 'rest' };
  // A preflight goes where the request itself will go.
  const asked = request.method === 'OPTIONS' ? lastValue(request, 'access-control-request-method') : undefined;
  const method = asked ?? request.method;
  const match = gateway.httpRouter(method, request.path) ?? gateway.httpRouter(request.method, request.path);
  const http: ChosenApi = { api: 'http', match };
  if (!hasRestApi(gateway.service)) return http;
  const rest = route(gateway.router, gateway.api.stage, request.path).match;
  if (!match) return { api: 'rest' };
  if (!rest) return http;
  const difference = compareSpecificity(match.segments, split(rest.resource.path));
  const isDefault = match.routeKey === '$default';
  const hasMethod = rest.resource.methods.has(method) || rest.resource.methods.has('ANY');
  return !isDefault && (difference < 0 || (difference === 0 && !hasMethod)) ? http : { api: 'rest' };
}
