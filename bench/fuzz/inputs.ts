import type { Random } from './random.ts';

/** The rows that one valid record of a receiver adds to its trace. */
export interface Expected {
  kind: 'node' | 'log' | 'error';
  /** The trace's id, 32 hexadecimal digits; each valid record has a trace of its own. */
  traceId: string;
  /** The input, cut to a length, for debugging a loss. */
  body: string;
}

/** A receiver: how its requests are made of records, and what a valid record looks like. */
export interface Input {
  name: string;
  protocol: 'http' | 'udp';
  path: string;
  headers: Record<string, string>;
  /** How many records one request may hold beside each other. */
  records: 'one' | 'many';
  record(traceId: string, random: Random): unknown;
  /** @returns the request's body as a value of JSON. */
  body(records: unknown[]): unknown;
  expects: Expected['kind'];
}

const json = { 'content-type': 'application/json' };
const nanoseconds = () => `${BigInt(Date.now()) * 1_000_000n}`;
const xrayId = (traceId: string) => `1-${traceId.slice(0, 8)}-${traceId.slice(8)}`;

function attributes(random: Random) {
  return [
    { key: 'app.text', value: { stringValue: `text ${random.below(1000)}` } },
    { key: 'app.number', value: { intValue: String(random.below(1e9)) } },
    { key: 'app.list', value: { arrayValue: { values: [{ doubleValue: random.next() }, { boolValue: true }] } } },
  ];
}

export const inputs: Input[] = [
  {
    name: 'X-Ray, UDP',
    protocol: 'udp',
    path: '',
    headers: {},
    records: 'one',
    expects: 'node',
    record: (traceId, random) => ({
      name: 'fuzz',
      id: random.hex(16),
      trace_id: xrayId(traceId),
      start_time: Date.now() / 1000,
      end_time: Date.now() / 1000 + random.next(),
      annotations: { number: random.below(100), text: 'a' },
      metadata: { default: { deep: [{ a: 1 }] } },
      http: { request: { method: 'GET', url: 'http://a/b' }, response: { status: 200 } },
    }),
    body: ([record]) => record,
  },
  {
    name: 'OTLP traces, JSON',
    protocol: 'http',
    path: '/v1/traces',
    headers: json,
    records: 'many',
    expects: 'node',
    record: (traceId, random) => ({
      traceId,
      spanId: random.hex(16),
      name: 'fuzz',
      kind: 2,
      startTimeUnixNano: nanoseconds(),
      endTimeUnixNano: nanoseconds(),
      attributes: attributes(random),
      events: [{ name: 'event', timeUnixNano: nanoseconds(), attributes: attributes(random) }],
      status: { code: 1 },
    }),
    body: (spans) => ({ resourceSpans: [{ resource: { attributes: [] }, scopeSpans: [{ spans }] }] }),
  },
  {
    name: 'OTLP logs, JSON',
    protocol: 'http',
    path: '/v1/logs',
    headers: json,
    records: 'many',
    expects: 'log',
    record: (traceId, random) => ({
      timeUnixNano: nanoseconds(),
      severityText: 'INFO',
      body: { stringValue: `line ${random.below(1000)}` },
      attributes: attributes(random),
      traceId,
      spanId: random.hex(16),
    }),
    body: (logRecords) => ({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }),
  },
  {
    name: 'Honeycomb batch',
    protocol: 'http',
    path: '/1/batch/fuzz',
    headers: { ...json, 'x-honeycomb-team': 'local' },
    records: 'many',
    expects: 'node',
    record: (traceId, random) => ({
      time: new Date().toISOString(),
      samplerate: 1,
      data: {
        'trace.trace_id': traceId,
        'trace.span_id': random.hex(16),
        name: 'fuzz',
        duration_ms: random.below(100),
      },
    }),
    body: (events) => events,
  },
  {
    name: 'CloudWatch PutLogEvents',
    protocol: 'http',
    path: '/',
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'Logs_20140328.PutLogEvents' },
    records: 'many',
    expects: 'log',
    record: (traceId, random) => ({
      timestamp: Date.now(),
      message: JSON.stringify({ level: 'INFO', message: `line ${random.below(1000)}`, xray_trace_id: xrayId(traceId) }),
    }),
    body: (logEvents) => ({ logGroupName: '/fuzz', logStreamName: 'fuzz', logEvents }),
  },
  {
    name: 'Rollbar item',
    protocol: 'http',
    path: '/api/1/item/',
    headers: { ...json, 'x-rollbar-access-token': 'local' },
    records: 'one',
    expects: 'error',
    record: (traceId) => ({
      environment: 'fuzz',
      custom: { trace_id: traceId },
      body: {
        trace: { frames: [{ filename: 'a.ts', lineno: 1, method: 'a' }], exception: { class: 'Error', message: 'no' } },
      },
    }),
    body: ([data]) => ({ data }),
  },
];
