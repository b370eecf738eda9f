import { DuckDBListValue, type DuckDBValue } from '@duckdb/node-api';
import type { SpanRecord } from './records.ts';
import type { SpanDetail } from './rows.ts';
import type { TraceError, TraceLog, TraceMetric } from './trace.ts';

export type SqlRow = Record<string, DuckDBValue>;

export const LOG_COLUMNS = 'time, level, message, span_id, request_id, log_group, attributes';

export function logOfRow(row: SqlRow): TraceLog {
  return {
    time: Number(row['time']),
    ...(row['level'] !== null && { level: String(row['level']) }),
    message: String(row['message']),
    ...(row['span_id'] !== null && { spanId: String(row['span_id']) }),
    ...(row['request_id'] !== null && { requestId: String(row['request_id']) }),
    logGroup: String(row['log_group']),
    ...(row['attributes'] !== null && { attributes: JSON.parse(String(row['attributes'])) }),
  };
}

export const METRIC_COLUMNS = 'time, namespace, name, unit, dimensions, metric_values';

/** Of the table of metrics, with the request that a line in EMF may name. */
export const METRICS_WITH_REQUEST = `(SELECT *, CASE source WHEN 'emf' THEN detail ->> '$.requestId' END AS request_id FROM metrics)`;

export function metricOfRow(row: SqlRow): TraceMetric {
  return {
    time: Number(row['time']),
    namespace: String(row['namespace']),
    name: String(row['name']),
    unit: String(row['unit']),
    dimensions: JSON.parse(String(row['dimensions'])),
    values: row['metric_values'] instanceof DuckDBListValue ? row['metric_values'].items.map(Number) : [],
  };
}

export const ERROR_COLUMNS = 'time, uuid, level, title, fingerprint';

export function errorOfRow(row: SqlRow): TraceError {
  return {
    time: Number(row['time']),
    uuid: String(row['uuid']),
    level: String(row['level']),
    title: String(row['title']),
    fingerprint: String(row['fingerprint']),
  };
}

export function spanOfRow(row: SqlRow): SpanRecord {
  const none: SpanDetail = { attributes: {}, resource: {}, events: [], links: [] };
  const detail = JSON.parse(String(row['detail'])) as SpanDetail;
  return {
    ...none,
    ...detail,
    // Nothing that builds a trace reads their times or attributes; their BigInts stay the text that they were written as.
    source: row['source'] as SpanRecord['source'],
    traceId: String(row['trace_id']),
    spanId: String(row['span_id']),
    ...(row['parent_id'] !== null && { parentId: String(row['parent_id']) }),
    name: String(row['name']),
    kind: row['kind'] as SpanRecord['kind'],
    startNanoseconds: row['start_nanoseconds'] as bigint,
    endNanoseconds: row['end_nanoseconds'] as bigint,
    status: row['status'] as SpanRecord['status'],
    ...(row['status_message'] !== null && { statusMessage: String(row['status_message']) }),
    serviceName: String(row['service_name']),
    sampleRate: Number(row['sample_rate']),
  };
}
