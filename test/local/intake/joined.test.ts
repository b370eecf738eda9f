import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTelemetryIntake, type TelemetryIntake } from '../../../local/intake/index.ts';
import { openStore, type Store } from '../../../local/store/index.ts';
import { jsonSpan, jsonTraceRequest, SPAN_ID, TRACE_ID } from './otlp/requests.ts';

const REQUEST_ID = 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef';
const ROOT = `1-${TRACE_ID.slice(0, 8)}-${TRACE_ID.slice(8)}`;
const GROUP = { logGroupName: '/aws/lambda/home', logStreamName: 'stream' };

describe('what each tool was sent of one request', () => {
  let store: Store;
  let intake: TelemetryIntake;
  beforeAll(async () => {
    store = await openStore({ file: ':memory:' });
    intake = await startTelemetryIntake({ port: 0, sink: store });
  });
  afterAll(async () => {
    await intake.stop();
    await store.close();
  });

  const post = (path: string, body: string, headers = {}) =>
    fetch(`http://127.0.0.1:${intake.port}${path}`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });

  it('is one trace in the store: spans, log lines, metrics and the error', async () => {
    const attributes = [
      { key: 'app.large', value: { intValue: '9007199254740993' } },
      {
        key: 'app.nested',
        value: { kvlistValue: { values: [{ key: 'a', value: { arrayValue: { values: [{}] } } }] } },
      },
    ];
    await post('/v1/traces', jsonTraceRequest([jsonSpan({ attributes })]));
    const event = {
      'trace.trace_id': TRACE_ID,
      'trace.span_id': '00f067aa0ba902b7',
      'trace.parent_id': SPAN_ID,
      name: 'mock-data',
      duration_ms: 2,
    };
    await post('/1/events/cruddur', JSON.stringify(event), {
      'x-honeycomb-team': 'k',
      'x-honeycomb-event-time': '2026-11-22T12:00:00.001Z',
    });
    const item = {
      environment: 'test',
      custom: { trace_id: TRACE_ID },
      body: { trace: { frames: [], exception: { class: 'TypeError', message: 'no' } } },
    };
    await post('/api/1/item/', JSON.stringify({ data: item }), { 'x-rollbar-access-token': 'k' });
    const client = new CloudWatchLogsClient({
      endpoint: `http://127.0.0.1:${intake.port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    await client.send(new CreateLogGroupCommand(GROUP));
    await client.send(new CreateLogStreamCommand(GROUP));
    const timestamp = Date.now();
    const _aws = {
      Timestamp: timestamp,
      CloudWatchMetrics: [{ Namespace: 'N', Dimensions: [[]], Metrics: [{ Name: 'latency' }] }],
    };
    const messages = [
      `START RequestId: ${REQUEST_ID} Version: $LATEST`,
      JSON.stringify({ level: 'INFO', message: 'read', xray_trace_id: ROOT, span_id: SPAN_ID }),
      JSON.stringify({ _aws, latency: 12, trace_id: TRACE_ID }),
      JSON.stringify({ _aws, latency: 13, RequestId: REQUEST_ID }),
      JSON.stringify({ _aws, latency: 14, requestId: 'another' }),
      `REPORT RequestId: ${REQUEST_ID}\tDuration: 12.34 ms\tXRAY TraceId: ${ROOT}\tSegmentId: ${SPAN_ID}\tSampled: true`,
    ];
    await client.send(
      new PutLogEventsCommand({ ...GROUP, logEvents: messages.map((message) => ({ timestamp, message })) }),
    );
    client.destroy();
    await store.flush();

    const trace = await store.trace(TRACE_ID);
    expect(store.rejections()).toEqual([]);
    expect(trace?.roots).toMatchObject([
      {
        id: SPAN_ID,
        name: 'home-activities',
        sources: ['otlp'],
        children: [{ name: 'mock-data', sources: ['honeycomb'] }],
      },
    ]);
    expect(trace?.errors).toMatchObject([{ title: 'TypeError: no' }]);
    // The START line and one of the metrics name no trace: they come by the request that the REPORT line ties to it.
    expect(trace?.metrics).toMatchObject([
      { namespace: 'N', name: 'latency', values: [12] },
      { namespace: 'N', name: 'latency', values: [13] },
    ]);
    const own = messages.filter((message) => !message.includes('another'));
    expect(trace?.logs.map(({ message }) => message).sort()).toEqual(own.sort());
  });
});
