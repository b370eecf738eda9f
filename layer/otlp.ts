import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Destination } from '../src/telemetry/shipping.ts';
import type { LayerConfig } from './config.ts';

/** The most spans in one request: a batch of OpenTelemetry's own exporters has as many. */
const batch = 512;

/** OTLP over HTTP, to Honeycomb or any other collector. */
export function otlpDestination(url: string, { headers, protocol, timeoutMilliseconds }: LayerConfig): Destination {
  const protobuf = protocol === 'http/protobuf';
  const serializer = protobuf ? ProtobufTraceSerializer : JsonTraceSerializer;
  return {
    name: 'OTLP',
    unit: 'spans',
    url,
    batch,
    limitMilliseconds: timeoutMilliseconds,
    build: (payloads) => ({
      headers: { ...headers, 'content-type': protobuf ? 'application/x-protobuf' : 'application/json' },
      body: serializer.serializeRequest((payloads as ReadableSpan[][]).flat()) ?? new Uint8Array(),
    }),
    rejected: (answer) =>
      answer.length === 0 ? 0 : Number(serializer.deserializeResponse(answer).partialSuccess?.rejectedSpans ?? 0),
  };
}
