import {
  CloudWatchClient,
  GetMetricDataCommand,
  GetMetricStatisticsCommand,
  ListMetricsCommand,
  type ListMetricsCommandInput,
  type MetricDataQuery,
} from '@aws-sdk/client-cloudwatch';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clientOptions, type RunningCloudWatch, runCloudWatch } from './run-cloudwatch.ts';

const namespace = 'Shop/API';
const now = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 3_600_000;
const range = { StartTime: new Date(now), EndTime: new Date(now + 3_600_000) };

let cloudWatch: RunningCloudWatch;
let client: CloudWatchClient;
beforeEach(async () => {
  cloudWatch = await runCloudWatch();
  client = new CloudWatchClient({ ...clientOptions, endpoint: cloudWatch.endpoint });
});
afterEach(async () => {
  client.destroy();
  await cloudWatch.stop();
});

/** A metric as a function's line in the embedded metric format leaves it. */
function put(name: string, minutes: number, values: number[], dimensions: Record<string, string> = { route: '/a' }) {
  const time = now + minutes * 60_000;
  cloudWatch.store.metric({
    source: 'emf',
    timeMilliseconds: time,
    namespace,
    name,
    unit: 'Milliseconds',
    dimensions,
    values,
  });
}

function query(Stat: string, more: Partial<MetricDataQuery> = {}, Period = 60): MetricDataQuery {
  const Metric = { Namespace: namespace, MetricName: 'Latency', Dimensions: [{ Name: 'route', Value: '/a' }] };
  return { Id: 'one', MetricStat: { Metric, Period, Stat }, ...more };
}

const get = async (...queries: MetricDataQuery[]) =>
  (await client.send(new GetMetricDataCommand({ ...range, MetricDataQueries: queries }))).MetricDataResults;

describe('ListMetrics', () => {
  it('has each metric once, whatever the order of its dimensions, and no metric of OpenTelemetry', async () => {
    put('Latency', 0, [1], { route: '/a', stage: 'dev' });
    put('Latency', 1, [1], { stage: 'dev', route: '/a' });
    put('Errors', 0, [1], {});
    cloudWatch.store.metric({
      source: 'otlp',
      timeMilliseconds: now,
      namespace: 'x',
      name: 'y',
      unit: '',
      dimensions: {},
      values: [1],
    });
    const { Metrics } = await client.send(new ListMetricsCommand({}));
    expect(Metrics?.map(({ MetricName, Dimensions }) => [MetricName, Dimensions?.length])).toEqual([
      ['Errors', 0],
      ['Latency', 2],
    ]);
  });

  it('selects by namespace, name and dimension', async () => {
    put('Latency', 0, [1]);
    put('Latency', 0, [1], { route: '/b' });
    put('Errors', 0, [1]);
    const list = async (input: ListMetricsCommandInput) =>
      (await client.send(new ListMetricsCommand(input))).Metrics?.length;
    expect(await list({ MetricName: 'Latency', Dimensions: [{ Name: 'route', Value: '/b' }] })).toBe(1);
    expect(await list({ Dimensions: [{ Name: 'route' }] })).toBe(3);
    expect(await list({ Namespace: 'Other' })).toBe(0);
  });

  it('pages by 500', async () => {
    for (let at = 0; at < 501; at++) put(`M${at}`, 0, [1]);
    const first = await client.send(new ListMetricsCommand({}));
    expect(first.Metrics).toHaveLength(500);
    const second = await client.send(new ListMetricsCommand({ NextToken: first.NextToken }));
    expect([second.Metrics?.length, second.NextToken]).toEqual([1, undefined]);
  });
});

describe('GetMetricData', () => {
  beforeEach(() => {
    put('Latency', 0, [10, 20]);
    put('Latency', 0.5, [60]);
    put('Latency', 3, [5]);
    put('Latency', 0, [999], { route: '/b' });
  });

  it.each([
    ['SampleCount', [1, 3]],
    ['Sum', [5, 90]],
    ['Average', [5, 30]],
    ['Minimum', [5, 10]],
    ['Maximum', [5, 60]],
    ['p50', [5, 20]],
    ['p99', [5, 60]],
  ])('has the %s of each period with samples, the newest first', async (stat, values) => {
    expect(await get(query(stat))).toEqual([
      {
        Id: 'one',
        Label: 'Latency',
        Timestamps: [new Date(now + 180_000), new Date(now)],
        Values: values,
        StatusCode: 'Complete',
      },
    ]);
  });

  it('takes the longer period, the label, and the other order', async () => {
    const MetricDataQueries = [query('Sum', { Label: 'all' }, 300), query('Sum', { Id: 'two' })];
    const command = new GetMetricDataCommand({ ...range, MetricDataQueries, ScanBy: 'TimestampAscending' });
    const { MetricDataResults } = await client.send(command);
    expect(MetricDataResults).toMatchObject([
      { Label: 'all', Values: [95] },
      { Id: 'two', Values: [90, 5] },
    ]);
  });

  it('answers nothing of a metric without samples, as CloudWatch does', async () => {
    const MetricStat = { Metric: { Namespace: namespace, MetricName: 'None' }, Period: 60, Stat: 'Sum' };
    expect(await get({ Id: 'none', MetricStat })).toMatchObject([{ Timestamps: [], Values: [] }]);
  });

  it('counts the statistic sets and the weighted values of agents', async () => {
    const distribution = { count: 4, sum: 100, min: 10, max: 40, values: [10, 40], counts: [2, 2] };
    cloudWatch.store.metric({
      source: 'emf',
      timeMilliseconds: now,
      namespace,
      name: 'Latency',
      unit: 'Milliseconds',
      dimensions: { route: '/a' },
      values: [],
      distribution,
    });
    expect(await get(query('SampleCount'), query('Sum', { Id: 'sum' }), query('p50', { Id: 'p' }))).toMatchObject([
      { Values: [1, 7] },
      { Values: [5, 190] },
      { Values: [5, 20] },
    ]);
  });

  it.each([
    ['an expression', { Id: 'e', Expression: 'one * 2' }, 'The expression of "e" is not supported'],
    ['a statistic', query('tm99'), 'The statistic tm99 is not supported'],
    ['a period', query('Sum', {}, 61), 'Period must be 1, 5, 10, 20, 30 or a multiple of 60'],
    ['an id', query('Sum', { Id: 'Upper' }), 'must begin with a lower-case letter'],
  ])('refuses %s that it does not take, by name', async (_, asked, message) => {
    await expect(get(asked)).rejects.toMatchObject({
      name: expect.stringMatching(/^InvalidParameterValue/),
      message: expect.stringContaining(message),
    });
  });

  it('refuses a range that ends before it begins', async () => {
    const command = new GetMetricDataCommand({
      StartTime: range.EndTime,
      EndTime: range.StartTime,
      MetricDataQueries: [query('Sum')],
    });
    await expect(client.send(command)).rejects.toThrow('StartTime must be less than the parameter EndTime');
  });
});

describe('GetMetricStatistics', () => {
  const asked = {
    ...range,
    Namespace: namespace,
    MetricName: 'Latency',
    Dimensions: [{ Name: 'route', Value: '/a' }],
    Period: 60,
  };

  it('has the statistics and percentiles of each period, with the unit', async () => {
    put('Latency', 0, [10, 20, 60]);
    const { Label, Datapoints } = await client.send(
      new GetMetricStatisticsCommand({ ...asked, Statistics: ['Average', 'Maximum'], ExtendedStatistics: ['p50'] }),
    );
    expect(Label).toBe('Latency');
    expect(Datapoints).toEqual([
      { Timestamp: new Date(now), Average: 30, Maximum: 60, ExtendedStatistics: { p50: 20 }, Unit: 'Milliseconds' },
    ]);
  });

  it('refuses more than 1,440 data points, and a request without statistics', async () => {
    const long = { ...asked, StartTime: new Date(now - 86_400_000), Statistics: ['Sum' as const] };
    await expect(client.send(new GetMetricStatisticsCommand(long))).rejects.toThrow('exceeds the limit of 1440');
    await expect(client.send(new GetMetricStatisticsCommand(asked))).rejects.toMatchObject({
      name: expect.stringMatching(/^InvalidParameterCombination/),
    });
  });
});

describe('the other protocols of older SDKs', () => {
  const iso = (date: Date) => date.toISOString();
  const target = 'GraniteServiceVersion20100801';

  it('answers AWS JSON 1.0 with times in epoch seconds', async () => {
    put('Latency', 0, [10]);
    const body = JSON.stringify({ StartTime: now / 1000, EndTime: now / 1000 + 60, MetricDataQueries: [query('Sum')] });
    const headers = { 'x-amz-target': `${target}.GetMetricData`, 'content-type': 'application/x-amz-json-1.0' };
    const response = await fetch(cloudWatch.endpoint, { method: 'POST', headers, body });
    expect(await response.json()).toMatchObject({ MetricDataResults: [{ Timestamps: [now / 1000], Values: [10] }] });
    const refused = await fetch(cloudWatch.endpoint, {
      method: 'POST',
      headers: { ...headers, 'x-amz-target': `${target}.PutDashboard` },
      body: '{}',
    });
    expect([refused.status, await refused.json()]).toEqual([
      400,
      { __type: 'InvalidActionException', message: expect.stringContaining('PutDashboard is not supported') },
    ]);
  });

  it('answers the Query protocol in XML', async () => {
    put('Latency', 0, [10]);
    const form = new URLSearchParams({
      Action: 'GetMetricStatistics',
      Version: '2010-08-01',
      Namespace: namespace,
      MetricName: 'Latency',
      Period: '60',
      'Dimensions.member.1.Name': 'route',
      'Dimensions.member.1.Value': '/a',
      'Statistics.member.1': 'Sum',
      'ExtendedStatistics.member.1': 'p50',
      StartTime: iso(range.StartTime),
      EndTime: iso(range.EndTime),
    });
    const response = await fetch(cloudWatch.endpoint, { method: 'POST', body: form });
    expect(response.headers.get('content-type')).toBe('text/xml');
    expect(await response.text()).toContain(
      `<Datapoints><member><Timestamp>${iso(range.StartTime)}</Timestamp><Sum>10</Sum><ExtendedStatistics><entry><key>p50</key><value>10</value></entry></ExtendedStatistics><Unit>Milliseconds</Unit></member></Datapoints>`,
    );
    form.set('Period', '61');
    const refused = await fetch(cloudWatch.endpoint, { method: 'POST', body: form });
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain('<Code>InvalidParameterValue</Code>');
  });

  it('refuses a body that is not CBOR, or nests without end', async () => {
    const url = `${cloudWatch.endpoint}/service/${target}/operation/ListMetrics`;
    for (const body of [Buffer.from([0xff]), Buffer.alloc(900_000, 0x81)])
      expect((await fetch(url, { method: 'POST', body })).status).toBe(400);
    expect((await client.send(new ListMetricsCommand({}))).Metrics).toEqual([]);
  });
});
