import { context, isSpanContextValid, type Link, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api-1.9';
import { type ActiveSpan, currentRequest, currentSpan, type RequestState, runIn } from '../context/request-context.ts';
import { newSpanId } from '../context/trace-id.ts';
import { causesOf, describeError } from '../errors/describe-error.ts';
import { type Outcome, outcomeOf, statusOf } from '../errors/outcome.ts';
import { quietly } from '../quietly.ts';
import { redactText } from '../redaction/redact.ts';
import type { AnnotationValue } from '../redaction/sanitize.ts';
import { setAnnotation, setAttributes, setMetadata } from './attributes.ts';
import {
  addCauses,
  closeSubsegment,
  openSubsegment,
  ownSubsegment,
  validName,
  withSubsegment,
} from './xray-subsegment.ts';

/** A subsegment in X-Ray and a span in OpenTelemetry: the same name, id and parent. */
export interface Span {
  /**
   * Writes a value that X-Ray indexes, and an OpenTelemetry attribute. X-Ray's key has `_` for all
   * but A-Z, a-z, 0-9 and `_`.
   */
  annotate(key: string, value: AnnotationValue): void;
  /**
   * Writes any value, not indexed in X-Ray; in OpenTelemetry, objects, arrays and null are JSON.
   */
  metadata(key: string, value: unknown): void;
}

/**
 * Runs `work` in a span named `name`. Ends the span whatever happens, and records what `work`
 * throws before throwing it on. Outside a request `work` simply runs.
 * @returns what `work` returns.
 * @throws only what `work` throws; telemetry never does.
 */
export async function span<T>(name: string, work: (span: Span) => Promise<T> | T): Promise<T> {
  const clean = (text: string): string => quietly(() => redactText(text)) ?? '_';
  return runInSpan(clean(name), {}, (active) =>
    work({
      annotate: (key, value) => quietly(() => annotate(active, clean(key), value)),
      metadata: (key, value) => quietly(() => addMetadata(active, key, value)),
    }),
  );
}

export interface SpanOptions {
  kind?: SpanKind;
  links?: Link[];
  /** X-Ray's: `aws` for a call to AWS, `remote` for any other outgoing call. */
  namespace?: 'aws' | 'remote';
  /** The outcome of a call through which an error passes; default: by its status. */
  outcome?: (error: unknown) => Outcome;
  /** Default: the current span. */
  parent?: ActiveSpan;
}

/**
 * Like `span`, for use inside this package: `work` gets both halves of the span, or undefined
 * outside a request.
 */
export async function runInSpan<T>(
  name: string,
  options: SpanOptions,
  work: (active: ActiveSpan | undefined) => Promise<T> | T,
): Promise<T> {
  const request = currentRequest();
  const active = request && quietly(() => beginSpan(request, name, options));
  if (!request || !active) return work(undefined);
  try {
    return await runInside(request, active, () => work(active));
  } catch (error) {
    quietly(() => recordError(active, error, options));
    throw error;
  } finally {
    quietly(() => endSpan(request, active));
  }
}

/**
 * Runs `work` with this span as the current one, for us, for OpenTelemetry and for Powertools'
 * tracer.
 */
export function runInside<T>(request: RequestState, active: ActiveSpan, work: () => T): T {
  return runIn(request, active, () => context.with(active.context, () => withSubsegment(active.subsegment, work)));
}

/**
 * Begins a span below the current one, under a name that X-Ray accepts. The caller must call
 * `endSpan` too.
 */
export function beginSpan(request: RequestState, given: string, options: SpanOptions = {}): ActiveSpan {
  const name = validName(given);
  const parent = options.parent ?? currentSpan();
  const current = context.active();
  const isElsewhere = options.parent !== undefined || parent?.byPowertools || !trace.getSpan(current);
  const around = (isElsewhere ? parent?.context : undefined) ?? current;
  const { kind = SpanKind.INTERNAL, links = [] } = options;
  const otel = trace.getTracer('throughline').startSpan(name, { kind, links }, around);
  const id = otel.isRecording() && isSpanContextValid(otel.spanContext()) ? otel.spanContext().spanId : newSpanId();
  const above = parent?.subsegment ?? request.segment;
  const subsegment = above && openSubsegment(above, name, id);
  if (subsegment && options.namespace) subsegment.namespace = options.namespace;
  // X-Ray has no place for the span of another trace.
  if (links.length > 0)
    subsegment?.writeMetadata(
      'links',
      links.map(({ context: { traceId, spanId } }) => ({ trace_id: traceId, span_id: spanId })),
    );
  const active: ActiveSpan = {
    name,
    id,
    parent,
    subsegment,
    otel,
    context: trace.setSpan(around, otel),
    byPowertools: options.parent !== undefined,
    ended: false,
  };
  request.open.add(active);
  if (subsegment) ownSubsegment(subsegment, active, ownerOf(request, active));
  return active;
}

/**
 * What Powertools' tracer, and the X-Ray SDK's own functions, do to a subsegment is done to both
 * halves of its span.
 */
function ownerOf(request: RequestState, active: ActiveSpan) {
  return {
    open: (name: string) => {
      // Powertools' captureLambdaHandler opens what is open already.
      if (active === request.root && name === active.name) return active.subsegment;
      return active.ended ? undefined : beginSpan(request, redactText(name), { parent: active }).subsegment;
    },
    annotate: (key: string, value: AnnotationValue) => annotate(active, redactText(key), value),
    addMetadata: (key: string, value: unknown, namespace?: string) => addMetadata(active, key, value, namespace),
    addError: (error: unknown) => {
      if (!active.ended) recordError(active, error);
    },
    close: (error?: unknown) => {
      if (active === request.root) return;
      if (error !== undefined && error !== null && !active.ended) recordError(active, error);
      endSpan(request, active);
    },
  };
}

/** Ends a span in both; a second call does nothing. */
export function endSpan(request: RequestState, active: ActiveSpan): void {
  if (active.ended) return;
  active.ended = true;
  request.open.delete(active);
  if (active.subsegment) closeSubsegment(active.subsegment, active.parent?.subsegment);
  active.otel.end();
}

/** Writes a value that X-Ray indexes on a span that has not ended. */
export function annotate(active: ActiveSpan | undefined, key: string, value: AnnotationValue): void {
  if (active && !active.ended) setAnnotation(active, key, value);
}

function addMetadata(active: ActiveSpan | undefined, key: string, value: unknown, namespace?: string): void {
  if (active && !active.ended) setMetadata(active, key, value, namespace);
}

/**
 * Sets X-Ray's flags and OpenTelemetry's status to what the HTTP status says. A client's span fails
 * with any error, a server's with its own. OpenTelemetry's status says no more than that:
 * `error.category` says there what the flags say.
 */
export function flagOutcome(active: ActiveSpan, outcome: Outcome, callerIsUs = false): void {
  const { subsegment, otel } = active;
  if (subsegment) {
    subsegment.addAttribute('fault', outcome === 'fault' ? true : undefined);
    subsegment.addAttribute('error', outcome === 'error' || outcome === 'throttle' ? true : undefined);
    subsegment.addAttribute('throttle', outcome === 'throttle' ? true : undefined);
  }
  if (outcome !== 'ok') setAttributes(active, { 'error.category': outcome });
  if (outcome === 'fault' || (callerIsUs && outcome !== 'ok')) {
    otel.setStatus({ code: SpanStatusCode.ERROR, ...(active.reason ? { message: active.reason } : {}) });
  }
}

/**
 * Records what was thrown through a span, with its causes: the exceptions in both, and the flags by
 * the status that the error carries.
 */
export function recordError(active: ActiveSpan, error: unknown, options: SpanOptions = {}): void {
  const exception = describeError(error);
  const causes = causesOf(exception);
  if (active.subsegment) {
    active.subsegment.writeError(exception);
    addCauses(active.subsegment, causes);
  }
  // With a code, OpenTelemetry's SDK would write that for the type.
  for (const { name, message, stack } of causes)
    active.otel.recordException({ name, message, ...(stack && { stack }) });
  active.reason = exception.reason ?? exception.message;
  setAttributes(active, {
    'error.code': causes.find(({ code }) => code)?.code,
    'error.reason': exception.reason,
  });
  flagOutcome(active, options.outcome?.(error) ?? outcomeOf(statusOf(error)), options.kind === SpanKind.CLIENT);
}
