import middy from '@middy/core';
import { span, telemetry } from '@throughline/telemetry';
import '../telemetry.ts';
import type { Identity } from '../users/user.ts';
import { bodyLimit, jsonBody } from './body.ts';
import { errorResponses } from './error-responses.ts';
import { identity } from './identity/identity.ts';
import type { ApiEvent, ApiMiddleware, ApiResult } from './request.ts';
import { cors, securityHeaders } from './response-headers.ts';

/** The 200 answer of a route. A string is sent as text, everything else as JSON. */
export interface Answer {
  body: unknown;
  headers?: Record<string, string>;
}

export interface RouteOptions {
  /** `json` requires a JSON body. Routes without it ignore the body. */
  body?: 'json';
}

type Route<Event> = (event: Event, now: Date) => Promise<Answer> | Answer;

/**
 * Creates the handler of a route that anybody may call. `event.user` is set when the caller is
 * signed in.
 * @param capability the name of the span around the work.
 */
export function publicRoute(capability: string, answer: Route<ApiEvent>, options: RouteOptions = {}) {
  return stack([identity('optional')], options).handler((event) => run(capability, event, (now) => answer(event, now)));
}

/** Creates the handler of a route that answers 401 unless the caller is signed in. */
export function userRoute(
  capability: string,
  answer: Route<ApiEvent & { user: Identity }>,
  options: RouteOptions = {},
) {
  return stack([identity('required')], options).handler((event) =>
    run(capability, event, (now) => answer(event as ApiEvent & { user: Identity }, now)),
  );
}

function stack(caller: ApiMiddleware[], { body }: RouteOptions) {
  // Lambda ends an invocation that times out, and the trace says so. Middy's early timeout would
  // answer 500 instead.
  const outer = middy<ApiEvent, ApiResult>({ ...telemetry(), timeoutEarlyInMillis: 0 });
  // Errors become responses innermost, so that error responses carry the headers too.
  return outer
    .use([securityHeaders(), cors(), errorResponses()])
    .use([bodyLimit(), ...caller, ...(body === 'json' ? [jsonBody()] : [])]);
}

async function run(capability: string, event: ApiEvent, answer: (now: Date) => Promise<Answer> | Answer) {
  const now = new Date();
  return span(capability, async (capabilitySpan) => {
    capabilitySpan.annotate('http.route', event.resource);
    capabilitySpan.annotate('app.now', now.toISOString());
    if (event.user) capabilitySpan.annotate('app.user_id', event.user.id);
    const { body, headers = {} } = await answer(now);
    capabilitySpan.annotate('app.result_length', Array.isArray(body) ? body.length : 1);
    return typeof body === 'string'
      ? { statusCode: 200, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body }
      : { statusCode: 200, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
  });
}
