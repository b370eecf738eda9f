import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { HttpError } from '../../http/http-error.ts';
import type { Receiver, ReceiverAnswer, ReceiverLimits, ReceiverRequest } from '../../receiver/receiver.ts';
import type { TelemetrySink } from '../../trace/records.ts';
import { accountRejections, encodingOf, exported, type Rejections, refused } from './answer.ts';
import { type BatchContext, batchContext } from './context.ts';
import { type Batch, decodeBinary, decodeJson, pointsOf, type SignalShape } from './decode.ts';
import { ExportLogsServiceResponseSchema } from './generated/opentelemetry/proto/collector/logs/v1/logs_service_pb.js';
import { ExportMetricsServiceResponseSchema } from './generated/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.js';
import { ExportTraceServiceResponseSchema } from './generated/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import { logRecord, logs } from './logs.ts';
import { dataPoints, metricRecord, metrics, metricTemplate } from './metrics.ts';
import { spanRecord, traces } from './spans.ts';

const receiverName = 'otlp';

/**
 * OTLP over HTTP: POST /v1/traces, /v1/metrics and /v1/logs, in protobuf or JSON.
 * Source: the OpenTelemetry Protocol Specification 1.x, "OTLP/HTTP".
 */
export function otlpReceiver(sink: TelemetrySink, limits: ReceiverLimits): Receiver {
  async function receive<Request extends DescMessage, Item extends DescMessage>(
    request: ReceiverRequest,
    shape: SignalShape<Request, Item>,
    take: (item: MessageShape<Item>, shared: BatchContext, place: string, rejections: Rejections) => void,
  ): Promise<Rejections> {
    if (request.method !== 'POST') throw new HttpError(405, `OTLP takes POST, not ${request.method}.`);
    const encoding = encodingOf(request);
    if (!encoding) {
      const type = request.headers['content-type'] ?? 'none';
      throw new HttpError(
        415,
        `Content-Type "${type}" is not supported: use application/x-protobuf or application/json.`,
      );
    }
    const body = await request.body();
    const rejections = accountRejections(sink, receiverName);
    const batches: Batch<MessageShape<Item>>[] =
      encoding === 'protobuf'
        ? decodeBinary(body, shape, limits)
        : decodeJson(body, shape, limits, (reason, place, item) =>
            rejections.add(reason, place, Math.max(1, (item && pointsOf(item)?.list.length) ?? 1)),
          );
    for (const batch of batches) {
      const shared = batchContext(batch, limits.attributes);
      for (const [index, item] of batch.items.entries()) {
        take(item, shared, `${batch.place}[${batch.indexes?.[index] ?? index}]`, rejections);
      }
    }
    return rejections;
  }

  /** Takes at most the records that one request may hold. */
  function bounded(noun: string): (place: string, rejections: Rejections) => boolean {
    let taken = 0;
    return (place, rejections) => {
      if (++taken <= limits.records) return true;
      rejections.add(`more than ${limits.records} ${noun}s in one request`, place);
      return false;
    };
  }

  async function answerTraces(request: ReceiverRequest): Promise<ReceiverAnswer> {
    const mayTake = bounded('span');
    const rejections = await receive(request, traces, (span, shared, place, rejected) => {
      if (!mayTake(place, rejected)) return;
      const record = spanRecord(span, shared);
      if (typeof record === 'string') rejected.add(record, `${place} "${span.name.slice(0, 100)}"`);
      else sink.span(record);
    });
    const partialSuccess = { rejectedSpans: BigInt(rejections.count), errorMessage: rejections.message('span') };
    return exported(request, ExportTraceServiceResponseSchema, rejections.count ? { partialSuccess } : {});
  }

  async function answerLogs(request: ReceiverRequest): Promise<ReceiverAnswer> {
    const mayTake = bounded('log record');
    const rejections = await receive(request, logs, (log, shared, place, rejected) => {
      if (!mayTake(place, rejected)) return;
      const record = logRecord(log, shared);
      if (typeof record === 'string') rejected.add(record, place);
      else sink.log(record);
    });
    const partialSuccess = {
      rejectedLogRecords: BigInt(rejections.count),
      errorMessage: rejections.message('log record'),
    };
    return exported(request, ExportLogsServiceResponseSchema, rejections.count ? { partialSuccess } : {});
  }

  async function answerMetrics(request: ReceiverRequest): Promise<ReceiverAnswer> {
    const mayTake = bounded('data point');
    const rejections = await receive(request, metrics, (metric, shared, place, rejected) => {
      const template = metricTemplate(metric, shared);
      for (const [index, point] of dataPoints(metric).entries()) {
        const pointPlace = `${place} "${metric.name.slice(0, 100)}" point ${index}`;
        if (!mayTake(pointPlace, rejected)) continue;
        const record = metricRecord(point, template, shared);
        if (typeof record === 'string') rejected.add(record, pointPlace);
        else sink.metric(record);
      }
    });
    const partialSuccess = {
      rejectedDataPoints: BigInt(rejections.count),
      errorMessage: rejections.message('data point'),
    };
    return exported(request, ExportMetricsServiceResponseSchema, rejections.count ? { partialSuccess } : {});
  }

  const signals: Record<string, (request: ReceiverRequest) => Promise<ReceiverAnswer>> = {
    '/v1/traces': answerTraces,
    '/v1/logs': answerLogs,
    '/v1/metrics': answerMetrics,
  };

  return {
    name: receiverName,
    handles: (request) => request.path.startsWith('/v1/'),
    answer(request) {
      const signal = Object.hasOwn(signals, request.path) ? signals[request.path] : undefined;
      if (!signal) throw new HttpError(404, `${request.path} is not /v1/traces, /v1/metrics or /v1/logs.`);
      return signal(request);
    },
    refuse: refused,
  };
}
