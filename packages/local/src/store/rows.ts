import { DuckDBListValue, type DuckDBValue, listValue } from '@duckdb/node-api';
import type { ErrorRecord, LogRecord, MetricRecord, SegmentDocument, SpanRecord } from '../trace/records.ts';
import { statisticsOf } from '../trace/statistics.ts';
import type { TraceError, TraceLog, TraceMetric } from '../trace/trace.ts';
import { normalTraceId } from '../trace/trace-id.ts';
import { jsonText } from './attribute-columns.ts';

/**
 * The values of a row in the order of the table's columns (schema.ts), but for the leading
 * `sequence`.
 */
export type Row = DuckDBValue[];

const traceIdOrNull = (id: string | undefined): string | null => (id && normalTraceId(id)) || null;

/**
 * @throws TypeError when the document carries no valid trace id, RangeError when it is nested too
 * deep to be written.
 */
export function segmentRow(document: SegmentDocument): Row {
  const traceId = traceIdOrNull(document.trace_id);
  if (!traceId) throw new TypeError('a segment document without a trace id');
  const text = jsonText(document);
  // Also matches inside a string, which costs one needless look at the trace.
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
    requestIdOf(document),
    troubled,
    text,
  ];
}

/**
 * @returns the request id of a Lambda segment; an AWS call's request id is not the invocation's.
 */
function requestIdOf({ origin, aws }: SegmentDocument): string | null {
  const isLambda = origin === 'AWS::Lambda' || origin === 'AWS::Lambda::Function';
  const id = isLambda ? aws?.request_id : undefined;
  return typeof id === 'string' ? id : null;
}

/** The parts of a span that have no column. */
export type SpanDetail = Omit<
  SpanRecord,
  | 'source'
  | 'traceId'
  | 'spanId'
  | 'parentId'
  | 'name'
  | 'kind'
  | 'startNanoseconds'
  | 'endNanoseconds'
  | 'status'
  | 'statusMessage'
  | 'serviceName'
  | 'sampleRate'
>;

/** @throws TypeError when the span carries no valid trace id. */
export function spanRow(span: SpanRecord): Row {
  const { source, spanId, parentId, name, kind, startNanoseconds, endNanoseconds, ...others } = span;
  const { traceId: sent, status, statusMessage, serviceName, sampleRate, ...detail } = others;
  const traceId = traceIdOrNull(sent);
  if (!traceId) throw new TypeError('a span without a trace id');
  return [
    source,
    traceId,
    spanId,
    parentId ?? null,
    name,
    kind,
    BigInt.asIntN(64, startNanoseconds),
    BigInt.asIntN(64, endNanoseconds),
    Number(endNanoseconds - startNanoseconds) / 1e6,
    status,
    statusMessage ?? null,
    serviceName,
    sampleRate,
    jsonText(detail satisfies SpanDetail),
  ];
}

/** The fields of a record without a column of their own, as JSON; null if there are none. */
function rest(detail: object): string | null {
  return Object.keys(detail).length > 0 ? jsonText(detail) : null;
}

export function logRow(log: LogRecord): Row {
  const { source, timeMilliseconds, logGroup, logStream, message, traceId, ...others } = log;
  const { spanId, requestId, level, functionName, attributes, ...detail } = others;
  return [
    source,
    timeMilliseconds,
    logGroup,
    logStream,
    message,
    traceIdOrNull(traceId),
    spanId ?? null,
    requestId ?? null,
    level ?? null,
    functionName ?? null,
    attributes ? jsonText(attributes) : null,
    rest(detail),
  ];
}

export function metricRow(metric: MetricRecord): Row {
  const { source, timeMilliseconds, namespace, name, unit, dimensions, values, traceId, requestId, ...detail } = metric;
  return [
    source,
    timeMilliseconds,
    namespace,
    name,
    unit,
    jsonText(dimensions),
    listValue(values),
    traceIdOrNull(traceId),
    requestId ?? null,
    rest(detail),
  ];
}

export function errorRow(error: ErrorRecord): Row {
  const { timeMilliseconds, uuid, level, title, fingerprint, environment, ...others } = error;
  const { codeVersion, context, personId, traceId, requestId, item, ...detail } = others;
  return [
    timeMilliseconds,
    uuid,
    level,
    title,
    fingerprint,
    environment ?? null,
    codeVersion ?? null,
    context ?? null,
    personId ?? null,
    traceIdOrNull(traceId),
    requestId ?? null,
    jsonText(item),
    rest(detail),
  ];
}

export type SqlRow = Record<string, DuckDBValue>;

export const logColumns = 'time, level, message, span_id, request_id, log_group, attributes, detail';

export function logOfRow(row: SqlRow): TraceLog {
  return {
    ...detailOf(row),
    time: Number(row.time),
    ...(row.level !== null && { level: String(row.level) }),
    message: String(row.message),
    ...(row.span_id !== null && { spanId: String(row.span_id) }),
    ...(row.request_id !== null && { requestId: String(row.request_id) }),
    logGroup: String(row.log_group),
    ...(row.attributes !== null && { attributes: JSON.parse(String(row.attributes)) }),
  };
}

/** @returns what a record has beyond its columns. */
function detailOf(row: SqlRow): object {
  return row.detail === null ? {} : (JSON.parse(String(row.detail)) as object);
}

export const metricColumns = 'time, namespace, name, unit, dimensions, metric_values, detail';

export function metricOfRow(row: SqlRow): TraceMetric {
  const detail: Partial<TraceMetric> = detailOf(row);
  const values = row.metric_values instanceof DuckDBListValue ? row.metric_values.items.map(Number) : [];
  return {
    ...detail,
    time: Number(row.time),
    namespace: String(row.namespace),
    name: String(row.name),
    unit: String(row.unit),
    dimensions: JSON.parse(String(row.dimensions)),
    values,
    statistics: statisticsOf(values, detail.distribution),
  };
}

export const errorColumns = 'time, uuid, level, title, fingerprint';

export function errorOfRow(row: SqlRow): TraceError {
  return {
    time: Number(row.time),
    uuid: String(row.uuid),
    level: String(row.level),
    title: String(row.title),
    fingerprint: String(row.fingerprint),
  };
}

/** Of the table `spans`, without its attributes' columns. */
export const spanColumns =
  'source, span_id, parent_id, name, kind, start_nanoseconds, end_nanoseconds, status, status_message, service_name, sample_rate, detail';

export function spanOfRow(row: SqlRow): SpanRecord {
  const none: SpanDetail = { attributes: {}, resource: {}, events: [], links: [] };
  const detail = JSON.parse(String(row.detail)) as SpanDetail;
  return {
    ...none,
    ...detail,
    // Nothing that builds a trace reads their times or attributes; their BigInts stay the text that
    // they were written as.
    source: row.source as SpanRecord['source'],
    traceId: String(row.trace_id),
    spanId: String(row.span_id),
    ...(row.parent_id !== null && { parentId: String(row.parent_id) }),
    name: String(row.name),
    kind: row.kind as SpanRecord['kind'],
    startNanoseconds: row.start_nanoseconds as bigint,
    endNanoseconds: row.end_nanoseconds as bigint,
    status: row.status as SpanRecord['status'],
    ...(row.status_message !== null && { statusMessage: String(row.status_message) }),
    serviceName: String(row.service_name),
    sampleRate: Number(row.sample_rate),
  };
}
