import type { MiddlewareObj, Request } from '@middy/core';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { Identity } from '../users/user.ts';

/**
 * A REST API's proxy event, with the fields that the middleware stack adds before the handler runs.
 */
export type ApiEvent = APIGatewayProxyEvent & {
  /** The caller; absent if nobody is signed in. */
  user?: Identity;
  /** The parsed body; absent if the route takes none. */
  json?: unknown;
};

export type ApiResult = APIGatewayProxyResult;
export type ApiMiddleware = MiddlewareObj<ApiEvent, ApiResult>;
export type ApiExchange = Request<ApiEvent, ApiResult>;

/** @returns a request header, ignoring case: a REST API passes names as the client sent them. */
export function header(event: ApiEvent, name: string): string | undefined {
  const entry = Object.entries(event.headers ?? {}).find(([key]) => key.toLowerCase() === name);
  return entry?.[1];
}

/**
 * @returns a path variable, or '' if it is absent. It is decoded here, since a REST API passes
 *   `%40worf` on unchanged.
 */
export function pathVariable(event: ApiEvent, name: string): string {
  const value = event.pathParameters?.[name] ?? '';
  try {
    return decodeURIComponent(value).trim();
  } catch {
    return value.trim();
  }
}

/**
 * @returns the handle in a path variable such as `@worf`, or undefined if it is not a valid handle.
 */
export function handleIn(variable: string): string | undefined {
  // A table key holds at most 2,048 bytes, so a longer handle is not looked up.
  return /^@([^\s@#]{1,64})$/.exec(variable)?.[1];
}

/**
 * @returns `variable` in lower case if it is a uuid in canonical form (RFC 9562, section 4), else
 * undefined.
 */
export function uuidIn(variable: string): string | undefined {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(variable) ? variable.toLowerCase() : undefined;
}

/** Adds headers to every response, error responses too. */
export function answerHeaders(headersFor: (event: ApiEvent) => Record<string, string>): ApiMiddleware {
  const addHeaders = (exchange: ApiExchange) => {
    if (exchange.response) exchange.response.headers = { ...exchange.response.headers, ...headersFor(exchange.event) };
  };
  return { after: addHeaders, onError: addHeaders };
}
