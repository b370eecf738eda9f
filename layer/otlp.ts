import { promisify } from 'node:util';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { HttpPost } from '../src/telemetry/delivery.ts';
import type { Destination } from '../src/telemetry/shipping.ts';
import type { LayerConfig } from './config.ts';

/** The most spans in one request: a batch of OpenTelemetry's own exporters has as many. */
const batch = 512;

/** OTLP over HTTP, to Honeycomb or any other collector. */
export function otlpDestination(url: string, config: LayerConfig): Destination {
  const { headers, protocol, compression, timeoutMilliseconds } = config;
  const protobuf = protocol === 'http/protobuf';
  const serializer = protobuf ? ProtobufTraceSerializer : JsonTraceSerializer;
  return {
    name: 'OTLP',
    unit: 'spans',
    url,
    batch,
    limitMilliseconds: timeoutMilliseconds,
    build: async (payloads) => {
      const post = {
        headers: { ...headers, 'content-type': protobuf ? 'application/x-protobuf' : 'application/json' },
        body: serializer.serializeRequest((payloads as ReadableSpan[][]).flat()) ?? new Uint8Array(),
      };
      return compression === 'gzip' ? gzipped(post) : post;
    },
    rejected: (answer) =>
      answer.length === 0 ? 0 : Number(serializer.deserializeResponse(answer).partialSuccess?.rejectedSpans ?? 0),
  };
}

async function gzipped(post: HttpPost): Promise<HttpPost> {
  // Loaded when the first spans are sent, not during INIT, and only where it was asked for.
  const { gzip } = await import('node:zlib');
  const body = await promisify(gzip)(post.body);
  return { ...post, headers: { ...post.headers, 'content-encoding': 'gzip' }, body };
}
