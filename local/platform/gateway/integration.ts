import type { LocalFunction } from '../../service/model.ts';
import type { InvokeResult } from '../lambda/types.ts';
import type { TraceContext } from '../trace-context.ts';
import { maxEventBytes } from './body.ts';
import type { Gateway } from './exchange.ts';
import { type GatewayError, gatewayErrors } from './gateway-responses.ts';
import { type GatewayAnswer, readProxyResponse } from './proxy-response.ts';
import type { IntegrationOutcome } from './stage-segment.ts';

export interface IntegrationResult {
  outcome: IntegrationOutcome;
  answer: GatewayAnswer | GatewayError;
  coldStart: boolean;
}

/** @returns what `promise` resolves to, or which of the two came first: the end of the time, or of all waiting. */
function within<T>(promise: Promise<T>, milliseconds: number, ending: AbortSignal): Promise<T | 'timeout' | 'ended'> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => done('timeout'), milliseconds);
    const stop = (): void => done('ended');
    function done(value: T | 'timeout' | 'ended'): void {
      clearTimeout(timer);
      ending.removeEventListener('abort', stop);
      resolve(value);
    }
    if (ending.aborted) stop();
    else ending.addEventListener('abort', stop, { once: true });
    promise.then(done, (error: unknown) => {
      reject(error);
      done('ended');
    });
  });
}

function errorOf(result: InvokeResult): GatewayError | undefined {
  switch (result.error?.kind) {
    case undefined:
      return undefined;
    case 'request-too-large':
      return gatewayErrors.eventTooLarge;
    case 'throttled':
      return gatewayErrors.throttled;
    default:
      return gatewayErrors.functionFailed;
  }
}

/**
 * Invokes the function of a proxy integration and turns what it returned into an answer, or into the error that API Gateway makes of it.
 * Waits no longer than the integration's timeout, nor after `ending` has aborted; the function runs on. Never rejects.
 * @param payload the event as JSON text
 * @param accept of the request: decides whether a Base64 body is decoded
 */
export async function integrate(
  { lambda, sink, service, timeoutMilliseconds }: Gateway,
  target: LocalFunction,
  payload: string,
  trace: TraceContext,
  accept: string | undefined,
  ending: AbortSignal,
): Promise<IntegrationResult> {
  if (Buffer.byteLength(payload) > maxEventBytes) {
    const error = { kind: 'request-too-large', type: 'RequestTooLarge', message: '' } as const;
    return {
      outcome: { requestId: '', coldStart: false, payload: '', error },
      answer: gatewayErrors.eventTooLarge,
      coldStart: false,
    };
  }
  let result: InvokeResult | 'timeout' | 'ended';
  try {
    result = await within(lambda.invoke(target.key, { payload, trace }), timeoutMilliseconds, ending);
  } catch (error) {
    sink.rejected('gateway', 'A function could not be invoked.', `${target.key}: ${String(error)}`);
    return { outcome: 'unreachable', answer: gatewayErrors.functionFailed, coldStart: false };
  }
  if (result === 'timeout') return { outcome: 'timeout', answer: gatewayErrors.timedOut, coldStart: false };
  if (result === 'ended') return { outcome: 'unreachable', answer: gatewayErrors.stopping, coldStart: false };

  const { coldStart } = result;
  const error = errorOf(result);
  if (error) return { outcome: result, answer: error, coldStart };
  const reading = readProxyResponse(result.payload, accept, service.gateway.binaryMediaTypes);
  if (reading.kind === 'answer') return { outcome: result, answer: reading.answer, coldStart };
  if (reading.kind === 'not-base64') return { outcome: result, answer: gatewayErrors.notBase64, coldStart };
  sink.rejected('gateway', 'A function returned a malformed proxy response.', `${target.key}: ${reading.reason}`);
  return { outcome: result, answer: gatewayErrors.malformedResponse, coldStart };
}
