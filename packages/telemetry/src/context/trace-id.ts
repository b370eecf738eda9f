import { randomBytes } from 'node:crypto';
import { isSpanContextValid, trace } from '@opentelemetry/api-1.9';
import { config } from '../config.ts';
import { requestAround } from './request-context.ts';

/** `X-Amzn-Trace-Id` as Lambda hands it to a function. */
export interface TraceHeader {
  /** 32 hex digits. */
  traceId: string;
  /** `1-<8 hex>-<24 hex>`. */
  root: string;
  /** 16 hex digits: the function's segment. */
  parent: string | undefined;
  sampled: boolean;
}

interface InvokeStore {
  getXRayTraceId?(): string | undefined;
}

/**
 * Reads the trace header of the current invocation: from the runtime's InvokeStore, which is right
 * where several invocations run at a time, else from the environment.
 */
export function currentTraceHeader(): TraceHeader | undefined {
  const store = (globalThis as { awslambda?: { InvokeStore?: InvokeStore } }).awslambda?.InvokeStore;
  let value: string | undefined;
  try {
    value = store?.getXRayTraceId?.();
  } catch {
    // A store that throws knows nothing.
  }
  return parseTraceHeader(value ?? config.traceHeader());
}

/** @returns undefined for anything that is not a trace header with a valid Root. */
export function parseTraceHeader(value: string | undefined): TraceHeader | undefined {
  if (!value) return undefined;
  const root = /(?:^|;)\s*Root=(1-([0-9a-f]{8})-([0-9a-f]{24}))\s*(?:;|$)/i.exec(value);
  if (!root?.[1]) return undefined;
  const parent = /(?:^|;)\s*Parent=([0-9a-f]{16})\s*(?:;|$)/i.exec(value)?.[1];
  return {
    traceId: `${root[2]}${root[3]}`.toLowerCase(),
    root: root[1].toLowerCase(),
    parent: parent?.toLowerCase(),
    sampled: /(?:^|;)\s*Sampled=1\s*(?:;|$)/i.test(value),
  };
}

/**
 * @returns the 32 hex digits by which every tool knows this request; undefined outside a request.
 */
export function currentTraceId(): string | undefined {
  const known = requestAround()?.traceId ?? currentTraceHeader()?.traceId;
  if (known) return known;
  const active = trace.getActiveSpan()?.spanContext();
  return active && isSpanContextValid(active) ? active.traceId : undefined;
}

/** @returns a trace id in X-Ray's form: `1-<8 hex>-<24 hex>`. */
export function toXrayId(traceId: string): string {
  return `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`;
}

/** @returns a new trace id whose first eight digits are the time, as X-Ray requires. */
export function newTraceId(): string {
  const seconds = Math.floor(Date.now() / 1000)
    .toString(16)
    .padStart(8, '0');
  return seconds + randomBytes(12).toString('hex');
}

/** @returns a new span id: 16 hex digits, not all zeros. */
export function newSpanId(): string {
  const id = randomBytes(8).toString('hex');
  return id === '0000000000000000' ? newSpanId() : id;
}
