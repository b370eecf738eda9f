import { HttpError } from '../../../http/http-error.ts';
import { isObject, type JsonObject } from '../../../receiver/json.ts';
import type { MetricReads, MetricSample } from '../../../store/metric-data.ts';
import {
  metricOf,
  missing,
  objects,
  optionalInteger,
  optionalText,
  periodOf,
  text,
  texts,
  timeRange,
} from './input.ts';
import { byPeriod, isPercentile, statistics } from './statistics.ts';
import { type Answer, badRequest } from './wire.ts';

/** Source: Amazon CloudWatch API Reference, "GetMetricData", "GetMetricStatistics", "ListMetrics". */
const mostQueries = 500;
const mostDatapoints = 100_800;
const mostStatisticsDatapoints = 1_440;
const metricsPage = 500;

/** Samples of one metric that are read: two weeks of one a second would be more. */
const mostSamples = 200_000;

const clash = (message: string) => new HttpError(400, message, 'InvalidParameterCombinationException');

/** ListMetrics, GetMetricData and GetMetricStatistics, over the metrics of the functions' lines. */
export function metricOperations(reads: MetricReads): Record<string, (input: JsonObject) => Promise<Answer>> {
  async function samplesOf(of: JsonObject, range: { from: number; to: number }): Promise<MetricSample[]> {
    const unit = optionalText(of, 'Unit');
    const metric = metricOf(isObject(of.Metric) ? of.Metric : of);
    const found = await reads.metricSamples(metric, { ...range, limit: mostSamples });
    if (found.length === mostSamples)
      throw badRequest(`The range has more than ${mostSamples} samples of ${metric.name}. Ask for a shorter one.`);
    return unit === undefined ? found : found.filter((sample) => sample.unit === unit);
  }

  async function resultOf(query: JsonObject, range: { from: number; to: number }, isAscending: boolean) {
    const id = text(query, 'Id');
    if (!/^[a-z]\w{0,254}$/.test(id)) throw badRequest(`The Id "${id}" must begin with a lower-case letter.`);
    if (query.Expression !== undefined)
      throw badRequest(`The expression of "${id}" is not supported by this endpoint: ask for a MetricStat.`);
    const { MetricStat: stat } = query;
    if (!isObject(stat)) throw missing('MetricStat');
    if (!isObject(stat.Metric)) throw missing('Metric');
    const name = text(stat, 'Stat');
    if (!statistics.includes(name) && !isPercentile(name))
      throw badRequest(`The statistic ${name} is not supported by this endpoint.`);
    const period = periodOf(stat);
    const from = Math.floor(range.from / period) * period;
    const points = byPeriod(await samplesOf(stat, { from, to: range.to }), period).flatMap(([begin, each]) => {
      const value = each.statistic(name);
      return value === undefined ? [] : [{ begin, value }];
    });
    if (!isAscending) points.reverse();
    return { id, label: optionalText(query, 'Label') ?? text(stat.Metric, 'MetricName'), points };
  }

  return {
    async ListMetrics(input) {
      const [namespace, name] = [optionalText(input, 'Namespace'), optionalText(input, 'MetricName')];
      const wanted = objects(input, 'Dimensions', 10).map((each) => [text(each, 'Name'), optionalText(each, 'Value')]);
      const token = optionalText(input, 'NextToken') ?? '0';
      if (!/^\d{1,9}$/.test(token)) throw badRequest('The parameter NextToken is not valid.');
      const found = (await reads.metricNames()).filter(
        (metric) =>
          (namespace === undefined || metric.namespace === namespace) &&
          (name === undefined || metric.name === name) &&
          wanted.every(([key = '', value]) => {
            const own = Object.hasOwn(metric.dimensions, key) ? metric.dimensions[key] : undefined;
            return own !== undefined && (value === undefined || own === value);
          }),
      );
      const end = Number(token) + metricsPage;
      return {
        Metrics: found.slice(Number(token), end).map((metric) => ({
          Namespace: metric.namespace,
          MetricName: metric.name,
          Dimensions: Object.entries(metric.dimensions).map(([Name, Value]) => ({ Name, Value })),
        })),
        NextToken: end < found.length ? String(end) : undefined,
      };
    },

    async GetMetricData(input) {
      const range = timeRange(input);
      if (optionalText(input, 'NextToken') !== undefined) throw badRequest('The parameter NextToken is not valid.');
      const queries = objects(input, 'MetricDataQueries', mostQueries);
      if (queries.length === 0) throw missing('MetricDataQueries');
      const order = optionalText(input, 'ScanBy') ?? 'TimestampDescending';
      if (order !== 'TimestampDescending' && order !== 'TimestampAscending')
        throw badRequest('The parameter ScanBy must be TimestampDescending or TimestampAscending.');
      const most = optionalInteger(input, 'MaxDatapoints', 1, mostDatapoints) ?? mostDatapoints;
      const results: Awaited<ReturnType<typeof resultOf>>[] = [];
      for (const query of queries) results.push(await resultOf(query, range, order === 'TimestampAscending'));
      if (new Set(results.map(({ id }) => id)).size < results.length) throw badRequest('Each Id must be unique.');
      const total = results.reduce((sum, { points }) => sum + points.length, 0);
      if (total > most) throw badRequest(`The answer has ${total} data points, more than ${most}.`);
      const isShown = (at: number) => String(queries[at]?.ReturnData ?? true) !== 'false';
      return {
        MetricDataResults: results
          .filter((_, at) => isShown(at))
          .map(({ id, label, points }) => ({
            Id: id,
            Label: label,
            Timestamps: points.map(({ begin }) => new Date(begin)),
            Values: points.map(({ value }) => value),
            StatusCode: 'Complete',
          })),
        Messages: [],
      };
    },

    async GetMetricStatistics(input) {
      const metric = metricOf(input);
      const range = timeRange(input);
      const period = periodOf(input);
      const named = texts(input, 'Statistics', 5);
      const extended = texts(input, 'ExtendedStatistics', 10);
      if (named.length + extended.length === 0)
        throw clash('At least one of the parameters Statistics and ExtendedStatistics must be specified.');
      for (const name of named)
        if (!statistics.includes(name))
          throw badRequest(`The statistic ${name} is not one of ${statistics.join(', ')}.`);
      for (const name of extended)
        if (!isPercentile(name)) throw badRequest(`The statistic ${name} is not supported by this endpoint.`);
      const asked = Math.ceil((range.to - range.from) / period);
      if (asked > mostStatisticsDatapoints)
        throw clash(
          `You have requested up to ${asked} datapoints, which exceeds the limit of ${mostStatisticsDatapoints}.`,
        );
      const from = Math.floor(range.from / period) * period;
      const samples = await samplesOf(input, { from, to: range.to });
      const units = new Set(samples.map(({ unit }) => unit));
      return {
        Label: metric.name,
        // Samples of several units are not added up.
        Datapoints: [...units].flatMap((Unit) =>
          byPeriod(
            samples.filter(({ unit }) => unit === Unit),
            period,
          ).map(([begin, each]) => ({
            Timestamp: new Date(begin),
            ...Object.fromEntries(named.map((name) => [name, each.statistic(name)])),
            ...(extended.length > 0 && {
              ExtendedStatistics: Object.fromEntries(extended.map((name) => [name, each.statistic(name)])),
            }),
            Unit,
          })),
        ),
      };
    },
  };
}
