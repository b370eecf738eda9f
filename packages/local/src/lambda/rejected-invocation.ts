import type { LocalFunction } from '../service/model.ts';
import { localAccountId } from '../service/read.ts';
import type { TelemetrySink } from '../trace/records.ts';
import { maximumPayloadBytes } from './apis/runtime-api.ts';
import { failureResult, type Invocation } from './invocation/invocation.ts';
import { functionSegment, lambdaSegment } from './invocation/segments.ts';
import type { InvokeResult } from './invocation/types.ts';

/** Why an invocation gets no environment; `status` is that of Lambda's API. */
export type RejectedInvocation = NonNullable<InvokeResult['error']> & { status: number };

export function throttled(message: string): RejectedInvocation {
  return { kind: 'throttled', type: 'TooManyRequestsException', message, status: 429 };
}

/** A defect of this platform, not of the function. */
export function platformFailure(error: unknown): RejectedInvocation {
  return { kind: 'crash', type: 'Sandbox.Failure', message: String(error), status: 500 };
}

/**
 * @returns the result of an invocation whose caller left before it had an environment. Nobody reads
 * it.
 */
export function abandoned(invocation: Invocation): InvokeResult {
  const message = 'The caller stopped waiting before the function had started.';
  return failureResult(invocation, false, { kind: 'abandoned', type: 'Caller.Gone', message });
}

/** @returns undefined if Lambda would accept the payload. */
export function tooLargeRequest(payload: string): RejectedInvocation | undefined {
  if (Buffer.byteLength(payload) <= maximumPayloadBytes) return undefined;
  const message = `Request must be smaller than ${maximumPayloadBytes} bytes for the InvokeFunction operation`;
  return { kind: 'request-too-large', type: 'RequestTooLarge', message, status: 413 };
}

/** Answers an invocation that gets no environment. */
export function rejectInvocation(sink: TelemetrySink, invocation: Invocation, rejection: RejectedInvocation): void {
  const { status, ...error } = rejection;
  if (invocation.traced) sink.segment(lambdaSegment({ invocation, endedAt: Date.now(), status }));
  invocation.answer(failureResult(invocation, false, error));
}

/**
 * Answers if there is no code to start: the code does not build, or a layer's folder is missing.
 */
export function answerWithoutCode(
  sink: TelemetrySink,
  lambda: LocalFunction,
  invocation: Invocation,
  message: string,
): void {
  const failure = { type: 'Runtime.ImportModuleError', message };
  const endedAt = Date.now();
  if (invocation.traced) {
    const logGroup = `/aws/lambda/${lambda.name}`;
    const startedAt = invocation.receivedAt;
    sink.segment(lambdaSegment({ invocation, endedAt, status: 200 }));
    sink.segment(functionSegment({ invocation, accountId: localAccountId, logGroup, startedAt, endedAt, failure }));
  }
  invocation.answer(failureResult(invocation, true, { kind: 'no-code', ...failure }));
}
