import { Buffer } from 'node:buffer';
import { isObject, type JsonObject, setOwn } from '../../receiver/json.ts';
import type { LogRecord, MetricDistribution, MetricRecord, TelemetrySink } from '../../trace/records.ts';
import { readTraceId } from '../../trace/trace-id.ts';
import { describeLine } from './log-line.ts';

const maximumBytes = 1_048_576;
const maximumMetrics = 100;
const maximumDimensions = 30;
const maximumValues = 100;
const hour = 3_600_000;
/** CloudWatch takes no older and no newer data, so seconds in place of milliseconds are refused. */
const oldest = 14 * 24 * hour;
const newest = 2 * hour;
const bySize = [
  'Bytes',
  'Kilobytes',
  'Megabytes',
  'Gigabytes',
  'Terabytes',
  'Bits',
  'Kilobits',
  'Megabits',
  'Gigabits',
  'Terabits',
];
const units = new Set([
  'Seconds',
  'Microseconds',
  'Milliseconds',
  ...bySize,
  'Percent',
  'Count',
  ...bySize.map((unit) => `${unit}/Second`),
  'Count/Second',
  'None',
]);

/**
 * A line's metrics, and the parts that CloudWatch would refuse: each a short fixed sentence and the
 * case.
 */
export interface EmbeddedMetrics {
  metrics: MetricRecord[];
  problems: { reason: string; detail: string }[];
}

/**
 * @returns the metrics of a line in the embedded metric format; none when it is not, or what is
 * wrong with it. Throws nothing.
 */
export function extractMetrics(message: string): MetricRecord[] {
  return readEmbeddedMetrics(message).metrics;
}

/**
 * Reads a line in the embedded metric format. One metric record for each metric and set of
 * dimensions, as CloudWatch makes them. Source: Amazon CloudWatch User Guide, "Specification:
 * Embedded metric format".
 */
export function readEmbeddedMetrics(message: string, nowMilliseconds: number = Date.now()): EmbeddedMetrics {
  const result: EmbeddedMetrics = { metrics: [], problems: [] };
  // Most lines are no EMF: they must not cost a parse.
  if (!message.includes('"_aws"')) return result;
  const text = message.trim();
  // A line with anything around its JSON is an ordinary line to CloudWatch.
  if (!text.startsWith('{') || !text.endsWith('}')) return result;
  const problem = (reason: string, detail: string): EmbeddedMetrics => {
    result.problems.push({ reason, detail });
    return result;
  };
  if (Buffer.byteLength(text) > maximumBytes)
    return problem('EMF document is larger than 1 MB', `${text.length} characters`);
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return result;
  }
  if (!isObject(root) || root._aws === undefined) return result;
  const { _aws: aws } = root;
  if (!isObject(aws)) return problem('EMF _aws is not an object', typeof aws);
  const time = aws.Timestamp;
  if (typeof time !== 'number' || !Number.isFinite(time) || time < 0)
    return problem('EMF Timestamp is not an epoch time', String(time));
  if (time < nowMilliseconds - oldest || time > nowMilliseconds + newest)
    return problem('EMF Timestamp is not within 14 days back and 2 hours ahead', String(time));
  if (!Array.isArray(aws.CloudWatchMetrics))
    return problem('EMF CloudWatchMetrics is not an array', typeof aws.CloudWatchMetrics);

  const traceId = readTraceId(root.trace_id) ?? readTraceId(root.xray_trace_id);
  for (const [index, directive] of aws.CloudWatchMetrics.entries()) {
    const reject = (reason: string, detail: string) => void problem(reason, `CloudWatchMetrics[${index}]: ${detail}`);
    for (const metric of readDirective(root, directive, reject)) {
      const record: MetricRecord = { source: 'emf', timeMilliseconds: time, ...metric };
      if (traceId) record.traceId = traceId;
      result.metrics.push(record);
    }
  }
  return result;
}

type Reject = (reason: string, detail: string) => void;
type DirectiveMetric = Omit<MetricRecord, 'source' | 'timeMilliseconds'>;

function readDirective(root: JsonObject, directive: unknown, reject: Reject): DirectiveMetric[] {
  if (!isObject(directive)) {
    reject('EMF directive is not an object', typeof directive);
    return [];
  }
  const { Namespace: namespace, Metrics: metrics } = directive;
  if (typeof namespace !== 'string' || namespace === '' || namespace.length > 1024) {
    reject('EMF Namespace is missing or too long', String(namespace).slice(0, 100));
    return [];
  }
  if (!Array.isArray(metrics)) {
    reject('EMF Metrics is not an array', typeof metrics);
    return [];
  }
  if (metrics.length > maximumMetrics) reject('EMF directive has more than 100 metrics', `${metrics.length}`);
  const dimensionSets = readDimensions(root, directive.Dimensions, reject);
  return metrics.slice(0, maximumMetrics).flatMap((definition: unknown) => {
    const metric = readMetric(root, definition, reject);
    return metric ? dimensionSets.map((dimensions) => ({ ...metric, namespace, dimensions })) : [];
  });
}

function readDimensions(root: JsonObject, sets: unknown, reject: Reject): Record<string, string>[] {
  if (sets === undefined) return [{}];
  if (!Array.isArray(sets)) {
    reject('EMF Dimensions is not an array of arrays', typeof sets);
    return [];
  }
  if (sets.length === 0) return [{}];
  const read: Record<string, string>[] = [];
  for (const set of sets) {
    if (!Array.isArray(set)) reject('EMF Dimensions is not an array of arrays', typeof set);
    else if (set.length > maximumDimensions) reject('EMF set has more than 30 dimensions', `${set.length}`);
    else {
      const dimensions: Record<string, string> = {};
      const missing = set.find((name) => !Object.hasOwn(root, String(name)) || !isText(root[String(name)]));
      if (missing !== undefined) {
        reject('EMF dimension has no text at the root', String(missing).slice(0, 100));
        continue;
      }
      // A dimension without a value is left out, and the metric with it is kept.
      for (const name of set) {
        const value = String(root[String(name)]);
        if (value !== '') setOwn(dimensions, String(name), value);
      }
      read.push(dimensions);
    }
  }
  return read;
}

/** Numbers and booleans are taken as their text, as CloudWatch does. */
function isText(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function readMetric(
  root: JsonObject,
  definition: unknown,
  reject: Reject,
): Omit<DirectiveMetric, 'namespace' | 'dimensions'> | undefined {
  const name = isObject(definition) ? definition.Name : undefined;
  if (!isObject(definition) || typeof name !== 'string' || name === '' || name.length > 1024) {
    reject('EMF metric has no name', String(name).slice(0, 100));
    return undefined;
  }
  const { Unit: unit = 'None', StorageResolution: resolution = 60 } = definition;
  if (typeof unit !== 'string' || !units.has(unit)) {
    reject('EMF unit is unknown', `${name}: ${String(unit).slice(0, 100)}`);
    return undefined;
  }
  if (resolution !== 1 && resolution !== 60) {
    reject('EMF StorageResolution is neither 1 nor 60', `${name}: ${String(resolution).slice(0, 100)}`);
    return undefined;
  }
  const target = Object.hasOwn(root, name) ? root[name] : undefined;
  if (isObject(target)) {
    const distribution = readStatistics(target);
    if (distribution) return { name, unit, values: [], distribution, storageResolution: resolution };
    reject('EMF metric is not a set of statistics', name);
    return undefined;
  }
  const values: unknown[] = Array.isArray(target) ? target : [target];
  if (values.length === 0 || values.length > maximumValues || !values.every(isFiniteNumber)) {
    reject('EMF metric has no number, or over 100 of them, at the root', name);
    return undefined;
  }
  return { name, unit, values, storageResolution: resolution };
}

/**
 * Reads `{Values, Counts, Count, Sum, Min, Max}`, which agents send for many measurements at once.
 */
function readStatistics(target: JsonObject): MetricDistribution | undefined {
  const { Values: values = [], Counts: counts, Count: count, Sum: sum, Min: min, Max: max } = target;
  const isNumbers = (list: unknown): list is number[] => Array.isArray(list) && list.every(isFiniteNumber);
  if (!isNumbers(values) || values.length > maximumValues) return undefined;
  const weights = counts ?? values.map(() => 1);
  if (!isNumbers(weights) || weights.length !== values.length || weights.some((weight) => weight < 0)) return undefined;
  const total = count ?? weights.reduce((all, weight) => all + weight, 0);
  if (!isFiniteNumber(total) || total <= 0) return undefined;
  const distribution: MetricDistribution = { count: total };
  if (values.length > 0) Object.assign(distribution, { values, counts: weights });
  for (const [key, value] of Object.entries({ sum, min, max })) {
    if (value !== undefined && !isFiniteNumber(value)) return undefined;
    if (value !== undefined) Object.assign(distribution, { [key]: value });
  }
  distribution.sum ??= values.reduce((all, value, at) => all + value * (weights[at] ?? 1), 0);
  return distribution;
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

const wrapped = new WeakSet<TelemetrySink>();

/**
 * @returns a sink that reads what programs write: each line of a function or of PutLogEvents is
 *   given what it says of itself (`describeLine`), and if it is in the embedded metric format it
 *   also makes metric records, with the line's trace id. What is malformed is counted as rejected
 *   by `emf`. A sink that is one already is returned as it is, so that nothing is counted twice.
 */
export function withEmf(sink: TelemetrySink): TelemetrySink {
  if (wrapped.has(sink)) return sink;
  const withMetrics: TelemetrySink = {
    segment: (document) => sink.segment(document),
    span: (record) => sink.span(record),
    metric: (record) => sink.metric(record),
    error: (record) => sink.error(record),
    rejected: (receiver, reason, detail) => sink.rejected(receiver, reason, detail),
    log(line: LogRecord) {
      // Records of OTLP and Honeycomb have said all this in fields of their own.
      const isLine = line.source === 'function' || line.source === 'cloudwatch';
      const record = isLine ? describeLine(line) : line;
      sink.log(record);
      if (!isLine) return;
      const { metrics, problems } = readEmbeddedMetrics(record.message);
      for (const metric of metrics) {
        if (record.traceId) metric.traceId ??= record.traceId;
        if (record.requestId && !metric.traceId) metric.requestId = record.requestId;
        sink.metric(metric);
      }
      for (const { reason, detail } of problems) sink.rejected('emf', reason, `${record.logGroup}: ${detail}`);
    },
  };
  wrapped.add(withMetrics);
  return withMetrics;
}
