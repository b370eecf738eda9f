/**
 * @param id 32 hex digits, or X-Ray's `1-<8 hex>-<24 hex>`, in either case.
 * @returns the 32 lower-case hex digits, or undefined when it is neither.
 */
export function normalTraceId(id: string): string | undefined {
  const lower = id.trim().toLowerCase();
  if (/^[0-9a-f]{32}$/.test(lower)) return lower;
  return /^1-[0-9a-f]{8}-[0-9a-f]{24}$/.test(lower) ? lower.slice(2).replace('-', '') : undefined;
}

/** @returns X-Ray's form of 32 hex digits. */
export function xrayTraceId(id: string): string {
  return `1-${id.slice(0, 8)}-${id.slice(8)}`;
}
