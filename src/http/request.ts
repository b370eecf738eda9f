import type { MiddlewareObj, Request } from '@middy/core';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { Identity } from '../users/user.ts';

/** A REST API's proxy event, and what the stack has found out about it before the handler runs. */
export type ApiEvent = APIGatewayProxyEvent & {
  /** Who it is from; absent where nobody signed in. */
  user?: Identity;
  /** The body, parsed; absent where the route takes none. */
  json?: unknown;
};

export type ApiResult = APIGatewayProxyResult;
export type ApiMiddleware = MiddlewareObj<ApiEvent, ApiResult>;
export type ApiExchange = Request<ApiEvent, ApiResult>;

/** @returns a request header whatever its case: a REST API passes names as the client wrote them. */
export function header(event: ApiEvent, name: string): string | undefined {
  const entry = Object.entries(event.headers ?? {}).find(([key]) => key.toLowerCase() === name);
  return entry?.[1];
}

/**
 * @returns a variable of the path, decoded once more where the gateway handed it on as it came (`%40worf`), or '' where
 * there is none.
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
 * @returns the handle that a path variable such as `@worf` names, or undefined where it is none that anybody could
 * have.
 */
export function handleIn(variable: string): string | undefined {
  // A key of the table ends at 2,048 bytes: what is longer than a handle may be is not looked up.
  return /^@([^\s@#]{1,64})$/.exec(variable)?.[1];
}

/** @returns `variable` in lower case where it is a uuid in its canonical form (RFC 9562, section 4), else undefined. */
export function uuidIn(variable: string): string | undefined {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(variable) ? variable.toLowerCase() : undefined;
}

/** Adds headers to whatever is answered, also when that is an error. */
export function answerHeaders(headersFor: (event: ApiEvent) => Record<string, string>): ApiMiddleware {
  const addHeaders = (exchange: ApiExchange) => {
    if (exchange.response) exchange.response.headers = { ...exchange.response.headers, ...headersFor(exchange.event) };
  };
  return { after: addHeaders, onError: addHeaders };
}
