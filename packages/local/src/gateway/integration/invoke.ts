import type { InvokeResult } from '../../lambda/invocation/types.ts';
import type { TraceContext } from '../../trace/trace-header.ts';
import { withTimeout } from '../../with-timeout.ts';
import { maxEventBytes } from '../event-body.ts';
import { type GatewayError, gatewayErrors } from '../responses/gateway-responses.ts';
import type { RestCall } from '../rest-api/rest-call.ts';

/** The longest that a timer can wait. */
const suspendedMilliseconds = 2 ** 31 - 1;

export interface IntegrationResult<Answer> {
  answer: Answer | GatewayError;
  coldStart: boolean;
}

/** @returns the trace as a back end continues it, below its subsegment. */
export function traceBelow(trace: TraceContext, parent: string | undefined): TraceContext {
  const { parent: _, ...rest } = trace;
  return parent === undefined ? rest : { ...rest, parent };
}

/**
 * Invokes the function of a route, within the time that the integration has, and ends its
 * subsegment. Never rejects.
 * @param payloadFor the event as JSON text, for the trace that goes on to the function
 * @returns what the function answered, which may be a failure of its own, or the error that API
 *   Gateway makes of its absence.
 */
export async function invokeFunction(
  { gateway, lambda, route, segment, decision, ending, caller }: RestCall,
  payloadFor: (onward: TraceContext) => string,
): Promise<{ result: InvokeResult } | { error: GatewayError }> {
  const subsegment = segment.beginFunction(lambda);
  const onward = traceBelow(decision.trace, subsegment.id);
  const payload = payloadFor(onward);
  if (Buffer.byteLength(payload) > maxEventBytes) {
    subsegment.end({ status: 413, length: 0 });
    return { error: gatewayErrors.eventTooLarge };
  }
  // A developer at a breakpoint must not be answered 504 meanwhile.
  const isInspected = gateway.lambda.isInspected?.(lambda.key);
  const milliseconds = isInspected ? suspendedMilliseconds : (route.timeoutMilliseconds ?? gateway.timeoutMilliseconds);
  const invocation = gateway.lambda.invoke(lambda.key, { payload, trace: onward, signal: caller });
  const waited = await withTimeout(invocation, milliseconds, ending).catch((error: unknown) => {
    gateway.sink.rejected('gateway', 'A function could not be invoked.', `${lambda.key}: ${String(error)}`);
    return 'failed' as const;
  });
  if (typeof waited === 'string') {
    subsegment.end(waited === 'timeout' ? 'timeout' : 'unreachable');
    if (waited === 'timeout') return { error: gatewayErrors.timedOut };
    return { error: waited === 'failed' ? gatewayErrors.functionFailed : gatewayErrors.stopping };
  }
  const result = waited.value;
  subsegment.end(result);
  switch (result.error?.kind) {
    case 'request-too-large':
      return { error: gatewayErrors.eventTooLarge };
    case 'throttled':
      return { error: gatewayErrors.throttled };
    case 'no-code':
      return { error: { ...gatewayErrors.functionFailed, withoutCode: result.error.message } };
    case 'abandoned':
      return { error: gatewayErrors.stopping };
    default:
      return { result };
  }
}
