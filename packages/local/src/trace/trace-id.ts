import { randomBytes } from 'node:crypto';

const traceId = /^[0-9a-f]{32}$/;
const spanId = /^[0-9a-f]{16}$/;
const xrayRoot = /^1-[0-9a-f]{8}-[0-9a-f]{24}$/;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const allZero = /^0+$/;
/** Every valid X-Ray header is shorter. Longer text is not searched. */
const longestHeader = 1_024;

/**
 * Normalizes a trace id.
 * @param id 32 hex digits, or X-Ray's `1-<8 hex>-<24 hex>`, in either case.
 * @returns the 32 lower-case hex digits, or undefined for anything else.
 */
export function normalTraceId(id: string): string | undefined {
  const lower = id.trim().toLowerCase();
  if (traceId.test(lower)) return lower;
  return xrayRoot.test(lower) ? traceIdOf(lower) : undefined;
}

/** @returns X-Ray's form of 32 hex digits. */
export function xrayTraceId(id: string): string {
  return `1-${id.slice(0, 8)}-${id.slice(8)}`;
}

/** @returns the 32 hex digits that OpenTelemetry calls the trace id, from an X-Ray root. */
export function traceIdOf(root: string): string {
  return root.slice(2).replace('-', '');
}

/** @returns a new segment id: 16 hex digits, never all zero. */
export function newSegmentId(): string {
  const id = randomBytes(8).toString('hex');
  return allZero.test(id) ? newSegmentId() : id;
}

/** @returns a new X-Ray root for a trace that begins at `now` (epoch milliseconds). */
export function newRoot(now: number = Date.now()): string {
  const seconds = Math.floor(now / 1000)
    .toString(16)
    .padStart(8, '0');
  return `1-${seconds}-${randomBytes(12).toString('hex')}`;
}

/**
 * Reads a trace id as logs, events and errors carry it: 32 hex digits, an X-Ray root (`1-…-…`), an
 * X-Ray header (`Root=1-…;Parent=…`), or a uuid.
 * @returns the 32 lower-case hex digits; undefined for any other value and for all zeros.
 */
export function readTraceId(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > longestHeader) return undefined;
  let id = value.trim().toLowerCase();
  const root = /(?:^|;)\s*root=([^;]+)/.exec(id)?.[1];
  if (root) id = root;
  if (xrayRoot.test(id)) id = traceIdOf(id);
  else if (uuid.test(id)) id = id.replaceAll('-', '');
  return traceId.test(id) && !allZero.test(id) ? id : undefined;
}

/** @returns the 16 lower-case hex digits of a span or segment id, or undefined. */
export function readSpanId(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const id = value.trim().toLowerCase();
  return spanId.test(id) && !allZero.test(id) ? id : undefined;
}
