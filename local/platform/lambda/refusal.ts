import type { LocalFunction } from '../../service/model.ts';
import { localAccountId } from '../../service/read.ts';
import type { TelemetrySink } from '../../store/records.ts';
import { failureResult, type Invocation } from './invocation.ts';
import { MAXIMUM_PAYLOAD_BYTES } from './runtime-api.ts';
import { functionSegment, lambdaSegment } from './segments.ts';
import type { InvokeResult } from './types.ts';

/** Why an invocation is given to no environment; `status` is that of Lambda's API. */
export type Refusal = NonNullable<InvokeResult['error']> & { status: number };

export function throttled(message: string): Refusal {
  return { kind: 'throttled', type: 'TooManyRequestsException', message, status: 429 };
}

/** @returns undefined where Lambda takes the payload. */
export function tooLargeRequest(payload: string): Refusal | undefined {
  if (Buffer.byteLength(payload) <= MAXIMUM_PAYLOAD_BYTES) return undefined;
  const message = `Request must be smaller than ${MAXIMUM_PAYLOAD_BYTES} bytes for the InvokeFunction operation`;
  return { kind: 'request-too-large', type: 'RequestTooLarge', message, status: 413 };
}

/** Answers an invocation that no environment gets. */
export function refuse(sink: TelemetrySink, invocation: Invocation, refusal: Refusal): void {
  const { status, ...error } = refusal;
  if (invocation.traced) sink.segment(lambdaSegment({ invocation, endedAt: Date.now(), status }));
  invocation.answer(failureResult(invocation, false, error));
}

/** Answers where there is no code to start: the code does not build, or a layer's folder is missing. */
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
  invocation.answer(failureResult(invocation, true, { kind: 'init', ...failure }));
}
