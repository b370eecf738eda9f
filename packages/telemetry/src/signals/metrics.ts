import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { config } from '../config.ts';
import { currentRequest, type RequestState, requestAround } from '../context/request-context.ts';
import { quietly } from '../quietly.ts';

/**
 * The methods of Powertools' Metrics that are joined to the request, by name: a version without one
 * is left alone.
 */
interface Joined {
  addMetric(this: Metrics, ...details: unknown[]): unknown;
  serializeMetrics(this: Metrics): Record<string, unknown>;
}

/**
 * Joins every `Metrics` of the process to its request: its records carry the trace id, and none is
 * left unpublished.
 */
function joinMetrics(prototype: Joined): void {
  const { addMetric, serializeMetrics } = prototype;
  prototype.addMetric = function joinedAddMetric(...details) {
    if (this !== metrics) currentRequest()?.metrics.add(this);
    return addMetric.apply(this, details);
  };
  prototype.serializeMetrics = function joinedSerializeMetrics() {
    const record = serializeMetrics.call(this);
    return this === metrics ? record : { ...quietly(() => idsOf(requestAround())), ...record };
  };
}

function idsOf(request: RequestState | undefined): Record<string, string> {
  if (!request) return {};
  const ids: Record<string, string> = { trace_id: request.traceId, xray_trace_id: request.xrayId() };
  if (request.requestId) ids.function_request_id = request.requestId;
  return ids;
}

joinMetrics(Metrics.prototype as unknown as Joined);

const metrics = new Metrics({ namespace: config.metricsNamespace(), serviceName: config.serviceName() });

/** Names that have another meaning in a record. */
const taken = new Set([
  ...['Requests', 'Errors', 'Faults', 'Latency', 'ColdStarts', 'service', 'route'],
  ...['trace_id', 'xray_trace_id', 'function_request_id'],
]);

/**
 * Counts a business event, such as `ActivityCreated`. It is written with the request's own metrics
 * at its end, with the dimensions `service` and `route` alone: CloudWatch bills every combination
 * of dimension values as a metric of its own.
 */
export function count(name: string, value = 1): void {
  // JavaScript passes anything for a name, even an object whose toString throws.
  if (typeof name !== 'string' || !/^[A-Za-z][A-Za-z0-9_]{0,99}$/.test(name) || taken.has(name)) return;
  if (!Number.isFinite(value)) return;
  // Powertools keeps metrics in a plain object, which inherits these.
  if (name in Object.prototype) return;
  const counts = currentRequest()?.counts;
  // A record holds 100 metrics at most, and some are the request's own.
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

/**
 * Writes one EMF record: requests, errors, faults, latency, cold starts, and what `count` counted.
 */
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
  for (const [name, value] of Object.entries(idsOf(request))) metrics.addMetadata(name, value);
  metrics.publishStoredMetrics();
}

/** Publishes what the handler has added to its own metrics and left, as on an early return. */
export function publishOwnMetrics(request: RequestState): void {
  for (const own of request.metrics) if (own.hasStoredMetrics()) own.publishStoredMetrics();
}

/** Writes the losses of an environment that ends, outside any request. */
export function writeLosses(lost: ReadonlyMap<string, number>): void {
  clear();
  addLosses(lost);
  metrics.publishStoredMetrics();
}

/** Drops what an earlier record left behind when it could not be written. */
function clear(): void {
  metrics.clearMetrics();
  metrics.clearDimensions();
  metrics.clearMetadata();
}

/** CloudWatch accepts 1 to 1,024 printable ASCII characters, not white space alone. */
function dimensionValue(value: string): string {
  return (
    value
      .slice(0, 1_024)
      .replace(/[^\x20-\x7e]/g, '_')
      .trim() || 'none'
  );
}

/** JSON has no infinity, and CloudWatch accepts values up to 2^360. */
function clamp(value: number): number {
  return Math.min(Math.max(value, -(2 ** 360)), 2 ** 360);
}

function addLosses(lost: ReadonlyMap<string, number>): void {
  for (const [what, value] of lost) metrics.addMetric(`TelemetryLost_${what}`, MetricUnit.Count, value);
}
