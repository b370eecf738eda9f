import { statisticsOf } from '../../src/trace/statistics.ts';
import type { Trace, TraceNode } from '../../src/trace/trace.ts';

const start = Date.UTC(2026, 10, 22, 15, 44, 1, 123);

/**
 * A node with everything that a test does not name left at nothing. Times are milliseconds after
 * the start of the sample trace.
 */
export function node(name: string, from: number, to: number | undefined, more: Partial<TraceNode> = {}): TraceNode {
  return {
    id: Buffer.from(name.padEnd(8).slice(-8)).toString('hex'),
    name,
    type: 'subsegment',
    sources: ['xray'],
    start: start + from,
    ...(to === undefined ? {} : { end: start + to, duration: to - from }),
    inProgress: to === undefined,
    orphan: false,
    error: false,
    fault: false,
    throttle: false,
    exceptions: [],
    annotations: {},
    metadata: {},
    attributes: {},
    children: [],
    ...more,
  };
}

export function trace(roots: TraceNode[], more: Partial<Trace> = {}): Trace {
  return {
    id: '6561dad1a1b2c3d4e5f60718293a4b5c',
    xrayId: '1-6561dad1-a1b2c3d4e5f60718293a4b5c',
    start,
    end: start + 342,
    duration: 342,
    inProgress: false,
    error: false,
    fault: false,
    throttle: false,
    coldStart: false,
    roots,
    logs: [],
    metrics: [],
    errors: [],
    ...more,
  };
}

/** A cold request that succeeds. */
export function coldRequest(): Trace {
  const both: Partial<TraceNode> = { sources: ['xray', 'otlp'] };
  const query = node('DynamoDB', 310, 318, {
    ...both,
    namespace: 'aws',
    aws: { operation: 'Query', table_name: 'cruddur-dev', region: 'us-east-1' },
    attributes: { 'rpc.method': 'Query', 'cloud.region': 'us-east-1' },
    metadata: { default: { 'rpc.method': 'Query', 'cloud.region': 'us-east-1' } },
    http: { status: 200 },
  });
  const batch = node('DynamoDB', 319, 326.5, {
    ...both,
    namespace: 'aws',
    aws: { operation: 'BatchGetItem', table_name: 'cruddur-dev' },
  });
  const capability = node('activities_home', 308, 328, {
    ...both,
    annotations: { app_result_length: 5, app_user_id: 'andrewbrown' },
    attributes: { 'app.result_length': 5, 'app.user_id': 'andrewbrown' },
    children: [query, batch],
  });
  const handler = node('## handlers/home.handler', 304, 331, {
    ...both,
    annotations: { ColdStart: true, Service: 'cruddur', route: 'GET /api/activities/home', duration_ms: 26.4 },
    children: [capability],
  });
  const lambda = node('cruddur-dev-home', 296, 339, {
    type: 'segment',
    origin: 'AWS::Lambda::Function',
    annotations: { 'aws.responseLatency': 3 },
    children: [node('Init', 21, 290), handler],
  });
  const service = node('cruddur-dev-home', 3, 336, {
    type: 'segment',
    origin: 'AWS::Lambda',
    http: { status: 200 },
    children: [lambda],
  });
  const stage = node('dev-cruddur/dev', 0, 342, {
    type: 'segment',
    origin: 'AWS::ApiGateway::Stage',
    http: { method: 'GET', url: 'http://127.0.0.1:3000/api/activities/home', status: 200 },
    children: [
      node('Lambda', 2, 340, { namespace: 'aws', aws: { function_name: 'cruddur-dev-home' }, children: [service] }),
    ],
  });
  const log = { logGroup: '/aws/lambda/cruddur-dev-home', requestId: '8f2f5a1c-0000-4000-8000-000000000000' };
  const json = (fields: Record<string, unknown>) =>
    JSON.stringify({
      service: 'cruddur',
      xray_trace_id: '1-6561dad1-a1b2c3d4e5f60718293a4b5c',
      timestamp: '2026-11-22T15:44:01.430Z',
      ...fields,
    });
  return trace([stage], {
    coldStart: true,
    http: { method: 'GET', url: 'http://127.0.0.1:3000/api/activities/home', status: 200 },
    user: 'andrewbrown',
    logs: [
      { ...log, time: start + 296, message: 'START RequestId: 8f2f5a1c-0000-4000-8000-000000000000 Version: $LATEST' },
      { ...log, time: start + 309, message: json({ level: 'INFO', message: 'reading the home feed', limit: 20 }) },
      {
        ...log,
        time: start + 330,
        message: json({
          level: 'INFO',
          message: 'request',
          route: 'GET /api/activities/home',
          status: 200,
          duration_ms: 26.4,
          cold_start: true,
          user_id: 'andrewbrown',
          db_calls: 2,
          db_ms: 15.5,
        }),
      },
      { ...log, time: start + 331, message: json({ _aws: { Timestamp: start, CloudWatchMetrics: [] }, requests: 1 }) },
      {
        ...log,
        time: start + 339,
        message:
          'REPORT RequestId: 8f2f5a1c-0000-4000-8000-000000000000\tDuration: 43.00 ms\tBilled Duration: 43 ms\tMemory Size: 512 MB\tMax Memory Used: 96 MB\tInit Duration: 269.00 ms\tXRAY TraceId: 1-6561dad1-a1b2c3d4e5f60718293a4b5c\tSegmentId: 1111111111111111\tSampled: true',
      },
    ],
    metrics: [
      {
        time: start,
        namespace: 'cruddur',
        name: 'requests',
        unit: 'Count',
        dimensions: { route: 'home' },
        values: [1],
        statistics: statisticsOf([1]),
      },
      {
        time: start,
        namespace: 'cruddur',
        name: 'latency',
        unit: 'Milliseconds',
        dimensions: { route: 'home' },
        values: [26.4],
        statistics: statisticsOf([26.4]),
      },
      {
        time: start,
        namespace: 'cruddur',
        name: 'cold_starts',
        unit: 'Count',
        dimensions: { route: 'home' },
        values: [1],
        statistics: statisticsOf([1]),
      },
    ],
  });
}

/** A warm request that dies of a table that is not there. */
export function faultyRequest(): Trace {
  const exceptions = [
    {
      type: 'ResourceNotFoundException',
      message:
        'Cannot do operations on a non-existent table: cruddur-dev. Requested resource not found, and nothing but words follows',
      stack: [
        { path: '/var/task/node_modules/@smithy/core/index.js', line: 1204, label: 'throwDefaultError' },
        { path: '/var/task/src/activities/repository.ts', line: 42, label: 'readFeed' },
      ],
    },
  ];
  const query = node('DynamoDB', 10, 18, {
    namespace: 'aws',
    aws: { operation: 'Query', table_name: 'cruddur-dev' },
    http: { status: 400 },
    error: true,
    fault: true,
    exceptions,
  });
  const handler = node('## handlers/home.handler', 5, 30, { fault: true, exceptions, children: [query] });
  const lambda = node('cruddur-dev-home', 3, 34, {
    type: 'segment',
    origin: 'AWS::Lambda::Function',
    fault: true,
    children: [handler],
  });
  const stage = node('dev-cruddur/dev', 0, 36, {
    type: 'segment',
    origin: 'AWS::ApiGateway::Stage',
    fault: true,
    http: { method: 'GET', url: 'http://127.0.0.1:3000/api/activities/home?limit=5', status: 500 },
    children: [lambda],
  });
  return trace([stage], {
    end: start + 36,
    duration: 36,
    fault: true,
    http: { method: 'GET', url: 'http://127.0.0.1:3000/api/activities/home?limit=5', status: 500 },
    logs: [
      {
        time: start + 29,
        level: 'ERROR',
        logGroup: '/aws/lambda/cruddur-dev-home',
        message: JSON.stringify({
          level: 'ERROR',
          message: 'the request failed',
          error: { name: 'ResourceNotFoundException', message: 'Cannot do operations on a non-existent table' },
        }),
      },
    ],
    errors: [
      {
        time: start + 29,
        uuid: 'e1',
        level: 'error',
        title: 'ResourceNotFoundException: Cannot do operations on a non-existent table',
        fingerprint: 'abc',
      },
    ],
  });
}
