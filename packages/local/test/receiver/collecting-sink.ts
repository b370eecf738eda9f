import { type Receivers, type ReceiversOptions, startReceivers } from '../../src/receiver/server.ts';
import { knownReceivers } from '../../src/services/index.ts';
import type {
  ErrorRecord,
  LogRecord,
  MetricRecord,
  SegmentDocument,
  SpanRecord,
  TelemetrySink,
} from '../../src/trace/records.ts';

/** A sink that keeps what it is given. */
export interface CollectingSink extends TelemetrySink {
  segments: SegmentDocument[];
  spans: SpanRecord[];
  logs: LogRecord[];
  metrics: MetricRecord[];
  errors: ErrorRecord[];
  rejections: { intake: string; reason: string; detail: string }[];
}

export function collectingSink(): CollectingSink {
  const sink: CollectingSink = {
    segments: [],
    spans: [],
    logs: [],
    metrics: [],
    errors: [],
    rejections: [],
    segment: (document) => void sink.segments.push(document),
    span: (record) => void sink.spans.push(record),
    log: (record) => void sink.logs.push(record),
    metric: (record) => void sink.metrics.push(record),
    error: (record) => void sink.errors.push(record),
    rejected: (intake, reason, detail) => void sink.rejections.push({ intake, reason, detail }),
  };
  return sink;
}

export interface RunningReceivers {
  sink: CollectingSink;
  receivers: Receivers;
  url: string;
  post(path: string, body: string | Uint8Array, headers?: Record<string, string>): Promise<Response>;
}

/** Starts the receivers on a free port. */
export async function runReceivers(options: Omit<Partial<ReceiversOptions>, 'sink'> = {}): Promise<RunningReceivers> {
  const sink = collectingSink();
  const receivers = await startReceivers({ port: 0, receivers: knownReceivers, ...options, sink });
  const url = `http://127.0.0.1:${receivers.port}`;
  return {
    sink,
    receivers,
    url,
    post: (path, body, headers = {}) =>
      fetch(url + path, {
        method: 'POST',
        body: typeof body === 'string' ? body : new Uint8Array(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
  };
}
