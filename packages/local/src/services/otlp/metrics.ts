import { setOwn, toJsonText } from '../../receiver/json.ts';
import type { AttributeValue, MetricDistribution, MetricRecord } from '../../trace/records.ts';
import { attributes, identifier, latestNanoseconds, milliseconds } from './attributes.ts';
import { type BatchContext, scopeOf } from './context.ts';
import type { SignalShape } from './decode.ts';
import { ExportMetricsServiceRequestSchema } from './generated/opentelemetry/proto/collector/metrics/v1/metrics_service_pb.js';
import {
  AggregationTemporality,
  DataPointFlags,
  type Exemplar,
  type ExponentialHistogramDataPoint,
  type ExponentialHistogramDataPoint_Buckets,
  type HistogramDataPoint,
  type Metric,
  MetricSchema,
  type NumberDataPoint,
  type SummaryDataPoint,
} from './generated/opentelemetry/proto/metrics/v1/metrics_pb.js';

export const metrics: SignalShape<typeof ExportMetricsServiceRequestSchema, typeof MetricSchema> = {
  request: ExportMetricsServiceRequestSchema,
  item: MetricSchema,
  keys: ['resourceMetrics', 'scopeMetrics', 'metrics'],
  batches: (request) =>
    request.resourceMetrics.flatMap((inResource, i) =>
      inResource.scopeMetrics.map((inScope, j) => ({
        resource: inResource.resource,
        resourceSchemaUrl: inResource.schemaUrl,
        scope: inScope.scope,
        schemaUrl: inScope.schemaUrl,
        items: inScope.metrics,
        place: `resourceMetrics[${i}].scopeMetrics[${j}].metrics`,
      })),
    ),
};

type DataPoint = NumberDataPoint | HistogramDataPoint | ExponentialHistogramDataPoint | SummaryDataPoint;

/**
 * @returns the data points of a metric, of whatever kind it is; it is these that OTLP counts and
 * rejects.
 */
export function dataPoints(metric: Metric): DataPoint[] {
  return metric.data.value?.dataPoints ?? [];
}

const types: Record<NonNullable<Metric['data']['case']>, NonNullable<MetricRecord['type']>> = {
  gauge: 'gauge',
  sum: 'sum',
  histogram: 'histogram',
  exponentialHistogram: 'exponential histogram',
  summary: 'summary',
};

/** @returns what all the points of a metric share. */
export function metricTemplate(metric: Metric, shared: BatchContext): MetricRecord {
  const serviceNamespace = shared.resource['service.namespace'];
  const template: MetricRecord = {
    source: 'otlp',
    timeMilliseconds: 0,
    // As the collector's CloudWatch exporter names it.
    namespace: serviceNamespace ? `${String(serviceNamespace)}/${shared.serviceName}` : shared.serviceName,
    name: metric.name,
    unit: metric.unit,
    dimensions: {},
    values: [],
    serviceName: shared.serviceName,
    resource: shared.resource,
    ...scopeOf(shared),
  };
  if (metric.description) template.description = metric.description;
  if (metric.metadata.length) template.metadata = attributes(metric.metadata, shared.maximumAttributes);
  const { data } = metric;
  if (data.case) template.type = types[data.case];
  if (data.case === 'sum') template.monotonic = data.value.isMonotonic;
  if (data.case === 'sum' || data.case === 'histogram' || data.case === 'exponentialHistogram') {
    const { aggregationTemporality } = data.value;
    if (aggregationTemporality === AggregationTemporality.DELTA) template.temporality = 'delta';
    if (aggregationTemporality === AggregationTemporality.CUMULATIVE) template.temporality = 'cumulative';
  }
  return template;
}

/**
 * @returns the data point as it is kept, or the reason why it cannot be: a short fixed sentence.
 */
export function metricRecord(point: DataPoint, template: MetricRecord, shared: BatchContext): MetricRecord | string {
  if (point.timeUnixNano === 0n) return 'time is missing';
  if (point.timeUnixNano > latestNanoseconds) return 'time is negative or no number';
  if (point.startTimeUnixNano > latestNanoseconds) return 'start time is negative or no number';
  if (point.startTimeUnixNano > point.timeUnixNano) return 'data point ends before it starts';
  const record: MetricRecord = {
    ...template,
    timeMilliseconds: milliseconds(point.timeUnixNano),
    dimensions: dimensions(attributes(point.attributes, shared.maximumAttributes)),
    values: [],
  };
  if (point.startTimeUnixNano) record.startMilliseconds = milliseconds(point.startTimeUnixNano);
  if (point.flags) record.flags = point.flags;
  if ('exemplars' in point && point.exemplars.length) addExemplars(record, point.exemplars, shared.maximumAttributes);
  if (point.flags & DataPointFlags.NO_RECORDED_VALUE_MASK) return record;
  if ('bucketCounts' in point) record.distribution = histogram(point);
  else if ('zeroCount' in point) record.distribution = exponentialHistogram(point);
  else if ('quantileValues' in point) record.distribution = summary(point);
  else {
    const value = numberOf(point.value);
    if (value === undefined) return 'value is missing';
    if (!Number.isFinite(value)) return 'value is not a finite number';
    record.values.push(value);
  }
  return record;
}

/** CloudWatch's dimensions are text. */
function dimensions(from: Record<string, AttributeValue>): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [key, value] of Object.entries(from)) {
    setOwn(texts, key, typeof value === 'object' ? toJsonText(value) : String(value));
  }
  return texts;
}

function numberOf(value: NumberDataPoint['value'] | Exemplar['value']): number | undefined {
  return value.case === undefined ? undefined : Number(value.value);
}

function histogram(point: HistogramDataPoint): MetricDistribution {
  return {
    ...extremes(point),
    bounds: point.explicitBounds,
    counts: point.bucketCounts.map(Number),
  };
}

function exponentialHistogram(point: ExponentialHistogramDataPoint): MetricDistribution {
  const distribution: MetricDistribution = {
    ...extremes(point),
    scale: point.scale,
    zeroCount: Number(point.zeroCount),
    zeroThreshold: point.zeroThreshold,
  };
  if (point.positive) distribution.positive = buckets(point.positive);
  if (point.negative) distribution.negative = buckets(point.negative);
  return distribution;
}

function summary(point: SummaryDataPoint): MetricDistribution {
  return {
    count: Number(point.count),
    sum: point.sum,
    quantiles: point.quantileValues.map(({ quantile, value }) => ({ quantile, value })),
  };
}

function extremes(point: HistogramDataPoint | ExponentialHistogramDataPoint): MetricDistribution {
  const distribution: MetricDistribution = { count: Number(point.count) };
  if (point.sum !== undefined) distribution.sum = point.sum;
  if (point.min !== undefined) distribution.min = point.min;
  if (point.max !== undefined) distribution.max = point.max;
  return distribution;
}

function buckets(from: ExponentialHistogramDataPoint_Buckets): { offset: number; counts: number[] } {
  return { offset: from.offset, counts: from.bucketCounts.map(Number) };
}

function addExemplars(record: MetricRecord, exemplars: Exemplar[], maximum: number): void {
  record.exemplars = [];
  for (const exemplar of exemplars) {
    const value = numberOf(exemplar.value);
    if (value === undefined || exemplar.timeUnixNano > latestNanoseconds) continue;
    const kept: NonNullable<MetricRecord['exemplars']>[number] = {
      timeMilliseconds: milliseconds(exemplar.timeUnixNano),
      value,
      attributes: attributes(exemplar.filteredAttributes, maximum),
    };
    const traceId = identifier(exemplar.traceId, 16);
    const spanId = identifier(exemplar.spanId, 8);
    if (traceId) kept.traceId = traceId;
    if (traceId && spanId) kept.spanId = spanId;
    record.exemplars.push(kept);
  }
  // A point that was measured in one trace alone belongs to that trace.
  const traceIds = new Set(record.exemplars.map((exemplar) => exemplar.traceId));
  const [only] = traceIds;
  if (traceIds.size === 1 && only) record.traceId = only;
}
