import type { IdGenerator } from '@opentelemetry/sdk-trace';
import { currentTraceHeader, newSpanId, newTraceId } from '../src/context/trace-id.ts';

/**
 * Gives a trace its X-Ray id: the 32 hex digits of the Root of the current invocation's trace
 * header.
 */
export class XrayIdGenerator implements IdGenerator {
  generateTraceId(): string {
    return currentTraceHeader()?.traceId ?? newTraceId();
  }

  generateSpanId(): string {
    return newSpanId();
  }
}
