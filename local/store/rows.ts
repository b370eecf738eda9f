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

/** What a record has beyond the columns of its table, as JSON; null when it has nothing. */
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
  const { source, timeMilliseconds, namespace, name, unit, dimensions, values, traceId, ...detail } = metric;
  return [
    source,
    timeMilliseconds,
    namespace,
    name,
    unit,
    jsonText(dimensions),
    listValue(values),
    traceIdOrNull(traceId),
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
