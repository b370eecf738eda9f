import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { config } from '../config.ts';
import { currentRequest, type RequestState } from './request.ts';

const metrics = new Metrics({ namespace: config.metricsNamespace(), serviceName: config.serviceName() });

/** Members of a record that are something else. */
const taken = new Set([
  ...['Requests', 'Errors', 'Faults', 'Latency', 'ColdStarts', 'service', 'route'],
  ...['trace_id', 'xray_trace_id', 'function_request_id'],
]);

/**
 * Counts something that the business cares about, such as `ActivityCreated`. It is written with the request's own metrics at its end, and
 * has the dimensions `service` and `route` alone: CloudWatch bills every combination of dimension values as a metric of its own.
 */
export function count(name: string, value = 1): void {
  // JavaScript passes anything for a name, also what throws when it is made a text.
  if (typeof name !== 'string' || !/^[A-Za-z][A-Za-z0-9_]{0,99}$/.test(name) || taken.has(name)) return;
  if (!Number.isFinite(value)) return;
  // Powertools keeps metrics in a plain object, in which these are found before they are put.
  if (name in Object.prototype) return;
  const counts = currentRequest()?.counts;
  // 100 metrics is the most that one record may hold, and six of them are the request's own.
  if (counts && (counts.has(name) || counts.size < 90)) counts.set(name, clamp((counts.get(name) ?? 0) + value));
}

export interface RequestMetrics {
  route: string;
  status: number;
  /** Milliseconds. */
  duration: number;
  /** Losses of telemetry since the last record, by what was lost: `spans`, `items`. */
  lost: ReadonlyMap<string, number>;
}

/** Writes one EMF record: requests, errors, faults, latency, cold starts, and what `count` counted. */
export function writeRequestMetrics(request: RequestState, { route, status, duration, lost }: RequestMetrics): void {
  clear();
  metrics.addDimension('route', dimensionValue(route));
  metrics.addMetric('Requests', MetricUnit.Count, 1);
  metrics.addMetric('Errors', MetricUnit.Count, status >= 400 && status < 500 ? 1 : 0);
  metrics.addMetric('Faults', MetricUnit.Count, status >= 500 ? 1 : 0);
  metrics.addMetric('Latency', MetricUnit.Milliseconds, duration);
  metrics.addMetric('ColdStarts', MetricUnit.Count, request.coldStart ? 1 : 0);
  for (const [name, value] of request.counts) metrics.addMetric(name, MetricUnit.Count, value);
  addLosses(lost);
  metrics.addMetadata('trace_id', request.traceId);
  metrics.addMetadata('xray_trace_id', request.xrayId());
  if (request.requestId) metrics.addMetadata('function_request_id', request.requestId);
  metrics.publishStoredMetrics();
}

/** Writes the losses of an environment that ends, outside any request. */
export function writeLosses(lost: ReadonlyMap<string, number>): void {
  clear();
  addLosses(lost);
  metrics.publishStoredMetrics();
}

/** What an earlier record may have left behind when it could not be written. */
function clear(): void {
  metrics.clearMetrics();
  metrics.clearDimensions();
  metrics.clearMetadata();
}

/** CloudWatch takes 1 to 1,024 characters of ASCII that are no control characters, and not white space alone. */
function dimensionValue(value: string): string {
  return (
    value
      .slice(0, 1_024)
      .replace(/[^\x20-\x7e]/g, '_')
      .trim() || 'none'
  );
}

/** JSON has no infinity, and CloudWatch takes values up to 2^360. */
function clamp(value: number): number {
  return Math.min(Math.max(value, -(2 ** 360)), 2 ** 360);
}

function addLosses(lost: ReadonlyMap<string, number>): void {
  for (const [what, value] of lost) metrics.addMetric(`TelemetryLost_${what}`, MetricUnit.Count, value);
}
