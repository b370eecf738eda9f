import { randomBytes } from 'node:crypto';
import type { IdGenerator } from '@opentelemetry/sdk-trace';
import { currentTraceHeader, newTraceId } from '../src/telemetry/trace-id.ts';

/** Gives a trace the id that X-Ray knows it by: the 32 hex digits of the Root of the current invocation's trace header. */
export class XrayIdGenerator implements IdGenerator {
  generateTraceId(): string {
    return currentTraceHeader()?.traceId ?? newTraceId();
  }

  generateSpanId(): string {
    const id = randomBytes(8).toString('hex');
    return id === '0000000000000000' ? this.generateSpanId() : id;
  }
}
