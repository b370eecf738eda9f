import { currentRequest, currentSpan } from '../context/request-context.ts';

/**
 * The headers by which the next service joins this trace: exactly one of each kind, both naming the
 * current span. `traceparent` says "sampled" when either half of the span is kept, because a
 * service that reads both believes it.
 * @returns nothing outside a request.
 */
export function outgoingHeaders(): Record<string, string> {
  const request = currentRequest();
  const active = currentSpan();
  if (!request || !active) return {};
  const kept = request.sampled || active.otel.isRecording();
  return {
    'X-Amzn-Trace-Id': `Root=${request.xrayId()};Parent=${active.id};Sampled=${request.sampled ? 1 : 0}`,
    traceparent: `00-${request.traceId}-${active.id}-${kept ? '01' : '00'}`,
  };
}
