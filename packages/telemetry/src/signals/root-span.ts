import { config } from '../config.ts';
import type { ActiveSpan, RequestEnd, RequestState } from '../context/request-context.ts';
import { outcomeOf } from '../errors/outcome.ts';
import { quietly } from '../quietly.ts';
import { type AnnotationValue, toScalar } from '../redaction/sanitize.ts';
import { annotate, endSpan, flagOutcome, recordError } from './span.ts';
import { type WideEvent, wideEvent } from './wide-event.ts';

/** Writes the event on the root span, and ends every open span, the root last. */
export function finalizeSpans(
  request: RequestState,
  root: ActiveSpan,
  end: RequestEnd,
  event: WideEvent = wideEvent(request, end),
): void {
  const { thrown, timedOut } = end;
  const outcome = outcomeOf(event.status);
  for (const [key, value] of Object.entries(rootAttributes(request, event))) annotate(root, key, value);
  for (const span of timedOut ? request.open : []) {
    if (span === root) continue;
    annotate(span, 'timed_out', true);
    recordError(span, thrown?.value);
  }
  if (outcome === 'fault' && thrown) recordError(root, thrown.value);
  flagOutcome(root, outcome);
  // One that cannot be ended must not keep the others open.
  for (const span of [...request.open].reverse()) quietly(() => endSpan(request, span));
}

/**
 * The event's members are on the root span under their own names, and also under OpenTelemetry's
 * where it has one. Honeycomb uses `duration_ms` in place of the duration that it computes from the
 * span's times: the same to a millisecond.
 */
function rootAttributes(request: RequestState, event: WideEvent): Record<string, AnnotationValue> {
  const attributes: Record<string, AnnotationValue> = {};
  for (const [key, value] of Object.entries(event)) attributes[key] = toScalar(value);
  if (event.route) attributes['http.route'] = toScalar(event.route);
  if (event.method) attributes['http.request.method'] = toScalar(event.method);
  attributes['http.response.status_code'] = event.status;
  attributes['faas.coldstart'] = request.coldStart;
  if (request.requestId) attributes['faas.invocation_id'] = request.requestId;
  if (event.user) attributes['app.user_id'] = toScalar(event.user);
  // Powertools' Tracer writes these two, and saved searches use them.
  attributes.ColdStart = request.coldStart;
  attributes.Service = config.serviceName();
  return attributes;
}
