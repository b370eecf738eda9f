import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { ExportTraceServiceRequestSchema } from '../../../../local/intake/otlp/generated/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import type { SpanSchema } from '../../../../local/intake/otlp/generated/opentelemetry/proto/trace/v1/trace_pb.js';

export const TRACE_ID = '5b8efff798038103d269b633813fc60c';
export const SPAN_ID = 'eee19b7ec3c1b174';
export const START = 1_795_363_200_000_000_001n;

type SpanInit = MessageInitShape<typeof SpanSchema>;

/** A span as an exporter would send it, but for `changes`. */
export function span(changes: Partial<SpanInit> = {}): SpanInit {
  return {
    traceId: Buffer.from(TRACE_ID, 'hex'),
    spanId: Buffer.from(SPAN_ID, 'hex'),
    name: 'home-activities',
    kind: 1,
    startTimeUnixNano: START,
    endTimeUnixNano: START + 5_000_000n,
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
    traceId: TRACE_ID,
    spanId: SPAN_ID,
    name: 'home-activities',
    kind: 1,
    startTimeUnixNano: String(START),
    endTimeUnixNano: String(START + 5_000_000n),
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

export const PROTOBUF = { 'content-type': 'application/x-protobuf' };
