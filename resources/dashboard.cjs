'use strict';

/** The stage's dashboard: what users see first, then what costs it. */
module.exports = async ({ resolveConfigurationProperty }) => {
  const service = await resolveConfigurationProperty(['service']);
  const stage = await resolveConfigurationProperty(['custom', 'stageName']);
  const namespace = await resolveConfigurationProperty(['custom', 'metricsNamespace']);
  const functions = Object.keys(await resolveConfigurationProperty(['functions']));
  const api = ['ApiName', `${stage}-${service}`, 'Stage', stage];
  const routes = (metric, stat) => [
    [
      {
        expression: `SEARCH('{"${namespace}",route,service} MetricName="${metric}" service="${service}"', '${stat}', 300)`,
        id: 'e1',
      },
    ],
  ];
  const lambda = (metric, stat) =>
    functions.map((key) => ['AWS/Lambda', metric, 'FunctionName', `${service}-${stage}-${key}`, { stat, label: key }]);
  const groups = functions.map((key) => `SOURCE '/aws/lambda/${service}-${stage}-${key}'`).join(' | ');
  const charts = [
    [
      'Requests and errors',
      [
        ['AWS/ApiGateway', 'Count', ...api, { stat: 'Sum', label: 'requests' }],
        ['AWS/ApiGateway', '4XXError', ...api, { stat: 'Sum', label: '4xx' }],
        ['AWS/ApiGateway', '5XXError', ...api, { stat: 'Sum', label: '5xx' }],
      ],
    ],
    [
      'Latency of the API (ms)',
      ['p50', 'p90', 'p99'].map((stat) => ['AWS/ApiGateway', 'Latency', ...api, { stat, label: stat }]),
    ],
    ['Latency p50 by route', routes('Latency', 'p50')],
    ['Latency p90 by route', routes('Latency', 'p90')],
    ['Latency p99 by route', routes('Latency', 'p99')],
    ['Faults by route', routes('Faults', 'Sum')],
    ['Cold starts by route', routes('ColdStarts', 'Sum')],
    [
      'Throttles',
      [
        ...lambda('Throttles', 'Sum'),
        ['AWS/DynamoDB', 'ReadThrottleEvents', 'TableName', '${Table}', { stat: 'Sum', label: 'table reads' }],
        ['AWS/DynamoDB', 'WriteThrottleEvents', 'TableName', '${Table}', { stat: 'Sum', label: 'table writes' }],
      ],
    ],
    [
      'Telemetry lost',
      [
        [
          {
            expression: `SELECT SUM(TelemetryLost_spans) FROM "${namespace}"`,
            label: 'spans',
            period: 300,
            id: 'spans',
          },
        ],
        [
          {
            expression: `SELECT SUM(TelemetryLost_items) FROM "${namespace}"`,
            label: 'items',
            period: 300,
            id: 'items',
          },
        ],
      ],
    ],
    ['Concurrent environments', lambda('ConcurrentExecutions', 'Maximum')],
    [
      'Cost: read and write units',
      [
        ['AWS/DynamoDB', 'ConsumedReadCapacityUnits', 'TableName', '${Table}', { stat: 'Sum', label: 'read units' }],
        ['AWS/DynamoDB', 'ConsumedWriteCapacityUnits', 'TableName', '${Table}', { stat: 'Sum', label: 'write units' }],
      ],
    ],
    ['Cost: milliseconds of functions', lambda('Duration', 'Sum')],
  ];
  const widgets = charts.map(([title, metrics], index) => ({
    type: 'metric',
    x: (index % 3) * 8,
    y: Math.floor(index / 3) * 6,
    width: 8,
    height: 6,
    properties: { title, metrics, view: 'timeSeries', region: '${AWS::Region}', period: 300 },
  }));
  widgets.push({
    type: 'log',
    x: 0,
    y: Math.ceil(charts.length / 3) * 6,
    width: 24,
    height: 6,
    properties: {
      title: 'Last faults, with their traces',
      region: '${AWS::Region}',
      query: `${groups} | filter event.status >= 500 | fields @timestamp, event.route, event.status, event.duration_ms, xray_trace_id | sort @timestamp desc | limit 20`,
    },
  });
  return {
    Resources: {
      Dashboard: {
        Type: 'AWS::CloudWatch::Dashboard',
        Properties: { DashboardName: `${service}-${stage}`, DashboardBody: { 'Fn::Sub': JSON.stringify({ widgets }) } },
      },
    },
  };
};
