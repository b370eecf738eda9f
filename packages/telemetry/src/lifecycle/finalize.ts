import { trace } from '@opentelemetry/api-1.9';
import { type ActiveSpan, type RequestEnd, type RequestState, runIn } from '../context/request-context.ts';
import { prepareReport, reportFailure } from '../errors/error-reporting.ts';
import { outcomeOf } from '../errors/outcome.ts';
import { type Exporter, longestWaitBeforeAnswer, sharedExporter } from '../export/exporter.ts';
import { withTimeout } from '../export/with-timeout.ts';
import { quietly } from '../quietly.ts';
import { publishOwnMetrics, writeRequestMetrics } from '../signals/metrics.ts';
import { finalizeSpans } from '../signals/root-span.ts';
import { endSpan } from '../signals/span.ts';
import { logEvent, type WideEvent, wideEvent } from '../signals/wide-event.ts';
import { takeTrimmed } from '../signals/xray-subsegment.ts';
import type { Timeout } from './deadline.ts';

/**
 * Finalizes a request, ends whatever it has left open, and exports before the answer where there is
 * no extension.
 */
export async function finishRequest(request: RequestState, end: RequestEnd): Promise<void> {
  const { root } = request;
  if (root && !request.ended) quietly(() => runIn(request, root, () => finalizeRequest(request, root, end)));
  for (const span of [...request.open].reverse()) quietly(() => endSpan(request, span));
  request.ended = true;
  const exporter = sharedExporter();
  await Promise.all([exporter.end(request.requestId, request.deadline), flushForeign(request, exporter)]).catch(
    () => {},
  );
}

/**
 * Ends the request's spans, then emits the event and metrics. Later output no longer belongs to it.
 */
function finalizeRequest(request: RequestState, root: ActiveSpan, end: RequestEnd): void {
  const event = wideEvent(request, end);
  const lost = takeLost(event);
  quietly(() => finalizeSpans(request, root, end, event));
  finalizeEvent(request, end, event, lost);
}

/** Emits the wide event and the metrics, and reports a fault. */
function finalizeEvent(
  request: RequestState,
  { thrown }: RequestEnd,
  event: WideEvent,
  lost: ReadonlyMap<string, number> = takeLost(event),
): void {
  const { status, duration_ms: duration } = event;
  const fault = outcomeOf(status) === 'fault' ? thrown : undefined;
  if (outcomeOf(status) === 'fault') {
    quietly(() => reportFailure(thrown ? thrown.value : new Error(`The handler answered ${status}.`)));
  }
  quietly(() => logEvent(event, fault));
  quietly(() => {
    const route = String(event.route ?? 'none');
    writeRequestMetrics(request, { route, status, duration, lost: withTrimmed(lost) });
  });
  quietly(() => publishOwnMetrics(request));
  request.ended = true;
}

/** @returns what to do when a request runs out of time. */
export function timeoutOf(request: RequestState, root: ActiveSpan, started: number): Timeout {
  let end: (RequestEnd & { thrown: { value: Error } }) | undefined;
  const ending = () => {
    end ??= timeoutEnd(started);
    return end;
  };
  return {
    prepare: () => prepareReport(ending().thrown.value),
    endSpans: () => runIn(request, root, () => finalizeSpans(request, root, ending())),
    tell: () => runIn(request, root, () => finalizeEvent(request, ending(), wideEvent(request, ending()))),
  };
}

function timeoutEnd(started: number): RequestEnd & { thrown: { value: Error } } {
  const error = new Error('The function timed out');
  error.name = 'FunctionTimeout';
  return { started, response: { statusCode: 504 }, thrown: { value: error }, timedOut: true };
}

/**
 * Takes what was lost since the last request, and says on the event how much: Honeycomb receives no
 * metrics.
 */
function takeLost(event: WideEvent): ReadonlyMap<string, number> {
  const lost = quietly(() => sharedExporter().queue.takeLost()) ?? new Map<string, number>();
  const total = [...lost.values()].reduce((sum, count) => sum + count, 0);
  if (total > 0) event.telemetry_lost = total;
  return lost;
}

/** Metadata is trimmed as the request's own spans end, so it is counted after them. */
function withTrimmed(lost: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const trimmed = takeTrimmed();
  return trimmed > 0 ? new Map([...lost, ['metadata', trimmed]]) : lost;
}

/**
 * Flushes another layer's provider. It exports in batches some seconds later, when the environment
 * is frozen. Where that layer has patched the handler, our root is below its span and it flushes by
 * itself. The community layer before 0.19 has not, under nodejs24.x, whose runtime imports handlers
 * instead of requiring them.
 */
async function flushForeign(request: RequestState, exporter: Exporter): Promise<void> {
  if (exporter.exportsSpans || request.isBelowForeignSpan || !request.root?.otel.spanContext().traceFlags) return;
  const provider = trace.getTracerProvider() as { getDelegate?(): unknown };
  const delegate = (provider.getDelegate?.() ?? provider) as { forceFlush?(): Promise<void> };
  await withTimeout(longestWaitBeforeAnswer, Promise.resolve(delegate.forceFlush?.()));
}
