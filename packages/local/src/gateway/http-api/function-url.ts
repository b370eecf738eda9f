import type { LocalFunction } from '../../service/model.ts';
import { formatTraceHeader } from '../../trace/trace-header.ts';
import type { GatewayAnswer } from '../answer.ts';
import { stableId } from '../api-identity.ts';
import type { Call, Served } from '../gateway.ts';
import { headerBytes, maxHeaderBytes } from '../gateway-request.ts';
import { codeFailureAnswer } from '../responses/code-failure.ts';
import { authorizeHttp } from './authorize.ts';
import type { HttpCall } from './call.ts';
import { isPreflight, preflight, withCors } from './cors.ts';
import { httpError } from './errors.ts';
import { eventV2 } from './event.ts';
import { readResponseV2 } from './response.ts';

/** @returns an error as Lambda answers it at a function's URL. */
function urlError(status: number, message: string): GatewayAnswer {
  return {
    status,
    headers: [['content-type', 'application/json']],
    body: Buffer.from(JSON.stringify({ Message: message })),
  };
}

const failed = (): GatewayAnswer => ({
  status: 502,
  headers: [['content-type', 'application/json']],
  body: Buffer.from('Internal Server Error'),
});

/**
 * Answers a request to the URL of a function
 * (https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html): no gateway stands before it,
 * so that only the function's own timeout ends it, and the trace begins at the function.
 */
export async function serveFunctionUrl(call: Call, lambda: LocalFunction): Promise<Served> {
  const { gateway, request, ids, decision } = call;
  const cors = lambda.url?.cors;
  const served = await outcome();
  const answer = withCors(served.answer, isPreflight(request) ? undefined : cors, request);
  answer.headers.push(['x-amzn-RequestId', ids.requestId], ['X-Amzn-Trace-Id', formatTraceHeader(decision.trace)]);
  return { ...served, answer, functionKey: lambda.key };

  async function outcome(): Promise<Served> {
    if (headerBytes(call.incoming) > maxHeaderBytes)
      return { answer: httpError(431, 'Request Header Fields Too Large') };
    if (cors && isPreflight(request)) return { answer: { ...preflight(cors, request), status: 200 } };
    const { service } = gateway;
    const apiId = stableId(`${service.name}/${service.stage}/${lambda.key}/url`, 32);
    const url: HttpCall = { ...call, lambda, stage: { accountId: 'anonymous', apiId }, routeKey: '$default' };
    const authorized = await authorizeHttp(url, lambda.url?.authorizer);
    if ('refusal' in authorized) return { answer: urlError(403, 'Forbidden') };
    const reading = await call.readBody();
    if (reading.kind === 'aborted') return { answer: urlError(400, 'Bad Request') };
    if (reading.kind === 'too-large') return { answer: urlError(413, 'Request must be smaller than 6291456 bytes') };
    const payload = JSON.stringify(eventV2({ ...url, ...authorized }, reading.body));
    const result = await gateway.lambda
      .invoke(lambda.key, { payload, trace: decision.trace, signal: call.caller })
      .catch((error: unknown) => {
        gateway.sink.rejected('gateway', 'A function could not be invoked.', `${lambda.key}: ${String(error)}`);
        return undefined;
      });
    if (!result) return { answer: failed() };
    const { coldStart, error } = result;
    if (error?.kind === 'no-code') return { answer: codeFailureAnswer(error.message), coldStart };
    if (error?.kind === 'throttled') return { answer: urlError(429, 'Rate Exceeded.'), coldStart };
    if (error?.kind === 'request-too-large')
      return { answer: urlError(413, 'Request must be smaller than 6291456 bytes'), coldStart };
    return { answer: (error ? undefined : readResponseV2(result.payload, 'application/json')) ?? failed(), coldStart };
  }
}
