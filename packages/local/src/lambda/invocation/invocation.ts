import { randomUUID } from 'node:crypto';
import { formatTraceHeader, type TraceContext } from '../../trace/trace-header.ts';
import { newSegmentId } from '../../trace/trace-id.ts';
import type { TracingNote } from './platform-events.ts';
import type { InvokeResult } from './types.ts';

/** One invocation, from its arrival until it has been answered. */
export interface Invocation {
  requestId: string;
  functionName: string;
  functionArn: string;
  payload: string;
  trace: TraceContext;
  lambdaSegmentId: string;
  functionSegmentId: string;
  /** The function's trace header. */
  traceHeader: string;
  /** Whether segments are emitted for it. */
  traced: boolean;
  untracedOnAws?: true;
  /** Epoch milliseconds. */
  receivedAt: number;
  clientContext?: string | undefined;
  /** The lines of its log, where its caller wants them. */
  lines?: string[] | undefined;
  /** Gives the caller its answer; the first call counts. */
  answer(result: InvokeResult): void;
}

export interface InvocationInput {
  functionName: string;
  functionArn: string;
  tracing: 'Active' | 'PassThrough';
  untracedOnAws?: true;
  payload: string;
  trace: TraceContext;
  clientContext?: string | undefined;
  lines?: string[] | undefined;
  answer(result: InvokeResult): void;
}

/**
 * Gives an invocation its ids. With tracing passed through, no segment is emitted, so the
 * function's parent is its caller's segment.
 */
export function createInvocation(input: InvocationInput): Invocation {
  const { tracing, ...rest } = input;
  const functionSegmentId = newSegmentId();
  const active = tracing === 'Active';
  return {
    ...rest,
    requestId: randomUUID(),
    lambdaSegmentId: newSegmentId(),
    functionSegmentId,
    traceHeader: formatTraceHeader(active ? { ...input.trace, parent: functionSegmentId } : input.trace),
    traced: active && input.trace.sampled,
    receivedAt: Date.now(),
  };
}

/** @returns what START and REPORT say of the trace; nothing where it is not sampled. */
export function tracingNote(invocation: Invocation): TracingNote | undefined {
  if (!invocation.traced) return undefined;
  return { root: invocation.trace.root, segmentId: invocation.functionSegmentId, header: invocation.traceHeader };
}

/** @returns the answer of an invocation that failed: its payload is Lambda's error document. */
export function failureResult(
  invocation: { requestId: string },
  coldStart: boolean,
  error: NonNullable<InvokeResult['error']>,
): InvokeResult {
  const payload = JSON.stringify({ errorType: error.type, errorMessage: error.message });
  return { requestId: invocation.requestId, coldStart, payload, error };
}
