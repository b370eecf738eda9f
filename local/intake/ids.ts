const TRACE_ID = /^[0-9a-f]{32}$/;
const SPAN_ID = /^[0-9a-f]{16}$/;
const XRAY_ROOT = /^1-[0-9a-f]{8}-[0-9a-f]{24}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ALL_ZERO = /^0+$/;
/** An X-Ray header with everything that may stand in it is shorter; what is longer is not looked through. */
const LONGEST_HEADER = 1_024;

/**
 * Reads a trace id in the forms in which logs, events and errors carry one: 32 hex digits, an X-Ray root (`1-…-…`), an
 * X-Ray header (`Root=1-…;Parent=…`), or a UUID.
 * @returns the 32 lower-case hex digits, or undefined when it is none of these or all zero
 */
export function readTraceId(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > LONGEST_HEADER) return undefined;
  let id = value.trim().toLowerCase();
  const root = /(?:^|;)\s*root=([^;]+)/.exec(id)?.[1];
  if (root) id = root;
  if (XRAY_ROOT.test(id)) id = id.slice(2).replace('-', '');
  else if (UUID.test(id)) id = id.replaceAll('-', '');
  return TRACE_ID.test(id) && !ALL_ZERO.test(id) ? id : undefined;
}

/** @returns the 16 lower-case hex digits of a span or segment id, or undefined. */
export function readSpanId(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const id = value.trim().toLowerCase();
  return SPAN_ID.test(id) && !ALL_ZERO.test(id) ? id : undefined;
}
