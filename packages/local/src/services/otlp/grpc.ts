import { type Metadata, Server, ServerCredentials, type ServiceDefinition, status } from '@grpc/grpc-js';
import { HttpError } from '../../http/http-error.ts';
import { foreignReason } from '../../http/loopback.ts';
import { PortInUse } from '../../local-failure.ts';
import { defaultLimits, type Receiver, type ReceiverLimits } from '../../receiver/receiver.ts';
import type { TelemetrySink } from '../../trace/records.ts';
import { otlpReceiver } from './index.ts';

export interface OtlpGrpcOptions {
  /** OTLP/gRPC's own port is 4317; 0 for any free port. */
  port: number;
  sink: TelemetrySink;
  /** Over the defaults. */
  limits?: Partial<ReceiverLimits>;
  /** Host names to answer to besides this machine's own. */
  hosts?: readonly string[];
}

export interface OtlpGrpc {
  port: number;
  /** Cuts calls off. Resolves when the port is free. */
  stop(): Promise<void>;
}

/** Each service has one method, `Export`; by the path of the same signal over HTTP. */
const services: Record<string, string> = {
  '/v1/traces': 'opentelemetry.proto.collector.trace.v1.TraceService',
  '/v1/metrics': 'opentelemetry.proto.collector.metrics.v1.MetricsService',
  '/v1/logs': 'opentelemetry.proto.collector.logs.v1.LogsService',
};

const codes: Record<number, status> = { 400: status.INVALID_ARGUMENT, 413: status.RESOURCE_EXHAUSTED };

/** The message stays bytes here: the receiver decodes it within its limits. */
function definition(service: string): ServiceDefinition<{ Export: (request: Buffer) => Buffer }> {
  const same = (bytes: Buffer) => bytes;
  return {
    Export: {
      path: `/${service}/Export`,
      requestStream: false,
      responseStream: false,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  };
}

interface Call {
  request: Buffer;
  metadata: Metadata;
  getHost?(): string;
}

type Callback = (error: { code: status; details: string } | null, answer?: Buffer) => void;

/**
 * Starts OTLP over gRPC on 127.0.0.1, as the OpenTelemetry Protocol Specification has it
 * ("OTLP/gRPC"). It takes what OTLP over HTTP takes, with the same limits and partial successes.
 * @throws {PortInUse} when the port is busy.
 */
export async function startOtlpGrpc({ port, sink, hosts = [], ...options }: OtlpGrpcOptions): Promise<OtlpGrpc> {
  const limits = { ...defaultLimits, ...options.limits };
  const receiver = otlpReceiver(sink, limits);
  const server = new Server({ 'grpc.max_receive_message_length': limits.bodyBytes });
  for (const [path, service] of Object.entries(services)) {
    server.addService(definition(service), {
      Export: (call: Call, callback: Callback) => {
        const foreign = foreignReason({ headers: { host: call.getHost?.() } }, { hosts });
        if (foreign !== undefined) return callback({ code: status.PERMISSION_DENIED, details: foreign });
        answer(receiver, path, call.request, sink).then(
          (bytes) => callback(null, bytes),
          (error: HttpError) => callback({ code: codes[error.status] ?? status.INTERNAL, details: error.message }),
        );
      },
    });
  }
  return {
    port: await bind(server, port),
    async stop() {
      server.forceShutdown();
    },
  };
}

/** @throws {HttpError} when the request as a whole is refused; it is counted then. */
async function answer(receiver: Receiver, path: string, bytes: Buffer, sink: TelemetrySink): Promise<Buffer> {
  const headers = { 'content-type': 'application/x-protobuf' };
  try {
    const { body = '' } = await receiver.answer({ method: 'POST', path, query: '', headers, body: async () => bytes });
    return Buffer.from(body);
  } catch (error) {
    const refusal =
      error instanceof HttpError ? error : new HttpError(500, 'The receiver failed; the request was not taken.');
    sink.rejected(receiver.name, `gRPC request refused with ${refusal.status}`, String(error));
    throw refusal;
  }
}

function bind(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(/EADDRINUSE/.test(error.message) ? new PortInUse('grpc', port) : error);
      else resolve(bound);
    });
  });
}
