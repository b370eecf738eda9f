import { currentRequest, currentSpan } from './request.ts';

/**
 * The headers by which the next service joins this trace: exactly one of each kind, both naming the current span. The one says whether
 * X-Ray samples, the other whether the OpenTelemetry span is recorded.
 * @returns nothing outside a request.
 */
export function outgoingHeaders(): Record<string, string> {
  const request = currentRequest();
  const active = currentSpan();
  if (!request || !active) return {};
  const recorded = active.otel.isRecording();
  return {
    'X-Amzn-Trace-Id': `Root=${request.xrayId()};Parent=${active.id};Sampled=${request.sampled ? 1 : 0}`,
    traceparent: `00-${request.traceId}-${active.id}-${recorded ? '01' : '00'}`,
  };
}
