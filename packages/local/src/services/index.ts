import type { Queries } from '../query/queries.ts';
import type { ReceiverFactory } from '../receiver/receiver.ts';
import type { LogReads } from '../store/log-events.ts';
import type { MetricReads } from '../store/metric-data.ts';
import { cloudWatchLogsReceiver } from './cloudwatch/index.ts';
import { cloudWatchMetricsReceiver } from './cloudwatch/metrics/index.ts';
import { honeycombReceiver } from './honeycomb/index.ts';
import { otlpReceiver } from './otlp/index.ts';
import { rollbarReceiver } from './rollbar/index.ts';

/** The receivers that share the OTLP port. CloudWatch comes first: its SDK posts to any path. */
export const knownReceivers: readonly ReceiverFactory[] = [
  (sink, limits) => cloudWatchLogsReceiver(sink, limits),
  otlpReceiver,
  honeycombReceiver,
  rollbarReceiver,
];

/**
 * @param logGroups names of log groups that exist before the first line.
 * @returns the same, with Honeycomb's query API and CloudWatch's reads over what they have received.
 */
export function receiversWith(
  store: Queries & LogReads & MetricReads,
  logGroups: readonly string[] = [],
): readonly ReceiverFactory[] {
  return [
    (sink, limits) => cloudWatchLogsReceiver(sink, limits, { store, logGroups }),
    (_, limits) => cloudWatchMetricsReceiver(store, limits),
    otlpReceiver,
    (sink, limits) => honeycombReceiver(sink, limits, store),
    rollbarReceiver,
  ];
}
