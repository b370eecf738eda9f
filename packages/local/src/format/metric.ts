import type { TraceMetric } from '../trace/trace.ts';
import { duration } from './time.ts';

/**
 * Writes metrics as one text a namespace: `shop  requests 1 · latency 12.3 ms`.
 * The same value under several sets of dimensions is written once.
 */
export function metricTexts(metrics: TraceMetric[]): string[] {
  const namespaces = new Map<string, Set<string>>();
  for (const metric of metrics) {
    const told = namespaces.get(metric.namespace) ?? new Set();
    namespaces.set(metric.namespace, told.add(`${metric.name} ${shown(metric)}`));
  }
  return [...namespaces].map(([namespace, told]) => `${namespace}  ${[...told].join(' · ')}`);
}

/** Milliseconds in CloudWatch's and in OpenTelemetry's (UCUM) units of time. */
const times: Record<string, number> = {
  Milliseconds: 1,
  Seconds: 1_000,
  Microseconds: 1e-3,
  ms: 1,
  s: 1_000,
  us: 1e-3,
  ns: 1e-6,
  min: 60_000,
  h: 3_600_000,
};

/** Units that say nothing beside a number, `{request}` among them. */
const unitless = /^(|Count|None|1|\{.*\})$/;

function shown({ values, unit, statistics, distribution, type, temporality }: TraceMetric): string {
  const { count, sum, mean, min, max } = statistics;
  const value = (of: number | undefined) => (of === undefined ? '?' : withUnit(of, unit));
  if (count === 0) return distribution ? 'no measurements' : 'no value';
  if (distribution) {
    const percentiles = (['p50', 'p90', 'p99'] as const).flatMap((name) => {
      const at = statistics[name];
      return at === undefined ? [] : `${name} ${value(at)}`;
    });
    const extremes = min === undefined || max === undefined ? [] : [`${value(min)} to ${value(max)}`];
    const of = `${count} of ${type ?? 'distribution'}${temporality === 'cumulative' ? ', cumulative' : ''}`;
    return [`mean ${value(mean)}`, ...extremes, ...percentiles, of].join(', ');
  }
  if (!(unit in times)) return value(sum);
  return values.length === 1 ? value(mean) : `${value(mean)} on average of ${values.length}`;
}

function withUnit(value: number, unit: string): string {
  const milliseconds = Object.hasOwn(times, unit) ? times[unit] : undefined;
  if (milliseconds !== undefined) return duration(value * milliseconds);
  return unitless.test(unit) ? number(value) : `${number(value)} ${unit}`;
}

function number(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}
