import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as JsonTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningReceivers, runReceivers } from '../../receiver/collecting-sink.ts';

describe('the exporters of OpenTelemetry for JavaScript', () => {
  let running: RunningReceivers;
  beforeEach(async () => {
    running = await runReceivers();
  });
  afterEach(() => running.receivers.stop());

  const gzip = 'gzip' as never;
  const traceExporters: [string, (url: string) => SpanExporter][] = [
    ['protobuf', (url) => new ProtobufTraceExporter({ url })],
    ['protobuf with gzip', (url) => new ProtobufTraceExporter({ url, compression: gzip })],
    ['JSON', (url) => new JsonTraceExporter({ url })],
    ['JSON with gzip', (url) => new JsonTraceExporter({ url, compression: gzip })],
  ];

  it.each(traceExporters)('send spans as %s that arrive whole', async (_name, exporterFor) => {
    const exporter = exporterFor(`${running.url}/v1/traces`);
    const provider = new TracerProvider({ spanProcessors: [new BatchSpanProcessor({ exporter })] });
    const tracer = provider.getTracer('cruddur.activities', '1.2.3');
    const root = tracer.startSpan('GET /api/activities/home', {
      kind: SpanKind.SERVER,
      startTime: [1_795_363_200, 1],
      attributes: {
        'app.user_id': 'andrewbrown',
        'app.result_length': 3,
        'app.ratio': 0.5,
        'app.ok': true,
        tags: ['a', 'b'],
      },
    });
    root.setAttribute('SampleRate', 20);
    root.addEvent('cache.miss', { key: 'home' }, [1_795_363_200, 2_000_001]);
    const context = root.spanContext();
    root.addLink({ context: { ...context, spanId: '00f067aa0ba902b7' }, attributes: { why: 'retry' } });
    const child = tracer.startSpan('query', { kind: SpanKind.CLIENT }, trace.setSpan(ROOT_CONTEXT, root));
    child.setStatus({ code: SpanStatusCode.ERROR, message: 'throttled' });
    child.end();
    root.end([1_795_363_200, 7_000_002]);
    await provider.forceFlush();
    await provider.shutdown();

    expect(running.sink.rejections).toEqual([]);
    const received = running.sink.spans.find((span) => span.spanId === context.spanId);
    expect(received).toMatchObject({
      source: 'otlp',
      traceId: context.traceId,
      name: 'GET /api/activities/home',
      kind: 'server',
      startNanoseconds: 1_795_363_200_000_000_001n,
      endNanoseconds: 1_795_363_200_007_000_002n,
      status: 'unset',
      scopeName: 'cruddur.activities',
      scopeVersion: '1.2.3',
      attributes: {
        'app.user_id': 'andrewbrown',
        'app.result_length': 3,
        'app.ratio': 0.5,
        'app.ok': true,
        tags: ['a', 'b'],
      },
      events: [{ name: 'cache.miss', timeNanoseconds: 1_795_363_200_002_000_001n, attributes: { key: 'home' } }],
      links: [{ traceId: context.traceId, spanId: '00f067aa0ba902b7', attributes: { why: 'retry' } }],
      sampleRate: 20,
    });
    expect(received?.parentId).toBeUndefined();
    expect(received?.attributes).not.toHaveProperty('SampleRate');
    expect(received?.resource).toHaveProperty('telemetry.sdk.language', 'nodejs');
    expect(running.sink.spans.find((span) => span.name === 'query')).toMatchObject({
      parentId: context.spanId,
      kind: 'client',
      status: 'error',
      statusMessage: 'throttled',
      sampleRate: 1,
    });
  });

  it('send metrics: a counter, a gauge and histograms', async () => {
    const exporter = new OTLPMetricExporter({ url: `${running.url}/v1/metrics` });
    const reader = new PeriodicExportingMetricReader({
      exporter,
      exportIntervalMillis: 60_000,
      exportTimeoutMillis: 10_000,
    });
    const provider = new MeterProvider({ readers: [reader] });
    const meter = provider.getMeter('cruddur', '1.0.0');
    meter.createCounter('requests', { unit: '1', description: 'Requests' }).add(3, { route: 'home', code: 200 });
    meter.createGauge('queue.length').record(7.5);
    const latency = meter.createHistogram('latency', { unit: 'ms', advice: { explicitBucketBoundaries: [10, 100] } });
    for (const value of [5, 50, 500]) latency.record(value);
    await provider.forceFlush();
    await provider.shutdown();

    const named = (name: string) => running.sink.metrics.find((metric) => metric.name === name);
    expect(named('requests')).toMatchObject({
      source: 'otlp',
      unit: '1',
      description: 'Requests',
      type: 'sum',
      monotonic: true,
      temporality: 'cumulative',
      dimensions: { route: 'home', code: '200' },
      values: [3],
      scopeName: 'cruddur',
    });
    expect(named('queue.length')).toMatchObject({ type: 'gauge', values: [7.5] });
    expect(named('latency')).toMatchObject({
      type: 'histogram',
      values: [],
      distribution: { count: 3, sum: 555, min: 5, max: 500, bounds: [10, 100], counts: [1, 1, 1] },
    });
    expect(Math.abs((named('requests')?.timeMilliseconds ?? 0) - Date.now())).toBeLessThan(600_000);
  });

  it('send log records with the ids of their span', async () => {
    const exporter = new OTLPLogExporter({ url: `${running.url}/v1/logs` });
    const provider = new LoggerProvider({ processors: [new BatchLogRecordProcessor({ exporter })] });
    const spanContext = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
    provider.getLogger('cruddur').emit({
      timestamp: 1_795_363_200_123,
      severityNumber: 17,
      severityText: 'ERROR',
      body: 'could not read the feed',
      attributes: { 'faas.invocation_id': 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef', attempt: 2 },
      context: trace.setSpanContext(ROOT_CONTEXT, spanContext),
    });
    provider.getLogger('cruddur').emit({ severityNumber: 9, body: { activity: { uuid: 'x' } } });
    await provider.forceFlush();
    await provider.shutdown();

    expect(running.sink.logs[0]).toMatchObject({
      source: 'otlp',
      timeMilliseconds: 1_795_363_200_123,
      message: 'could not read the feed',
      level: 'ERROR',
      traceId: spanContext.traceId,
      spanId: spanContext.spanId,
      requestId: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef',
      attributes: { attempt: 2 },
    });
    expect(running.sink.logs[1]).toMatchObject({ message: '{"activity":{"uuid":"x"}}', level: 'INFO' });
    expect(running.sink.logs[1]?.traceId).toBeUndefined();
  });
});
