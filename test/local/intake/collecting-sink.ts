import {
  startTelemetryIntake,
  type TelemetryIntake,
  type TelemetryIntakeOptions,
} from '../../../local/intake/index.ts';
import type {
  ErrorRecord,
  LogRecord,
  MetricRecord,
  SegmentDocument,
  SpanRecord,
  TelemetrySink,
} from '../../../local/store/records.ts';

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

export interface RunningIntake {
  sink: CollectingSink;
  intake: TelemetryIntake;
  url: string;
  post(path: string, body: string | Uint8Array, headers?: Record<string, string>): Promise<Response>;
}

/** Starts the receivers on a free port. */
export async function runIntake(options: Omit<Partial<TelemetryIntakeOptions>, 'sink'> = {}): Promise<RunningIntake> {
  const sink = collectingSink();
  const intake = await startTelemetryIntake({ port: 0, ...options, sink });
  const url = `http://127.0.0.1:${intake.port}`;
  return {
    sink,
    intake,
    url,
    post: (path, body, headers = {}) =>
      fetch(url + path, {
        method: 'POST',
        body: typeof body === 'string' ? body : new Uint8Array(body),
        headers: { 'content-type': 'application/json', ...headers },
      }),
  };
}
