import type { TraceMetric } from '../store/trace.ts';
import { duration } from './text.ts';

/** @returns one text a namespace: `shop  requests 1 · latency 12.3 ms`. The same value under several dimension sets is told once. */
export function metricTexts(metrics: TraceMetric[]): string[] {
  const namespaces = new Map<string, Set<string>>();
  for (const metric of metrics) {
    const told = namespaces.get(metric.namespace) ?? new Set();
    namespaces.set(metric.namespace, told.add(`${metric.name} ${shown(metric)}`));
  }
  return [...namespaces].map(([namespace, told]) => `${namespace}  ${[...told].join(' · ')}`);
}

function shown({ values, unit }: TraceMetric): string {
  const sum = values.reduce((total, value) => total + value, 0);
  if (unit === 'Milliseconds') {
    const mean = duration(sum / values.length);
    return values.length === 1 ? mean : `${mean} on average of ${values.length}`;
  }
  if (unit === 'Count' || unit === 'None' || unit === '') return number(sum);
  return `${number(sum)} ${unit}`;
}

function number(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}
