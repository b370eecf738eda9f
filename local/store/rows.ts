import { type DuckDBValue, listValue } from '@duckdb/node-api';
import { jsonText } from './attribute-columns.ts';
import type { ErrorRecord, LogRecord, MetricRecord, SegmentDocument, SpanRecord } from './records.ts';
import { normalTraceId } from './trace-id.ts';

/** The values of a row in the order of the table's columns (schema.ts), but for the leading `sequence`. */
export type Row = DuckDBValue[];

const traceIdOrNull = (id: string | undefined): string | null => (id && normalTraceId(id)) || null;

/** @throws TypeError when the document carries no valid trace id, RangeError when it is nested too deep to be written. */
export function segmentRow(document: SegmentDocument): Row {
  const traceId = traceIdOrNull(document.trace_id);
  if (!traceId) throw new TypeError('a segment document without a trace id');
  const text = JSON.stringify(document);
  // A flag that is set can only be written like this, or as part of a string, where it costs a look too many and nothing else.
  const troubled = /"(?:error|fault|throttle)":true/.test(text);
  const ended = typeof document.end_time === 'number' && document.in_progress !== true;
  return [
    traceId,
    document.id,
    document.parent_id ?? null,
    document.name,
    document.origin ?? null,
    document.start_time * 1000,
    ended ? (document.end_time as number) * 1000 : null,
    Date.now(),
    troubled,
    text,
  ];
}

/** What is kept of a span beside its columns. */
export type SpanDetail = Pick<
  SpanRecord,
  'attributes' | 'resource' | 'events' | 'links' | 'scopeName' | 'scopeVersion' | 'traceState'
>;

/** @throws TypeError when the span carries no valid trace id. */
export function spanRow(span: SpanRecord): Row {
  const traceId = traceIdOrNull(span.traceId);
  if (!traceId) throw new TypeError('a span without a trace id');
  const { attributes, resource, events, links, scopeName, scopeVersion, traceState } = span;
  const detail: SpanDetail = { attributes, resource, events, links };
  if (scopeName !== undefined) detail.scopeName = scopeName;
  if (scopeVersion !== undefined) detail.scopeVersion = scopeVersion;
  if (traceState !== undefined) detail.traceState = traceState;
  return [
    span.source,
    traceId,
    span.spanId,
    span.parentId ?? null,
    span.name,
    span.kind,
    BigInt.asIntN(64, span.startNanoseconds),
    BigInt.asIntN(64, span.endNanoseconds),
    Number(span.endNanoseconds - span.startNanoseconds) / 1e6,
    span.status,
    span.statusMessage ?? null,
    span.serviceName,
    span.sampleRate,
    jsonText(detail),
  ];
}

export function logRow(log: LogRecord): Row {
  return [
    log.source,
    log.timeMilliseconds,
    log.logGroup,
    log.logStream,
    log.message,
    traceIdOrNull(log.traceId),
    log.spanId ?? null,
    log.requestId ?? null,
    log.level ?? null,
    log.functionName ?? null,
    log.attributes ? jsonText(log.attributes) : null,
  ];
}

export function metricRow(metric: MetricRecord): Row {
  return [
    metric.source,
    metric.timeMilliseconds,
    metric.namespace,
    metric.name,
    metric.unit,
    jsonText(metric.dimensions),
    listValue(metric.values),
    traceIdOrNull(metric.traceId),
  ];
}

export function errorRow(error: ErrorRecord): Row {
  return [
    error.timeMilliseconds,
    error.uuid,
    error.level,
    error.title,
    error.fingerprint,
    error.environment ?? null,
    error.codeVersion ?? null,
    error.context ?? null,
    error.personId ?? null,
    traceIdOrNull(error.traceId),
    error.requestId ?? null,
    jsonText(error.item),
  ];
}
