/**
 * What Lambda's platform has to say about an environment and its invocations: one event in two
 * forms, a line of text, or the JSON of `AWS_LAMBDA_LOG_FORMAT=JSON` and of the Telemetry API
 * (https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html).
 */
export interface PlatformEvent {
  type: string;
  record: Record<string, unknown>;
  /** Absent: not in the log of text format. */
  text?: string;
  /** Whether the log has it in JSON format at the level INFO; the Telemetry API has it always. */
  inJsonLog: boolean;
  /** It says that something went wrong: the log has it at the level WARN too. */
  failed: boolean;
}

/** How an invocation or an init ended. */
export type Status = 'success' | 'error' | 'failure' | 'timeout';

export interface ReportMetrics {
  durationMs: number;
  memorySizeMB: number;
  maxMemoryUsedMB: number;
  /** Of a cold start; absent otherwise. */
  initDurationMs?: number;
}

/** The `tracing` member of a sampled invocation's event. */
export interface TracingNote {
  /** `1-<8 hex>-<24 hex>`. */
  root: string;
  /** Of the function's segment. */
  segmentId: string;
  /** The trace header that the function was given. */
  header: string;
}

export function initStart(region: string): PlatformEvent {
  const version = `nodejs:${process.versions.node}`;
  const arn = `arn:aws:lambda:${region}::runtime:local`;
  return {
    type: 'platform.initStart',
    record: { initializationType: 'on-demand', phase: 'init', runtimeVersion: version, runtimeVersionArn: arn },
    text: `INIT_START Runtime Version: ${version}\tRuntime Version ARN: ${arn}`,
    inJsonLog: true,
    failed: false,
  };
}

export function initReport(
  phase: 'init' | 'invoke',
  status: Status,
  durationMs: number,
  errorType?: string,
): PlatformEvent {
  const failed = status !== 'success';
  return {
    type: 'platform.initReport',
    record: {
      initializationType: 'on-demand',
      phase,
      status,
      ...(errorType && { errorType }),
      metrics: { durationMs: round(durationMs, 3) },
    },
    text: failed
      ? `INIT_REPORT Init Duration: ${durationMs.toFixed(2)} ms\tPhase: ${phase}\tStatus: ${status}${errorType ? `\tError Type: ${errorType}` : ''}`
      : undefined,
    inJsonLog: failed,
    failed,
  };
}

export function start(requestId: string, tracing?: TracingNote): PlatformEvent {
  return {
    type: 'platform.start',
    record: { requestId, version: '$LATEST', ...(tracing && { tracing: tracingRecord(tracing) }) },
    text: `START RequestId: ${requestId} Version: $LATEST`,
    inJsonLog: true,
    failed: false,
  };
}

export interface RuntimeDone {
  requestId: string;
  status: Status;
  errorType?: string;
  durationMs: number;
  producedBytes: number;
  responseLatencyMs?: number;
  responseDurationMs?: number;
  /** Epoch milliseconds of START. */
  startedAt: number;
}

export function runtimeDone(done: RuntimeDone, tracing?: TracingNote): PlatformEvent {
  const spans =
    done.responseLatencyMs === undefined
      ? []
      : [
          { name: 'responseLatency', start: iso(done.startedAt), durationMs: round(done.responseLatencyMs, 3) },
          {
            name: 'responseDuration',
            start: iso(done.startedAt + done.responseLatencyMs),
            durationMs: round(done.responseDurationMs ?? 0, 3),
          },
        ];
  return {
    type: 'platform.runtimeDone',
    record: {
      requestId: done.requestId,
      status: done.status,
      ...(done.errorType && { errorType: done.errorType }),
      metrics: { durationMs: round(done.durationMs, 3), producedBytes: done.producedBytes },
      spans,
      ...(tracing && { tracing: tracingRecord(tracing) }),
    },
    inJsonLog: done.status !== 'success',
    failed: done.status !== 'success',
  };
}

export function end(requestId: string): PlatformEvent {
  return {
    type: 'platform.end',
    record: { requestId },
    text: `END RequestId: ${requestId}`,
    inJsonLog: false,
    failed: false,
  };
}

/**
 * The line that ties a request's plain log lines to its trace. `billed` counts init too, as Lambda
 * has done since August 2025.
 */
export function report(
  requestId: string,
  status: Status,
  metrics: ReportMetrics,
  errorType?: string,
  tracing?: TracingNote,
): PlatformEvent {
  const billed = Math.ceil(metrics.durationMs + (metrics.initDurationMs ?? 0));
  const fields = [
    `REPORT RequestId: ${requestId}`,
    `Duration: ${metrics.durationMs.toFixed(2)} ms`,
    `Billed Duration: ${billed} ms`,
    `Memory Size: ${metrics.memorySizeMB} MB`,
    `Max Memory Used: ${metrics.maxMemoryUsedMB} MB`,
  ];
  if (metrics.initDurationMs !== undefined) fields.push(`Init Duration: ${metrics.initDurationMs.toFixed(2)} ms`);
  // An error that the function threw is its own business; this is for what ended its process.
  if (status === 'timeout' || status === 'failure') fields.push(`Status: ${status === 'failure' ? 'error' : status}`);
  if (status === 'failure' && errorType) fields.push(`Error Type: ${errorType}`);
  const trace = tracing ? `\nXRAY TraceId: ${tracing.root}\tSegmentId: ${tracing.segmentId}\tSampled: true\t` : '';
  return {
    type: 'platform.report',
    record: {
      requestId,
      status: status === 'failure' ? 'error' : status,
      ...(errorType && { errorType }),
      metrics: {
        durationMs: round(metrics.durationMs, 3),
        billedDurationMs: billed,
        memorySizeMB: metrics.memorySizeMB,
        maxMemoryUsedMB: metrics.maxMemoryUsedMB,
        ...(metrics.initDurationMs !== undefined && { initDurationMs: round(metrics.initDurationMs, 3) }),
      },
      ...(tracing && { tracing: tracingRecord(tracing) }),
    },
    text: `${fields.join('\t')}\t${trace}`,
    inJsonLog: true,
    failed: status !== 'success',
  };
}

/** @returns an event as the Telemetry API and the JSON log have it. */
export function eventDocument(event: PlatformEvent, timeMilliseconds: number): Record<string, unknown> {
  return { time: iso(timeMilliseconds), type: event.type, record: event.record };
}

function tracingRecord(tracing: TracingNote): Record<string, string> {
  return { spanId: tracing.segmentId, type: 'X-Amzn-Trace-Id', value: tracing.header };
}

function iso(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
