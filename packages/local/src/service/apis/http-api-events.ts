import type { ServerlessHttpApiEvent, ServerlessHttpCors } from '../events/serverless-events.ts';
import type { Reading } from '../reading.ts';
import type { ServerlessFunction } from '../serverless.ts';
import type { LocalFunctionUrl, LocalHttpApi, LocalHttpApiRoute, LocalHttpCors } from './api-model.ts';
import { iamGuard, readHttpApiAuthorizer } from './authorizers.ts';
import { defaultCorsHeaders } from './http-events.ts';

/** @returns the route of an `httpApi` event; `*` is the API's `$default`. */
export function readHttpApiEvent(event: string | ServerlessHttpApiEvent, reading: Reading): LocalHttpApiRoute {
  const [first = '*', second] = typeof event === 'string' ? event.trim().split(/\s+/) : [];
  const given: ServerlessHttpApiEvent =
    typeof event !== 'string' ? event : second === undefined ? { path: first } : { method: first, path: second };
  const authorizers = reading.serverless.service.provider.httpApi?.authorizers ?? {};
  const method = given.method?.toUpperCase() ?? 'ANY';
  return {
    method: method === '*' ? 'ANY' : method,
    path: given.path === '*' ? '$default' : given.path,
    ...(given.authorizer ? { authorizer: readHttpApiAuthorizer(given.authorizer, authorizers, reading) } : {}),
  };
}

/** @returns which format of event an HTTP API sends to a function. */
export function payloadOf(lambda: ServerlessFunction, { serverless }: Reading): '1.0' | '2.0' {
  return (lambda.httpApi?.payload ?? serverless.service.provider.httpApi?.payload) === '1.0' ? '1.0' : '2.0';
}

/**
 * @returns the HTTP API of the service. Serverless lets a browser use the methods that the routes
 * have, unless `allowedMethods` says others.
 */
export function readHttpApi(name: string, routes: LocalHttpApiRoute[], { serverless }: Reading): LocalHttpApi {
  const cors = serverless.service.provider.httpApi?.cors;
  if (!cors) return { name };
  const every = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];
  const used = routes.flatMap(({ method }) => (method === 'ANY' ? every : [method]));
  return { name, cors: readHttpCors(cors, [...new Set(['OPTIONS', ...used])]) };
}

/** @returns the URL of a function, or undefined where it has none. */
export function readFunctionUrl({ url }: ServerlessFunction, reading: Reading): LocalFunctionUrl | undefined {
  if (!url) return undefined;
  const given = url === true ? {} : url;
  const guard = given.authorizer?.toLowerCase() === 'aws_iam' ? iamGuard(reading) : undefined;
  return {
    invokeMode: given.invokeMode === 'RESPONSE_STREAM' ? 'RESPONSE_STREAM' : 'BUFFERED',
    ...(given.cors ? { cors: readHttpCors(given.cors, ['*']) } : {}),
    ...(guard ? { authorizer: guard } : {}),
  };
}

function readHttpCors(cors: true | ServerlessHttpCors, methods: string[]): LocalHttpCors {
  const given = cors === true ? {} : cors;
  const list = (value: string[] | null | undefined, otherwise: string[]) =>
    value === null ? [] : [...new Set(value ?? otherwise)];
  return {
    allowCredentials: given.allowCredentials === true,
    allowedHeaders: list(given.allowedHeaders, defaultCorsHeaders),
    allowedMethods: list(given.allowedMethods, methods),
    allowedOrigins: list(given.allowedOrigins, ['*']),
    exposedHeaders: given.exposedResponseHeaders ?? [],
    ...(given.maxAge === undefined ? {} : { maxAgeSeconds: given.maxAge }),
  };
}
