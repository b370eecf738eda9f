import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { ExportTraceServiceRequestSchema } from '../../../src/services/otlp/generated/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import type { SpanSchema } from '../../../src/services/otlp/generated/opentelemetry/proto/trace/v1/trace_pb.js';

export const sampleTraceId = '5b8efff798038103d269b633813fc60c';
export const sampleSpanId = 'eee19b7ec3c1b174';
export const start = 1_795_363_200_000_000_001n;

type SpanInit = MessageInitShape<typeof SpanSchema>;

/** A span as an exporter would send it, but for `changes`. */
export function span(changes: Partial<SpanInit> = {}): SpanInit {
  return {
    traceId: Buffer.from(sampleTraceId, 'hex'),
    spanId: Buffer.from(sampleSpanId, 'hex'),
    name: 'home-activities',
    kind: 1,
    startTimeUnixNano: start,
    endTimeUnixNano: start + 5_000_000n,
    ...changes,
  } as SpanInit;
}

/** An ExportTraceServiceRequest of one resource and one scope, in protobuf. */
export function traceRequest(spans: SpanInit[]): Uint8Array {
  return toBinary(
    ExportTraceServiceRequestSchema,
    create(ExportTraceServiceRequestSchema, {
      resourceSpans: [
        {
          resource: {
            attributes: [{ key: 'service.name', value: { value: { case: 'stringValue', value: 'cruddur' } } }],
          },
          scopeSpans: [{ scope: { name: 'test' }, spans }],
        },
      ],
    }),
  );
}

/** The same span in OTLP's JSON. */
export function jsonSpan(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    traceId: sampleTraceId,
    spanId: sampleSpanId,
    name: 'home-activities',
    kind: 1,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + 5_000_000n),
    ...changes,
  };
}

/** An ExportTraceServiceRequest in OTLP's JSON. */
export function jsonTraceRequest(spans: unknown[]): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'cruddur' } }] },
        scopeSpans: [{ scope: { name: 'test' }, spans }],
      },
    ],
  });
}

export const protobuf = { 'content-type': 'application/x-protobuf' };
