import { type AttributeValue, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

export interface SamplingRule {
  /** One of so many ordinary traces is kept; 0 keeps nothing at all, infinity only errors and slow ones. */
  sampleRate: number;
  slowMilliseconds: number;
}

/**
 * Decides over a whole trace when its root has ended, which is when it is known what became of it. Errors and slow requests are kept
 * always, each standing for itself; of the rest, one of `sampleRate`, standing for so many. The choice follows the trace id, so that every
 * function of a trace chooses alike.
 * @returns the SampleRate that its spans carry, or undefined when it is not kept.
 */
export function decide(root: ReadableSpan, spans: readonly ReadableSpan[], rule: SamplingRule): number | undefined {
  if (rule.sampleRate === 0) return undefined;
  if (isError(root, spans) || milliseconds(root) >= rule.slowMilliseconds) return 1;
  if (rule.sampleRate === 1) return 1;
  if (!Number.isFinite(rule.sampleRate)) return undefined;
  // The last 56 bits of an X-Ray id are random; its first 32 are the time.
  const position = Number.parseInt(root.spanContext().traceId.slice(-13), 16) / 16 ** 13;
  return position < 1 / rule.sampleRate ? rule.sampleRate : undefined;
}

function isError(root: ReadableSpan, spans: readonly ReadableSpan[]): boolean {
  const status: AttributeValue | undefined = root.attributes['http.response.status_code'];
  if (typeof status === 'number' && status >= 400) return true;
  return spans.some((span) => span.status.code === SpanStatusCode.ERROR);
}

function milliseconds(span: ReadableSpan): number {
  return span.duration[0] * 1_000 + span.duration[1] / 1_000_000;
}
