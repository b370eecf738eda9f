import {
  isSpanContextValid,
  type Link,
  type Context as OtelContext,
  context as otelContext,
  type SpanContext,
  TraceFlags,
  trace,
} from '@opentelemetry/api-1.9';
import { type HttpEvent, headerOf } from './http-event.ts';
import type { RequestState } from './request-context.ts';

/**
 * Chooses the parent of OpenTelemetry's root span: none, so that the trace has a true root, unless
 * the caller's `traceparent` names a span of this very trace. A span of another trace is linked.
 * @param ownIds whether the span provider takes a new trace's id from X-Ray, as this package's
 *   layer does.
 */
export function parentContext(event: HttpEvent | undefined, request: RequestState, ownIds: boolean): ParentContext {
  const active = otelContext.active();
  if (request.isBelowForeignSpan) return { parent: active, links: [], isBorrowed: false };
  const remote = remoteSpan((event && headerOf(event, 'traceparent')) ?? '');
  const { traceId } = request;
  if (remote && (remote.traceId === traceId || !traceId) && remote.traceFlags & TraceFlags.SAMPLED) {
    return { parent: trace.setSpanContext(active, remote), links: [], isBorrowed: false };
  }
  const links = remote ? [{ context: remote }] : [];
  // Another layer's id generator would make up an id.
  if (!traceId || ownIds) return { parent: active, links, isBorrowed: false };
  const borrowed = { traceId, spanId: traceId.slice(16), isRemote: true, traceFlags: TraceFlags.SAMPLED };
  return { parent: trace.setSpanContext(active, borrowed), links, isBorrowed: true };
}

interface ParentContext {
  parent: OtelContext;
  links: Link[];
  /** The parent does not exist: it lends its trace id. */
  isBorrowed: boolean;
}

/** Parses a `traceparent` (W3C Trace Context, level 1); undefined for anything else. */
function remoteSpan(traceparent: string): SpanContext | undefined {
  const match = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-|$)/.exec(traceparent);
  const [, version, traceId, spanId, flags, more] = match ?? [];
  // Version 00 ends here; later versions may have more fields.
  if (!traceId || !spanId || !flags || (version === '00' && more)) return undefined;
  const remote = { traceId, spanId, isRemote: true, traceFlags: Number.parseInt(flags, 16) };
  return isSpanContextValid(remote) ? remote : undefined;
}
