import { randomBytes } from 'node:crypto';
import { context, isSpanContextValid, type Link, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api-1.9';
import { type AnnotationValue, setAnnotation, setAttributes, setMetadata, toScalar } from './attributes.ts';
import { redactText } from './redaction.ts';
import { type ActiveSpan, currentRequest, currentSpan, type RequestState, runIn } from './request.ts';
import { closeSubsegment, openSubsegment, validName } from './xray.ts';

export { type AnnotationValue, toScalar };

/** A subsegment in X-Ray and a span in OpenTelemetry: the same name, id and parent. */
export interface Span {
  /** Indexed in X-Ray (what is no letter of A-Z, digit or `_` in the key becomes `_` there), an attribute in OpenTelemetry. */
  annotate(key: string, value: AnnotationValue): void;
  /** Not indexed in X-Ray; an attribute in OpenTelemetry, as JSON where it is an object, an array or null. */
  metadata(key: string, value: unknown): void;
}

/**
 * Runs `work` in a span named `name`, ends the span whatever happens, and records what `work` throws before throwing it on.
 * Outside a request `work` simply runs.
 * @returns what `work` returns.
 * @throws only what `work` throws; telemetry never does.
 */
export async function span<T>(name: string, work: (span: Span) => Promise<T> | T): Promise<T> {
  return runInSpan(quietly(() => redactText(name)) ?? '_', {}, (active) =>
    work({
      annotate: (key, value) => annotate(active, quietly(() => redactText(key)) ?? '_', value),
      metadata: (key, value) => addMetadata(active, key, value),
    }),
  );
}

export interface SpanOptions {
  kind?: SpanKind;
  links?: Link[];
  /** X-Ray's: `aws` for a call to AWS, `remote` for any other call that leaves. */
  namespace?: 'aws' | 'remote';
  /** What an error that passes through says of the call; default: what the status that it carries says. */
  outcome?: (error: unknown) => Outcome;
}

/** Like `span`, for what is inside `src/telemetry/`: `work` gets both halves of the span, or undefined outside a request. */
export async function runInSpan<T>(
  name: string,
  options: SpanOptions,
  work: (active: ActiveSpan | undefined) => Promise<T> | T,
): Promise<T> {
  const request = currentRequest();
  const active = request && quietly(() => beginSpan(request, name, options));
  if (!request || !active) return work(undefined);
  try {
    return await runIn(request, active, () => context.with(active.context, () => work(active)));
  } catch (error) {
    quietly(() => recordError(active, error, options));
    throw error;
  } finally {
    quietly(() => endSpan(request, active));
  }
}

/** Begins a span below the current one, under a name that X-Ray takes. Whoever calls this calls `endSpan` too. */
export function beginSpan(request: RequestState, given: string, options: SpanOptions = {}): ActiveSpan {
  const name = validName(given);
  const parent = currentSpan();
  const around = trace.getSpan(context.active()) ? context.active() : (parent?.context ?? context.active());
  const { kind = SpanKind.INTERNAL, links = [] } = options;
  const otel = trace.getTracer('throughline').startSpan(name, { kind, links }, around);
  const id = otel.isRecording() && isSpanContextValid(otel.spanContext()) ? otel.spanContext().spanId : newSpanId();
  const above = parent?.subsegment ?? request.segment;
  const subsegment = above && openSubsegment(above, name, id);
  if (subsegment && options.namespace) subsegment.namespace = options.namespace;
  // X-Ray's documents have no place for the span of another trace whose time may be no time of X-Ray's.
  if (links.length > 0)
    subsegment?.addMetadata(
      'links',
      links.map(({ context: { traceId, spanId } }) => ({ trace_id: traceId, span_id: spanId })),
    );
  const active: ActiveSpan = { name, id, subsegment, otel, context: trace.setSpan(around, otel), ended: false };
  request.open.add(active);
  return active;
}

/** Ends a span in both; a second call does nothing. */
export function endSpan(request: RequestState, active: ActiveSpan): void {
  if (active.ended) return;
  active.ended = true;
  request.open.delete(active);
  if (active.subsegment) closeSubsegment(active.subsegment);
  active.otel.end();
}

/** Writes a value that X-Ray can index on a span that has not ended. */
export function annotate(active: ActiveSpan | undefined, key: string, value: AnnotationValue): void {
  quietly(() => {
    if (active && !active.ended) setAnnotation(active, key, value);
  });
}

function addMetadata(active: ActiveSpan | undefined, key: string, value: unknown): void {
  quietly(() => {
    if (active && !active.ended) setMetadata(active, key, value);
  });
}

/** Whose mistake it was: the caller's (`error`, and `throttle` when it asked too often), or the called one's. */
export type Outcome = 'ok' | 'error' | 'throttle' | 'fault';

/** @param status of HTTP; absent when there was no answer at all. */
export function outcomeOf(status: number | undefined): Outcome {
  if (status === undefined || status >= 500) return 'fault';
  if (status === 429) return 'throttle';
  return status >= 400 ? 'error' : 'ok';
}

/**
 * Sets X-Ray's flags and OpenTelemetry's status to what the HTTP status says. A client's span fails with any error, a server's with its own.
 * OpenTelemetry's status knows no more than that: `error.category` says there what the flags say.
 */
export function flagOutcome(active: ActiveSpan, outcome: Outcome, callerIsUs = false): void {
  const { subsegment, otel } = active;
  if (subsegment) {
    subsegment.addAttribute('fault', outcome === 'fault' ? true : undefined);
    subsegment.addAttribute('error', outcome === 'error' || outcome === 'throttle' ? true : undefined);
    subsegment.addAttribute('throttle', outcome === 'throttle' ? true : undefined);
  }
  if (outcome !== 'ok') setAttributes(active, { 'error.category': outcome });
  if (outcome === 'fault' || (callerIsUs && outcome !== 'ok')) otel.setStatus({ code: SpanStatusCode.ERROR });
}

/** Records what was thrown through a span: the exception in both, and the flags by the status that the error carries. */
export function recordError(active: ActiveSpan, error: unknown, options: SpanOptions = {}): void {
  const exception = redactedError(error);
  active.subsegment?.addError(exception);
  active.otel.recordException(exception);
  flagOutcome(active, options.outcome?.(error) ?? outcomeOf(statusOf(error)), options.kind === SpanKind.CLIENT);
}

/** @returns the HTTP status that a coded error stands for: `status` or `statusCode`, read with care. */
export function statusOf(error: unknown): number | undefined {
  try {
    const { status, statusCode } = error as { status?: unknown; statusCode?: unknown };
    const value = typeof status === 'number' ? status : statusCode;
    return typeof value === 'number' && value >= 400 && value <= 599 ? value : undefined;
  } catch {
    return undefined;
  }
}

const copies = new WeakMap<object, Error>();
const longestChain = 5;

/**
 * @returns a stand-in for what was thrown and for its causes, with nothing secret in their texts and no cause twice; the same one each
 * time, by which X-Ray links a cause to where it was seen first.
 */
export function redactedError(error: unknown, chain = longestChain): Error {
  const key = typeof error === 'object' && error !== null ? error : undefined;
  const known = key && copies.get(key);
  if (known) return known;
  const copy = new Error(redactText(textOf(error, 'message') ?? String(toScalar(error))).slice(0, 4_096));
  copy.name = redactText(textOf(error, 'name') ?? 'Error').slice(0, 250);
  copy.stack = redactText(textOf(error, 'stack') ?? `${copy.name}: ${copy.message}`).slice(0, 16_384);
  if (!key) return copy;
  copies.set(key, copy);
  const cause = quietly(() => (key as { cause?: unknown }).cause);
  const isCircular = typeof cause === 'object' && cause !== null && copies.has(cause);
  if (cause !== undefined && cause !== null && !isCircular && chain > 1) copy.cause = redactedError(cause, chain - 1);
  return copy;
}

function textOf(error: unknown, key: 'message' | 'name' | 'stack'): string | undefined {
  try {
    const value = (error as Record<string, unknown>)[key];
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

function newSpanId(): string {
  const id = randomBytes(8).toString('hex');
  return id === '0000000000000000' ? newSpanId() : id;
}

/** Runs a piece of telemetry; what it throws is nobody's business but its own. */
export function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
