'use strict';

/**
 * Alarms on what users notice: how fast the month's error budget burns (Google's SRE Workbook,
 * chapter 5). A long window says that it matters, a short one that it still goes on; only both
 * together notify.
 */
const burnRates = [
  { name: 'Fast', factor: 14.4, long: 3600, short: 300, meaning: '2 % of the month’s budget in an hour: act now' },
  { name: 'Slow', factor: 6, long: 21600, short: 1800, meaning: '5 % of the month’s budget in six hours: act today' },
];

/** 99.9 % of requests without a fault, and 99 % of them within a second. */
const objectives = {
  Availability: { budgetPercent: 0.1, symptom: 'requests fail with 5xx', filter: 'fault = true' },
  Latency: { budgetPercent: 1, symptom: 'requests take longer than a second', filter: 'responsetime > 1' },
};

module.exports = async ({ resolveConfigurationProperty }) => {
  const service = await resolveConfigurationProperty(['service']);
  const stage = await resolveConfigurationProperty(['custom', 'stageName']);
  const { alarmEmail } = await resolveConfigurationProperty(['custom', 'stage']);
  const context = {
    service,
    stage,
    namespace: await resolveConfigurationProperty(['custom', 'metricsNamespace']),
    api: [
      { Name: 'ApiName', Value: `${stage}-${service}` },
      { Name: 'Stage', Value: stage },
    ],
  };
  return {
    Resources: {
      ...topic(context, alarmEmail),
      ...Object.assign(
        {},
        ...Object.entries(objectives).map(([name, objective]) => burnAlarms(context, name, objective)),
      ),
      ...telemetryLoss(context),
      ...throttles(context),
    },
  };
};

function topic({ service, stage }, alarmEmail) {
  return {
    // Not encrypted: CloudWatch cannot publish to a topic under the key alias/aws/sns. Alarms hold
    // no user's data.
    AlarmTopic: {
      Type: 'AWS::SNS::Topic',
      Properties: {
        TopicName: `${service}-${stage}-alarms`,
        ...(alarmEmail ? { Subscription: [{ Protocol: 'email', Endpoint: alarmEmail }] } : {}),
      },
    },
    AlarmTopicPolicy: {
      Type: 'AWS::SNS::TopicPolicy',
      Properties: {
        Topics: [{ Ref: 'AlarmTopic' }],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { Service: ['cloudwatch.amazonaws.com', 'events.amazonaws.com'] },
              Action: 'sns:Publish',
              Resource: { Ref: 'AlarmTopic' },
              Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
            },
          ],
        },
      },
    },
    InsightNotifications: {
      Type: 'AWS::Events::Rule',
      Properties: {
        Description: `X-Ray insights of ${service}-${stage}, to the alarm topic`,
        EventPattern: {
          source: ['aws.xray'],
          'detail-type': ['AWS X-Ray Insight Update'],
          detail: { GroupName: [`${service}-${stage}`] },
        },
        Targets: [{ Id: 'alarms', Arn: { Ref: 'AlarmTopic' } }],
      },
    },
  };
}

function burnAlarms(context, objective, { budgetPercent, symptom, filter }) {
  const resources = {};
  for (const { name, factor, long, short, meaning } of burnRates) {
    const threshold = Number((factor * budgetPercent).toFixed(2));
    for (const [window, seconds] of [
      ['Long', long],
      ['Short', short],
    ]) {
      resources[`${objective}${name}${window}`] = {
        Type: 'AWS::CloudWatch::Alarm',
        Properties: {
          AlarmName: `${context.service}-${context.stage}-${objective}-${name}-${window}`.toLowerCase(),
          AlarmDescription: `More than ${threshold} % of requests in ${seconds / 60} minutes. A part of ${objective} ${name}.`,
          Metrics: percentOf(objective, context.api, seconds),
          ComparisonOperator: 'GreaterThanThreshold',
          Threshold: threshold,
          EvaluationPeriods: 1,
          TreatMissingData: 'notBreaching',
        },
      };
    }
    resources[`${objective}${name}`] = {
      Type: 'AWS::CloudWatch::CompositeAlarm',
      Properties: {
        AlarmName: `${context.service}-${context.stage}-${objective}-${name}`.toLowerCase(),
        AlarmRule: {
          'Fn::Sub': `ALARM("\${${objective}${name}Long}") AND ALARM("\${${objective}${name}Short}")`,
        },
        AlarmDescription: description(context, {
          what: `${objective}: ${symptom} (${meaning}).`,
          filter,
          runbook: objective.toLowerCase(),
          query: `${context.service}-${context.stage}/${objective.toLowerCase()}`,
        }),
        AlarmActions: [{ Ref: 'AlarmTopic' }],
        OKActions: [{ Ref: 'AlarmTopic' }],
      },
    };
  }
  return resources;
}

/**
 * @returns the metrics of an alarm: the percentage of requests that fail, or that take longer than
 * a second.
 */
function percentOf(objective, Dimensions, Period) {
  const stat = (Id, MetricName, Stat) => ({
    Id,
    ReturnData: false,
    MetricStat: { Metric: { Namespace: 'AWS/ApiGateway', MetricName, Dimensions }, Period, Stat },
  });
  if (objective === 'Latency') return [{ ...stat('slow', 'Latency', 'PR(1000:)'), ReturnData: true }];
  return [
    stat('faults', '5XXError', 'Sum'),
    stat('requests', 'Count', 'Sum'),
    { Id: 'percent', Expression: '100 * faults / requests', ReturnData: true },
  ];
}

function telemetryLoss(context) {
  const lost = (Id, name) => ({
    Id,
    Expression: `SELECT SUM(${name}) FROM "${context.namespace}"`,
    Period: 300,
    ReturnData: false,
  });
  return {
    TelemetryLoss: alarm(context, 'telemetry-loss', {
      what: 'Spans or error items could not be sent to Honeycomb or Rollbar, and are lost.',
      runbook: 'telemetry-loss',
      Metrics: [
        lost('spans', 'TelemetryLost_spans'),
        lost('items', 'TelemetryLost_items'),
        { Id: 'all', Expression: 'SUM([FILL(spans, 0), FILL(items, 0)])', ReturnData: true },
      ],
      Threshold: 0,
      EvaluationPeriods: 3,
      DatapointsToAlarm: 2,
    }),
  };
}

function throttles(context) {
  const sum = (Id, Namespace, MetricName, Dimensions) => ({
    Id,
    ReturnData: false,
    MetricStat: { Metric: { Namespace, MetricName, ...(Dimensions ? { Dimensions } : {}) }, Period: 60, Stat: 'Sum' },
  });
  const table = [{ Name: 'TableName', Value: { Ref: 'Table' } }];
  return {
    LambdaThrottles: alarm(context, 'lambda-throttles', {
      what: 'Lambda throttles: a function or the account is at its concurrency limit (all functions of the account).',
      runbook: 'throttles',
      Metrics: [{ ...sum('throttles', 'AWS/Lambda', 'Throttles'), ReturnData: true }],
      Threshold: 0,
      EvaluationPeriods: 5,
      DatapointsToAlarm: 3,
    }),
    TableThrottles: alarm(context, 'table-throttles', {
      what: 'DynamoDB throttles: a partition of the table or of an index is hot, or the table is at its limit.',
      runbook: 'throttles',
      Metrics: [
        sum('reads', 'AWS/DynamoDB', 'ReadThrottleEvents', table),
        sum('writes', 'AWS/DynamoDB', 'WriteThrottleEvents', table),
        { Id: 'all', Expression: 'SUM([FILL(reads, 0), FILL(writes, 0)])', ReturnData: true },
      ],
      Threshold: 0,
      EvaluationPeriods: 5,
      DatapointsToAlarm: 3,
    }),
  };
}

function alarm(context, name, { what, runbook, ...properties }) {
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmName: `${context.service}-${context.stage}-${name}`,
      AlarmDescription: description(context, {
        what,
        runbook,
        query: `${context.service}-${context.stage}/${runbook}`,
      }),
      ComparisonOperator: 'GreaterThanThreshold',
      TreatMissingData: 'notBreaching',
      AlarmActions: [{ Ref: 'AlarmTopic' }],
      OKActions: [{ Ref: 'AlarmTopic' }],
      ...properties,
    },
  };
}

/**
 * @returns the text that an alarm's mail shows: what is wrong, the query and the traces to look at,
 * and the runbook.
 */
function description({ service, stage }, { what, filter, query, runbook }) {
  const group = `service("${stage}-${service}/${stage}")`;
  const expression = filter ? `${group} AND ${filter.replace('fault = true', 'fault')}` : group;
  const console = 'https://${AWS::Region}.console.aws.amazon.com/cloudwatch/home?region=${AWS::Region}';
  return {
    'Fn::Sub': [
      what,
      `Logs Insights: the saved query ${query}, ${console}#logsV2:logs-insights`,
      `Traces: ${console}#xray:traces/query with ${expression}`,
      `Then: docs/runbook.md#${runbook}`,
    ].join('\n'),
  };
}
