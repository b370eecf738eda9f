import { withTimeout } from '../../with-timeout.ts';
import type { GatewayAnswer } from '../answer.ts';
import { stableId } from '../api-identity.ts';
import type { Call, Served } from '../gateway.ts';
import { headerBytes, maxHeaderBytes } from '../gateway-request.ts';
import { codeFailureAnswer } from '../responses/code-failure.ts';
import { authorizeHttp } from './authorize.ts';
import type { HttpCall } from './call.ts';
import { isPreflight, preflight, withCors } from './cors.ts';
import { httpError, internalError } from './errors.ts';
import { eventV1, eventV2 } from './event.ts';
import { readResponseV1, readResponseV2 } from './response.ts';
import type { HttpMatch } from './routes.ts';

/** An HTTP API waits no longer for a function. */
const integrationTimeoutMilliseconds = 30_000;

/**
 * Answers a request as an HTTP API does: CORS, the route's authorizer, the function. An HTTP API
 * sends nothing to X-Ray, so that the trace begins at the function.
 */
export async function serveHttpApi(call: Call, match: HttpMatch | undefined): Promise<Served> {
  const { gateway, request, ids } = call;
  const { httpApi } = gateway.service.gateway;
  const cors = httpApi?.cors;
  const served = await outcome();
  const answer = withCors(served.answer, isPreflight(request) ? undefined : cors, request);
  answer.headers.push(['apigw-requestid', ids.extendedRequestId]);
  return { ...served, answer };

  async function outcome(): Promise<Served> {
    if (headerBytes(call.incoming) > maxHeaderBytes)
      return { answer: httpError(431, 'Request Header Fields Too Large') };
    if (cors && isPreflight(request)) return { answer: preflight(cors, request) };
    if (!match) return { answer: httpError(404, 'Not Found') };
    const { lambda, route, routeKey, pathParameters } = match;
    if (!lambda) return { answer: internalError() };
    const { accountId, region } = gateway.api;
    const apiId = stableId(`${gateway.service.name}/${gateway.service.stage}/${region}/http`, 10);
    const http: HttpCall = {
      ...call,
      lambda,
      stage: { accountId, apiId },
      routeKey,
      ...(pathParameters ? { pathParameters } : {}),
    };
    const functionKey = lambda.key;
    const authorized = await authorizeHttp(http, route.authorizer);
    if ('refusal' in authorized) return { answer: authorized.refusal, functionKey };

    const reading = await call.readBody();
    if (reading.kind === 'aborted') return { answer: httpError(400, 'Bad Request'), functionKey };
    if (reading.kind === 'too-large') return { answer: httpError(413, 'Request Entity Too Large'), functionKey };
    const isV1 = lambda.httpApiPayload === '1.0';
    const event = (isV1 ? eventV1 : eventV2)({ ...http, ...authorized }, reading.body);
    return { ...(await invoke(http, JSON.stringify(event), isV1 ? readResponseV1 : readResponseV2)), functionKey };
  }
}

async function invoke(
  { gateway, lambda, decision, ending, caller }: HttpCall,
  payload: string,
  read: (payload: string) => GatewayAnswer | undefined,
): Promise<Served> {
  const { sink, timeoutMilliseconds } = gateway;
  const invocation = gateway.lambda.invoke(lambda.key, { payload, trace: decision.trace, signal: caller });
  // The gateway's own limit is a REST API's 29 seconds unless it was set to something shorter.
  const milliseconds = timeoutMilliseconds < 29_000 ? timeoutMilliseconds : integrationTimeoutMilliseconds;
  const waited = await withTimeout(invocation, milliseconds, ending).catch((error: unknown) => {
    sink.rejected('gateway', 'A function could not be invoked.', `${lambda.key}: ${String(error)}`);
    return 'failed' as const;
  });
  if (waited === 'failed') return { answer: internalError() };
  if (typeof waited === 'string') return { answer: httpError(503, 'Service Unavailable') };
  const { coldStart, error, payload: returned } = waited.value;
  if (error?.kind === 'request-too-large') return { answer: httpError(413, 'Request Entity Too Large'), coldStart };
  if (error?.kind === 'throttled' || error?.kind === 'abandoned')
    return { answer: httpError(503, 'Service Unavailable'), coldStart };
  if (error?.kind === 'no-code') return { answer: codeFailureAnswer(error.message), coldStart };
  const answer = error ? undefined : read(returned);
  if (!error && !answer) sink.rejected('gateway', 'A function returned a malformed response.', lambda.key);
  return { answer: answer ?? internalError(), coldStart };
}
