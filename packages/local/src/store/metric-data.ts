import type { MetricDistribution } from '../trace/records.ts';
import type { Reader } from './reader.ts';
import { metricColumns, metricOfRow } from './rows.ts';

/** A metric as CloudWatch tells it from others. */
export interface MetricIdentity {
  namespace: string;
  name: string;
  dimensions: Record<string, string>;
}

/** What one line in the embedded metric format said of a metric; `time` in epoch milliseconds. */
export interface MetricSample {
  time: number;
  unit: string;
  values: number[];
  distribution?: MetricDistribution;
}

/** Reads the metrics that CloudWatch would make of the functions' lines. */
export interface MetricReads {
  /** @returns every metric, by namespace and name. */
  metricNames(): Promise<MetricIdentity[]>;
  /** @returns the samples of a metric from `from` until before `to`, at most `limit` of them. */
  metricSamples(metric: MetricIdentity, range: { from: number; to: number; limit: number }): Promise<MetricSample[]>;
}

/** Metrics of OpenTelemetry go elsewhere on AWS. */
const isCloudWatch = `source = 'emf'`;

interface Stored extends MetricIdentity {
  /** The dimensions as they are stored: in the order of the line. */
  text: string;
}

async function storedMetrics(reader: Reader, condition = '', values: string[] = []): Promise<Stored[]> {
  const found = await reader.rows(
    `SELECT DISTINCT namespace, name, dimensions FROM metrics WHERE ${isCloudWatch} ${condition}
     ORDER BY namespace, name, dimensions`,
    values,
  );
  return found.map((row) => ({
    namespace: String(row.namespace),
    name: String(row.name),
    text: String(row.dimensions),
    dimensions: JSON.parse(String(row.dimensions)) as Record<string, string>,
  }));
}

function inOneOrder(dimensions: Record<string, string>): string {
  return JSON.stringify(Object.entries(dimensions).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** @returns every metric once, whatever the order of its dimensions was. */
export async function readMetricNames(reader: Reader): Promise<MetricIdentity[]> {
  const found = new Map<string, MetricIdentity>();
  for (const { namespace, name, dimensions } of await storedMetrics(reader))
    found.set(JSON.stringify([namespace, name, inOneOrder(dimensions)]), { namespace, name, dimensions });
  return [...found.values()];
}

/** @returns the samples of a metric in the order of time. */
export async function readMetricSamples(
  reader: Reader,
  { namespace, name, dimensions }: MetricIdentity,
  { from, to, limit }: { from: number; to: number; limit: number },
): Promise<MetricSample[]> {
  const wanted = inOneOrder(dimensions);
  const stored = await storedMetrics(reader, 'AND namespace = $1 AND name = $2', [namespace, name]);
  const texts = stored.filter((metric) => inOneOrder(metric.dimensions) === wanted).map(({ text }) => text);
  if (texts.length === 0) return [];
  const found = await reader.rows(
    `SELECT ${metricColumns} FROM metrics
     WHERE ${isCloudWatch} AND namespace = $1 AND name = $2 AND time >= $3::DOUBLE AND time < $4::DOUBLE
     AND dimensions IN (${texts.map((_, at) => `$${at + 6}`).join(', ')})
     ORDER BY time LIMIT $5::INTEGER`,
    [namespace, name, from, to, limit, ...texts],
    limit,
  );
  return found.map(metricOfRow);
}
