import type { Trace } from '../store/trace.ts';
import { treeRows } from './tree.ts';

/** @returns what of a trace each of the four tools would show, in a fixed order: `X-Ray 7 segments`, `Honeycomb 4 spans`, … */
export function seenIn(trace: Trace): string[] {
  const nodes = treeRows(trace.roots, 0).map(({ node }) => node);
  const segments = nodes.filter(({ sources }) => sources.includes('xray')).length;
  const spans = nodes.filter(({ sources }) => sources.some((source) => source !== 'xray')).length;
  const metrics = new Set(trace.metrics.map(({ namespace, name }) => `${namespace}\n${name}`)).size;
  return [
    `X-Ray ${count(segments, 'segment')}`,
    `Honeycomb ${count(spans, 'span')}`,
    `CloudWatch ${count(trace.logs.length, 'line')}, ${count(metrics, 'metric')}`,
    `Rollbar ${count(trace.errors.length, 'item')}`,
  ];
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
