import { promisify } from 'node:util';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Backend } from '../src/export/batch-queue.ts';
import type { HttpPost } from '../src/export/http-client.ts';
import { StoredSecret } from '../src/export/stored-secret.ts';
import { keyHeader, type OtelSettings } from './otel-settings.ts';

/** OpenTelemetry's own exporters send as many spans at a time. */
const recordsPerPost = 512;

/** OTLP over HTTP, to Honeycomb or any other collector. */
export function otlpBackend(url: string, config: OtelSettings, warn: (message: string) => void = () => {}): Backend {
  const { protocol, compression, timeoutMilliseconds, keyParameter } = config;
  const key = new StoredSecret({
    tool: 'Honeycomb',
    variable: () => undefined,
    parameter: () => keyParameter,
    warn,
  });
  const protobuf = protocol === 'http/protobuf';
  const serializer = protobuf ? ProtobufTraceSerializer : JsonTraceSerializer;
  return {
    name: 'OTLP',
    unit: 'spans',
    url,
    recordsPerPost,
    limitMilliseconds: timeoutMilliseconds,
    build: async (payloads) => {
      const value = keyParameter ? await key.value() : undefined;
      if (keyParameter && value === undefined) return undefined;
      const post = {
        headers: {
          ...(value === undefined ? config.headers : withKey(config.headers, value)),
          'content-type': protobuf ? 'application/x-protobuf' : 'application/json',
        },
        body: serializer.serializeRequest((payloads as ReadableSpan[][]).flat()) ?? new Uint8Array(),
      };
      return compression === 'gzip' ? gzipped(post) : post;
    },
    renewKey: () => key.renew(),
    rejected: (answer) =>
      answer.length === 0 ? 0 : Number(serializer.deserializeResponse(answer).partialSuccess?.rejectedSpans ?? 0),
  };
}

function withKey(headers: Record<string, string>, key: string): Record<string, string> {
  const others = Object.entries(headers).filter(([name]) => name.toLowerCase() !== keyHeader);
  return { ...Object.fromEntries(others), [keyHeader]: key };
}

async function gzipped(post: HttpPost): Promise<HttpPost> {
  // Loaded when the first spans are sent, not during INIT, and only where it was asked for.
  const { gzip } = await import('node:zlib');
  const body = await promisify(gzip)(post.body);
  return { ...post, headers: { ...post.headers, 'content-encoding': 'gzip' }, body };
}
