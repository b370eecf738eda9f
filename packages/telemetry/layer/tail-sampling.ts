import { createHash } from 'node:crypto';
import { type AttributeValue, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

export interface TailSamplingOptions {
  /**
   * One of so many ordinary traces is kept; 0 keeps nothing at all, infinity only errors and slow
   * ones.
   */
  sampleRate: number;
  slowMilliseconds: number;
}

/**
 * Decides over a whole trace when its root has ended, which is when it is known what became of it.
 * Errors and slow requests are kept always, each standing for itself; of the rest, one of
 * `sampleRate`, standing for so many. The choice follows the trace id, so that every function of a
 * trace chooses alike.
 * @returns the SampleRate that its spans carry, or undefined when it is not kept.
 */
export function decide(
  root: ReadableSpan,
  spans: readonly ReadableSpan[],
  rule: TailSamplingOptions,
): number | undefined {
  if (rule.sampleRate === 0) return undefined;
  if (isError(root, spans) || milliseconds(root) >= rule.slowMilliseconds) return 1;
  if (rule.sampleRate === 1) return 1;
  if (!Number.isFinite(rule.sampleRate)) return undefined;
  return position(root.spanContext().traceId) < 1 / rule.sampleRate ? rule.sampleRate : undefined;
}

/**
 * @returns from 0 up to 1, evenly spread whatever the ids are like: a caller's `traceparent` may
 *   end in a counter, in zeros or, made of a UUID of version 1, in the address of its machine, and
 *   an X-Ray id begins with the time.
 */
function position(traceId: string): number {
  return createHash('sha1').update(traceId).digest().readUInt32BE() / 2 ** 32;
}

function isError(root: ReadableSpan, spans: readonly ReadableSpan[]): boolean {
  const status: AttributeValue | undefined = root.attributes['http.response.status_code'];
  if (typeof status === 'number' && status >= 400) return true;
  return spans.some((span) => span.status.code === SpanStatusCode.ERROR);
}

function milliseconds(span: ReadableSpan): number {
  return span.duration[0] * 1_000 + span.duration[1] / 1_000_000;
}
