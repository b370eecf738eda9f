import type { LocalFunction } from '../../service/model.ts';
import type { Call } from '../gateway.ts';
import { lastValue } from '../gateway-request.ts';

/** The fields of an event that describe the HTTP API or function URL itself. */
export interface HttpStage {
  accountId: string;
  apiId: string;
}

/** A request that a route of an HTTP API, or the URL of a function, has claimed. */
export interface HttpCall extends Call {
  lambda: LocalFunction;
  stage: HttpStage;
  /** `GET /items/{id}`, or `$default`. */
  routeKey: string;
  pathParameters?: Record<string, string>;
  /** `requestContext.authorizer` of format 2.0. */
  authorizer?: Record<string, unknown>;
}

/** The types whose bodies reach a function as text; all others come as Base64. */
const textPattern = /^(?:text\/.*|application\/(?:json|javascript|xml|graphql|.*\+(?:json|xml)))$/;

/** @returns the body of an event, where there is one. */
export function eventBody(call: Call, body: Buffer): { body?: string; isBase64Encoded: boolean } {
  if (body.length === 0) return { isBase64Encoded: false };
  const type = lastValue(call.request, 'content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  const encoded = lastValue(call.request, 'content-encoding') !== undefined;
  const isText = (type === undefined || textPattern.test(type)) && !encoded;
  return { body: body.toString(isText ? 'utf8' : 'base64'), isBase64Encoded: !isText };
}
