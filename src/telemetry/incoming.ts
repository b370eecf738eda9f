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
import type { RequestState } from './request.ts';
import { sharedShipper } from './shipping.ts';

/**
 * What OpenTelemetry's root span hangs below. Nothing, so that the trace has a true root, unless the caller's `traceparent` names a span
 * of this very trace; a span of another trace is linked.
 */
export function incoming(event: HttpEvent | undefined, request: RequestState): Incoming {
  const active = otelContext.active();
  if (request.isBelowForeignSpan) return { parent: active, links: [], isBorrowed: false };
  const remote = remoteSpan((event && headerOf(event, 'traceparent')) ?? '');
  const { traceId } = request;
  if (remote && (remote.traceId === traceId || !traceId) && remote.traceFlags & TraceFlags.SAMPLED) {
    return { parent: trace.setSpanContext(active, remote), links: [], isBorrowed: false };
  }
  const links = remote ? [{ context: remote }] : [];
  // The layer's own id generator gives the root X-Ray's id; another layer's would make one up.
  if (!traceId || sharedShipper().exportsSpans) return { parent: active, links, isBorrowed: false };
  const borrowed = { traceId, spanId: traceId.slice(16), isRemote: true, traceFlags: TraceFlags.SAMPLED };
  return { parent: trace.setSpanContext(active, borrowed), links, isBorrowed: true };
}

interface Incoming {
  parent: OtelContext;
  links: Link[];
  /** The parent is none: it lends its trace id. */
  isBorrowed: boolean;
}

/** Reads a `traceparent` (W3C Trace Context, level 1); undefined for anything that is none. */
function remoteSpan(traceparent: string): SpanContext | undefined {
  const match = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-|$)/.exec(traceparent);
  const [, version, traceId, spanId, flags, more] = match ?? [];
  // Version 00 ends here; one after it may have more.
  if (!traceId || !spanId || !flags || (version === '00' && more)) return undefined;
  const remote = { traceId, spanId, isRemote: true, traceFlags: Number.parseInt(flags, 16) };
  return isSpanContextValid(remote) ? remote : undefined;
}
