/** `X-Amzn-Trace-Id` with a decision: the platform never hands on a `Sampled=?`. */
export interface TraceContext {
  /** `1-<8 hex epoch seconds>-<24 hex>`. */
  root: string;
  /**
   * 16 hex digits: the segment or subsegment that the next one hangs below. Absent at the start of
   * a trace.
   */
  parent?: string;
  sampled: boolean;
  /** `Lineage=` and what else the caller sent beside Root, Parent and Sampled, as it was. */
  rest?: string;
}

/** @returns the value of `X-Amzn-Trace-Id`. */
export function formatTraceHeader(context: TraceContext): string {
  const parts = [`Root=${context.root}`];
  if (context.parent) parts.push(`Parent=${context.parent}`);
  parts.push(`Sampled=${context.sampled ? 1 : 0}`);
  if (context.rest) parts.push(context.rest);
  return parts.join(';');
}

/** A trace that a caller has begun, as one header says it. */
export interface IncomingTrace {
  root: string;
  parent?: string;
  /** Absent where the caller leaves the decision to us: no `Sampled`, or `Sampled=?`. */
  sampled?: boolean;
  rest?: string;
}

const rootPattern = /^1-[0-9a-f]{8}-[0-9a-f]{24}$/;
const segmentId = /^[0-9a-f]{16}$/;
const fieldPattern = /^[A-Za-z][\w.-]*=[\w.:/+@=|~-]+$/;
const allZero = /^[0-]*$/;

function present(fields: Map<string, string>, key: string): string | undefined {
  // SDKs without an open segment send `Parent=;Sampled=`.
  return fields.get(key)?.toLowerCase() || undefined;
}

/**
 * Reads `X-Amzn-Trace-Id`
 * (https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader).
 * Keys are taken in any case, the first of a repeated key counts, hex digits come back in lower
 * case. `Self` names the hop of a load balancer and ends there, as X-Ray's SDKs have it; other
 * fields travel on in `rest`.
 * @returns undefined for anything that is not a whole, valid header: then a new trace begins. Never
 *   throws.
 */
export function parseTraceHeader(value: string | undefined): IncomingTrace | undefined {
  const fields = new Map<string, string>();
  const rest: string[] = [];
  for (const part of (value ?? '').split(';')) {
    const field = part.trim();
    const equals = field.indexOf('=');
    if (equals < 1) continue;
    const key = field.slice(0, equals).trim().toLowerCase();
    if (fields.has(key)) continue;
    fields.set(key, field.slice(equals + 1).trim());
    if (!['root', 'parent', 'sampled', 'self'].includes(key) && fieldPattern.test(field)) rest.push(field);
  }
  const root = present(fields, 'root');
  const parent = present(fields, 'parent');
  const sampled = present(fields, 'sampled');
  if (!root || !rootPattern.test(root) || allZero.test(root.slice(1))) return undefined;
  if (parent && (!segmentId.test(parent) || allZero.test(parent))) return undefined;
  if (sampled && !['0', '1', '?'].includes(sampled)) return undefined;
  return {
    root,
    ...(parent ? { parent } : {}),
    ...(sampled === '0' || sampled === '1' ? { sampled: sampled === '1' } : {}),
    ...(rest.length > 0 ? { rest: rest.join(';') } : {}),
  };
}

const traceparent = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/s;

/**
 * Reads `traceparent` (https://www.w3.org/TR/trace-context/#traceparent-header): a version after 00
 * is read as far as 00 goes, version ff, all-zero ids and upper case are refused.
 * @returns undefined for anything invalid: then the header is as good as absent. Never throws.
 */
export function parseTraceparent(value: string | undefined): IncomingTrace | undefined {
  const match = traceparent.exec(value ?? '');
  const [, version, traceId, parent, flags, more] = match ?? [];
  if (!version || !traceId || !parent || !flags || version === 'ff') return undefined;
  if (version === '00' && more !== undefined) return undefined;
  if (allZero.test(traceId) || allZero.test(parent)) return undefined;
  return {
    root: `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`,
    parent,
    sampled: (Number.parseInt(flags, 16) & 1) === 1,
  };
}
