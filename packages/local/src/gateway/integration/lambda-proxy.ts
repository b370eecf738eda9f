import { formatTraceHeader } from '../../trace/trace-header.ts';
import type { GatewayAnswer } from '../answer.ts';
import { lastValue } from '../gateway-request.ts';
import { gatewayErrors } from '../responses/gateway-responses.ts';
import type { RestCall } from '../rest-api/rest-call.ts';
import { type IntegrationResult, invokeFunction } from './invoke.ts';
import { proxyEvent } from './proxy-event.ts';
import { readProxyResponse } from './proxy-response.ts';

/**
 * Invokes the function of a proxy integration and turns what it returned into an answer, or into
 * the error that API Gateway makes of it.
 */
export async function integrateLambdaProxy(call: RestCall, body: Buffer): Promise<IntegrationResult<GatewayAnswer>> {
  const { gateway, lambda, request } = call;
  const invoked = await invokeFunction(call, (onward) =>
    JSON.stringify(proxyEvent(call, { traceHeader: formatTraceHeader(onward), body })),
  );
  if ('error' in invoked) return { answer: invoked.error, coldStart: false };
  const { coldStart, error, payload } = invoked.result;
  if (error) return { answer: gatewayErrors.functionFailed, coldStart };
  const reading = readProxyResponse(payload, lastValue(request, 'accept'), gateway.service.gateway.binaryMediaTypes);
  if (reading.kind === 'answer') return { answer: reading.answer, coldStart };
  if (reading.kind === 'not-base64') return { answer: gatewayErrors.notBase64, coldStart };
  gateway.sink.rejected(
    'gateway',
    'A function returned a malformed proxy response.',
    `${lambda.key}: ${reading.reason}`,
  );
  return { answer: gatewayErrors.malformedResponse, coldStart };
}
