import { Tracer } from '@aws-lambda-powertools/tracer';
import xray, { type Subsegment } from 'aws-xray-sdk-core';
import { config } from '../config.ts';
import type { ActiveSpan, SpanSubsegment } from '../context/request-context.ts';
import type { TraceHeader } from '../context/trace-id.ts';
import type { DescribedError } from '../errors/describe-error.ts';
import { quietly } from '../quietly.ts';

/**
 * The X-Ray daemon's limit for one datagram, less its header; the largest datagram of UDP over
 * IPv4 is 65,507 bytes.
 */
const maximumDocumentBytes = 64_000;

// HTTP and AWS SDK calls have one owner, fetch.ts and aws-sdk.ts: Powertools' own capture would
// record each call twice.
config.leaveCallsToOneOwner();
const tracer = new Tracer({ captureHTTPsRequests: false });

let trimmed = 0;

/** A subsegment's hooks for the calls of Powertools' tracer. */
export interface SubsegmentOwner {
  open(name: string): Subsegment | undefined;
  annotate(key: string, value: string | number | boolean): void;
  addMetadata(key: string, value: unknown, namespace?: string): void;
  addError(error: unknown): void;
  close(error?: unknown): void;
}

/** Passes on what others write on it, redacted, to both halves of its span. */
class OwnedSubsegment extends xray.Subsegment implements SpanSubsegment {
  #owner: SubsegmentOwner | undefined;
  /**
   * `performance.now()` at the start: by a clock that is set back meanwhile, the SDK's end would
   * precede it.
   */
  readonly #begun = performance.now();

  own(owner: SubsegmentOwner): void {
    this.#owner = owner;
  }

  override addNewSubsegment(name: string): Subsegment {
    return quietly(() => this.#owner?.open(name)) ?? super.addNewSubsegment(name);
  }

  override addAnnotation(key: string, value: boolean | string | number): void {
    quietly(() => this.#owner?.annotate(key, value));
  }

  override addMetadata(key: string, value: unknown, namespace?: string): void {
    quietly(() => this.#owner?.addMetadata(key, value, namespace));
  }

  override addError(error: Error | string): void {
    quietly(() => this.#owner?.addError(error));
  }

  override close(error?: Error | string | null): void {
    quietly(() => this.#owner?.close(error));
  }

  writeAnnotation(key: string, value: boolean | string | number): void {
    super.addAnnotation(key, value);
  }

  writeMetadata(key: string, value: unknown, namespace?: string): void {
    super.addMetadata(key, value, namespace);
  }

  writeError(error: Error): void {
    super.addError(error);
  }

  /** The SDK's own `close` would send it before its end time is corrected. */
  writeEnd(): void {
    this.addAttribute('end_time', this.start_time + (performance.now() - this.#begun) / 1_000);
    Reflect.deleteProperty(this, 'in_progress');
  }
}

/**
 * Whether X-Ray is on: Powertools says no outside Lambda, under SAM's local mode and by
 * `POWERTOOLS_TRACE_ENABLED`.
 */
export function isXrayEnabled(): boolean {
  return tracer.isTracingEnabled();
}

/**
 * Makes a stand-in for the `AWS::Lambda::Function` segment, which Lambda sends by itself: our
 * subsegments hang below its id. One for each request: the SDK has one for the whole process, and a
 * late subsegment would go to the next request's trace.
 */
export function facadeSegment(header: TraceHeader): xray.Segment {
  const segment = new xray.Segment('facade', header.root);
  if (header.parent) segment.id = header.parent;
  segment.notTraced = !header.sampled;
  // As the SDK's own on Lambda: never closed, and each subsegment below it is sent by itself.
  return Object.assign(segment, { counter: 1, incrementCounter: () => {}, decrementCounter: () => {} });
}

const spans = new WeakMap<object, ActiveSpan>();

/**
 * @returns the span that Powertools' tracer is in, where that is below `known`, as inside its
 * `captureMethod`.
 */
export function innermostSpan(known: ActiveSpan | undefined): ActiveSpan | undefined {
  const segment = tracer.isTracingEnabled() ? tracer.getSegment() : undefined;
  const found = segment && spans.get(segment);
  if (!found || found.ended) return known;
  for (let above: ActiveSpan | undefined = found; above; above = above.parent) if (above === known) return found;
  return known;
}

/**
 * Runs `work` with this as the current subsegment of Powertools' tracer, and so of the X-Ray SDK.
 */
export function withSubsegment<T>(subsegment: Subsegment | undefined, work: () => T): T {
  if (!subsegment) return work();
  return tracer.provider.getNamespace().runAndReturn(() => {
    quietly(() => tracer.setSegment(subsegment));
    return work();
  });
}

/**
 * Opens a subsegment below a segment or another subsegment. It is not put into its parent's list:
 * each is sent by itself when it ends, so that a parent that ends first neither carries half of it
 * nor keeps it from being sent.
 */
export function openSubsegment(parent: xray.Segment | Subsegment, name: string, id: string): SpanSubsegment {
  const subsegment = new OwnedSubsegment(name);
  subsegment.id = id;
  subsegment.parent = parent;
  subsegment.segment = 'segment' in parent ? parent.segment : (parent as xray.Segment);
  return subsegment;
}

/** Hands over what others do to this subsegment. */
export function ownSubsegment(subsegment: SpanSubsegment, active: ActiveSpan, owner: SubsegmentOwner): void {
  spans.set(subsegment, active);
  if (subsegment instanceof OwnedSubsegment) subsegment.own(owner);
}

/** Closes a subsegment and sends it to the daemon, if its trace is sampled. */
export function closeSubsegment(subsegment: SpanSubsegment, parent: Subsegment | undefined): void {
  // Where several invocations run at a time, Powertools keeps one current segment for each.
  if (parent && tracer.getSegment() === subsegment) tracer.setSegment(parent);
  // Those that are still open are sent when they close.
  Reflect.deleteProperty(subsegment, 'subsegments');
  subsegment.writeEnd();
  if (subsegment.segment?.notTraced) return;
  const document = fittingDocument(subsegment);
  // The SDK would serialize it again to send it, and once more for a debug line that it does not
  // print.
  Object.assign(subsegment, { format: () => document, toString: () => document });
  subsegment.flush();
}

interface CapturedException {
  id: string;
  cause?: string;
}

/**
 * Adds the causes of an error that has just been recorded, the deepest first.
 * @param causes in that order, the error itself last.
 */
export function addCauses(subsegment: Subsegment, causes: readonly DescribedError[]): void {
  const { cause } = subsegment as { cause?: { id?: string; exceptions: CapturedException[] } };
  const outer = cause?.exceptions[0];
  // It was recorded in a subsegment below, to which this one refers.
  if (!outer || cause.id !== undefined) return;
  const captured = new Map<DescribedError, CapturedException>();
  for (const error of causes) captured.set(error, outer);
  for (const error of causes.slice(0, -1)) captured.set(error, capture(error));
  for (const error of causes) {
    const below = error.cause ?? error.errors?.[0];
    const id = below && captured.get(below)?.id;
    const exception = captured.get(error);
    if (id && exception) exception.cause = id;
  }
  cause.exceptions.unshift(...causes.slice(0, -1).flatMap((error) => captured.get(error) ?? []));
}

/** The SDK's class for exceptions is not exported. */
function capture(error: Error): CapturedException {
  const carrier = new xray.Subsegment('exception') as Subsegment & { cause?: { exceptions: CapturedException[] } };
  carrier.addError(error);
  return carrier.cause?.exceptions[0] ?? { id: '' };
}

/**
 * @returns how many subsegments have lost their metadata because they were too large, since the
 * last call.
 */
export function takeTrimmed(): number {
  const count = trimmed;
  trimmed = 0;
  return count;
}

/**
 * @returns the subsegment's JSON, without metadata, then without annotations, where a datagram
 * would not hold them.
 */
function fittingDocument(subsegment: Subsegment): string {
  let document = subsegment.format();
  if (Buffer.byteLength(document) <= maximumDocumentBytes) return document;
  trimmed += 1;
  subsegment.addAttribute('metadata', { default: { trimmed: 'larger than 64 KB' } });
  document = subsegment.format();
  if (Buffer.byteLength(document) <= maximumDocumentBytes) return document;
  subsegment.addAttribute('annotations', { trimmed: true });
  return subsegment.format();
}

/**
 * @returns a name that X-Ray accepts: letters, digits, spaces and `_ . : / % & # = + \ - @`, 200 at
 * most; others become `_`.
 */
export function validName(name: string): string {
  return name.slice(0, 200).replace(/[^\p{L}\p{N}\p{Z}_.:/%&#=+\\\-@]/gu, '_') || '_';
}
