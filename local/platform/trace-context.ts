import { randomBytes } from 'node:crypto';

/** What travels in `X-Amzn-Trace-Id`, decided: the platform never hands on a `Sampled=?`. */
export interface TraceContext {
  /** `1-<8 hex epoch seconds>-<24 hex>`. */
  root: string;
  /** 16 hex digits: the segment or subsegment that the next one hangs below. Absent at the start of a trace. */
  parent?: string;
  sampled: boolean;
  /** `Lineage=` and what else the caller sent beside Root, Parent and Sampled, as it was. */
  rest?: string;
}

/** @returns a new segment id, 16 hex digits and never all zero. */
export function newSegmentId(): string {
  const id = randomBytes(8).toString('hex');
  return id === '0000000000000000' ? newSegmentId() : id;
}

/** @returns a new X-Ray root for a trace that begins at `now` (epoch milliseconds). */
export function newRoot(now: number = Date.now()): string {
  const seconds = Math.floor(now / 1000)
    .toString(16)
    .padStart(8, '0');
  return `1-${seconds}-${randomBytes(12).toString('hex')}`;
}

/** @returns the 32 hex digits that OpenTelemetry calls the trace id. */
export function traceIdOf(root: string): string {
  return root.slice(2).replace('-', '');
}

/** @returns the value of `X-Amzn-Trace-Id`. */
export function formatTraceHeader(context: TraceContext): string {
  const parts = [`Root=${context.root}`];
  if (context.parent) parts.push(`Parent=${context.parent}`);
  parts.push(`Sampled=${context.sampled ? 1 : 0}`);
  if (context.rest) parts.push(context.rest);
  return parts.join(';');
}
