import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Receivers, startReceivers } from '../../src/receiver/server.ts';
import { knownReceivers } from '../../src/services/index.ts';
import { openStore, type Store } from '../../src/store/index.ts';
import { jsonSpan, jsonTraceRequest, sampleSpanId, sampleTraceId } from '../services/otlp/requests.ts';

const sampleRequestId = 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef';
const root = `1-${sampleTraceId.slice(0, 8)}-${sampleTraceId.slice(8)}`;
const group = { logGroupName: '/aws/lambda/home', logStreamName: 'stream' };

describe('what each tool was sent of one request', () => {
  let store: Store;
  let receivers: Receivers;
  beforeAll(async () => {
    store = await openStore({ file: ':memory:' });
    receivers = await startReceivers({ port: 0, receivers: knownReceivers, sink: store });
  });
  afterAll(async () => {
    await receivers.stop();
    await store.close();
  });

  const post = (path: string, body: string, headers = {}) =>
    fetch(`http://127.0.0.1:${receivers.port}${path}`, {
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
      'trace.trace_id': sampleTraceId,
      'trace.span_id': '00f067aa0ba902b7',
      'trace.parent_id': sampleSpanId,
      name: 'mock-data',
      duration_ms: 2,
    };
    await post('/1/events/cruddur', JSON.stringify(event), {
      'x-honeycomb-team': 'k',
      'x-honeycomb-event-time': '2026-11-22T12:00:00.001Z',
    });
    const item = {
      environment: 'test',
      custom: { trace_id: sampleTraceId },
      body: { trace: { frames: [], exception: { class: 'TypeError', message: 'no' } } },
    };
    await post('/api/1/item/', JSON.stringify({ data: item }), { 'x-rollbar-access-token': 'k' });
    const client = new CloudWatchLogsClient({
      endpoint: `http://127.0.0.1:${receivers.port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    await client.send(new CreateLogGroupCommand(group));
    await client.send(new CreateLogStreamCommand(group));
    const timestamp = Date.now();
    const _aws = {
      Timestamp: timestamp,
      CloudWatchMetrics: [{ Namespace: 'N', Dimensions: [[]], Metrics: [{ Name: 'latency' }] }],
    };
    const messages = [
      `START RequestId: ${sampleRequestId} Version: $LATEST`,
      JSON.stringify({ level: 'INFO', message: 'read', xray_trace_id: root, span_id: sampleSpanId }),
      JSON.stringify({ _aws, latency: 12, trace_id: sampleTraceId }),
      JSON.stringify({ _aws, latency: 13, RequestId: sampleRequestId }),
      JSON.stringify({ _aws, latency: 14, requestId: 'another' }),
      `REPORT RequestId: ${sampleRequestId}\tDuration: 12.34 ms\tXRAY TraceId: ${root}\tSegmentId: ${sampleSpanId}\tSampled: true`,
    ];
    await client.send(
      new PutLogEventsCommand({ ...group, logEvents: messages.map((message) => ({ timestamp, message })) }),
    );
    client.destroy();
    await store.flush();

    const trace = await store.trace(sampleTraceId);
    expect(store.rejections()).toEqual([]);
    expect(trace?.roots).toMatchObject([
      {
        id: sampleSpanId,
        name: 'home-activities',
        sources: ['otlp'],
        children: [{ name: 'mock-data', sources: ['honeycomb'] }],
      },
    ]);
    expect(trace?.errors).toMatchObject([{ title: 'TypeError: no' }]);
    // The START line and one of the metrics name no trace: they come by the request that the REPORT
    // line ties to it.
    expect(trace?.metrics).toMatchObject([
      { namespace: 'N', name: 'latency', values: [12] },
      { namespace: 'N', name: 'latency', values: [13] },
    ]);
    const own = messages.filter((message) => !message.includes('another'));
    expect(trace?.logs.map(({ message }) => message).sort()).toEqual(own.sort());
  });
});
