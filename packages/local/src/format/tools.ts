import { isUntracedOnAws } from '../trace/records.ts';
import { inOrder, type Trace } from '../trace/trace.ts';

/**
 * @returns what each of the four tools would show of a trace: `X-Ray 7 segments`, `Honeycomb 4
 * spans`, …
 */
export function seenIn(trace: Trace): string[] {
  const nodes = [...inOrder(trace.roots)];
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

/**
 * @returns half a line on the segments that only a local run has, or undefined where AWS would have
 * them all.
 */
export function missingOnAws(trace: Trace): string | undefined {
  const services = [...inOrder(trace.roots)].flatMap(({ origin, metadata }) => {
    if (!isUntracedOnAws(metadata)) return [];
    return origin === 'AWS::ApiGateway::Stage' ? ['API Gateway'] : ['Lambda'];
  });
  if (services.length === 0) return undefined;
  return `AWS would show no segments of ${[...new Set(services)].join(' and ')}: tracing is off in serverless.yml`;
}

/** @returns what of a trace would be missing in a tool, and why. */
export function notSeenIn(trace: Trace): string[] {
  const nodes = [...inOrder(trace.roots)];
  const spansAlone = nodes.filter(({ sources }) => !sources.includes('xray')).length;
  const segmentsAlone = nodes.filter(({ sources }) => sources.every((source) => source === 'xray')).length;
  const untold = trace.fault && trace.errors.length === 0;
  return [
    ...(spansAlone > 0 ? [`X-Ray: ${count(spansAlone, 'span')} that only OpenTelemetry sent`] : []),
    ...(segmentsAlone > 0 ? [`Honeycomb: ${count(segmentsAlone, 'segment')} that only X-Ray has`] : []),
    ...(trace.logs.length === 0 ? ['CloudWatch: no log line has arrived'] : []),
    ...(untold ? ['Rollbar: no item, although the request failed'] : []),
  ];
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
