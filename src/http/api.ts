import middy from '@middy/core';
import { telemetry } from '../telemetry/middleware.ts';
import { span } from '../telemetry/span.ts';
import type { Identity } from '../users/user.ts';
import { bodyLimit, jsonBody } from './body.ts';
import { cors } from './cors.ts';
import { errorResponses } from './errors.ts';
import { identity } from './identity.ts';
import type { ApiEvent, ApiMiddleware, ApiResult } from './request.ts';
import { securityHeaders } from './security-headers.ts';

/** What a route answers with 200; a string is text, everything else JSON. */
export interface Answer {
  body: unknown;
  headers?: Record<string, string>;
}

export interface RouteOptions {
  /** Whether the body has to be JSON; a route that takes none looks at none. */
  body?: 'json';
}

type Route<Event> = (event: Event, now: Date) => Promise<Answer> | Answer;

/**
 * Makes the handler of a route that anybody may call; who is signed in is in `event.user` all the same.
 * @param capability names the span around the work.
 */
export function publicRoute(capability: string, answer: Route<ApiEvent>, options: RouteOptions = {}) {
  return stack([identity('optional')], options).handler((event) => run(capability, event, (now) => answer(event, now)));
}

/** Makes the handler of a route that only somebody signed in may call, and that answers 401 to everybody else. */
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
  // The platform ends what takes too long, and says so in the trace; Middy's own early end would answer 500 instead.
  const outer = middy<ApiEvent, ApiResult>({ ...telemetry(), timeoutEarlyInMillis: 0 });
  // Errors become responses innermost, so that every header below is on them too.
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
