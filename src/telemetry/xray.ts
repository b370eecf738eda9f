import { Tracer } from '@aws-lambda-powertools/tracer';
import xray, { type Subsegment } from 'aws-xray-sdk-core';
import type { TraceHeader } from './trace-id.ts';

/** What the X-Ray daemon takes in one datagram, less its header; the largest datagram of UDP over IPv4 is 65,507 bytes. */
const maximumDocumentBytes = 64_000;

// HTTP and AWS SDK calls have one owner, fetch.ts and aws-sdk.ts: with Powertools' own capture each call would be recorded twice.
const tracer = new Tracer({ captureHTTPsRequests: false });

let trimmed = 0;
/** `performance.now()` at their beginning: with a clock that is set back meanwhile, an end of the SDK's lies before the beginning. */
const begun = new WeakMap<Subsegment, number>();

/** Whether there is an X-Ray to send to: Powertools says no outside Lambda, under SAM's local mode and by `POWERTOOLS_TRACE_ENABLED`. */
export function isXrayEnabled(): boolean {
  return tracer.isTracingEnabled();
}

/**
 * A stand-in for the `AWS::Lambda::Function` segment, which Lambda sends by itself: our subsegments hang below its id. One for each
 * request, because the SDK's own is one for the whole process, and a late subsegment would go to the next request's trace.
 */
export function facadeSegment(header: TraceHeader): xray.Segment {
  const segment = new xray.Segment('facade', header.root);
  if (header.parent) segment.id = header.parent;
  return segment;
}

/**
 * Opens a subsegment below a segment or another subsegment. It is not put into its parent's list: each is sent by itself when it ends, so
 * that a parent that ends before its child neither carries a half of it nor keeps it from being sent.
 */
export function openSubsegment(parent: xray.Segment | Subsegment, name: string, id: string): Subsegment {
  const subsegment = new xray.Subsegment(name);
  begun.set(subsegment, performance.now());
  subsegment.id = id;
  subsegment.parent = parent;
  subsegment.segment = 'segment' in parent ? parent.segment : (parent as xray.Segment);
  return subsegment;
}

/** Closes a subsegment and sends it to the daemon. */
export function closeSubsegment(subsegment: Subsegment): void {
  subsegment.close();
  const seconds = (performance.now() - (begun.get(subsegment) ?? 0)) / 1_000;
  subsegment.addAttribute('end_time', subsegment.start_time + seconds);
  const document = fittingDocument(subsegment);
  // The SDK would write it again to send it, and once more for a debug line that it then does not print.
  Object.assign(subsegment, { format: () => document, toString: () => document });
  subsegment.flush();
}

/** @returns how many subsegments have lost their metadata because they were too large, since the last call. */
export function takeTrimmed(): number {
  const count = trimmed;
  trimmed = 0;
  return count;
}

/** @returns the subsegment's JSON, without its metadata, and without its annotations too, where no datagram would hold them. */
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

/** @returns a name as X-Ray takes it: letters, digits, spaces and `_ . : / % & # = + \ - @`, 200 at most; any other character becomes `_`. */
export function validName(name: string): string {
  return name.slice(0, 200).replace(/[^\p{L}\p{N}\p{Z}_.:/%&#=+\\\-@]/gu, '_') || '_';
}
