import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spansOf } from '../src/telemetry/back-end.ts';
import { type Stage, startStage } from '../src/telemetry/stage.ts';

describe.each([
  ['http/protobuf', 'application/x-protobuf'],
  ['http/json', 'application/json'],
])('OTLP as %s, with OTEL_EXPORTER_OTLP_COMPRESSION=gzip', (protocol, type) => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await startStage({
      layer: true,
      timeoutSeconds: 1,
      environment: { OTEL_EXPORTER_OTLP_PROTOCOL: protocol, OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' },
    });
  });
  afterAll(() => stage.stop());

  it('is what is sent after an answer', async () => {
    const { traceId } = await stage.invoke({ path: '/ok' });
    const [delivery] = await stage.otlp.received(1);
    const spans = await spansOf(stage.otlp.deliveries);

    expect(delivery?.headers).toMatchObject({ 'content-encoding': 'gzip', 'content-type': type });
    expect(spans.map((span) => span.traceId)).toEqual(Array.from({ length: 6 }, () => traceId));
    expect(stage.lines.filter(({ message }) => message.includes('WARN'))).toEqual([]);
  });

  // The last 25 ms are a real deadline: see deadline.test.ts.
  it('is what is sent before a deadline', { retry: 2 }, async () => {
    const before = stage.otlp.deliveries.length;
    const { traceId } = await stage.invoke({ path: '/hang' });
    const deliveries = (await stage.otlp.received(before + 1)).slice(before);

    expect(deliveries[0]?.headers).toMatchObject({ 'content-encoding': 'gzip' });
    expect((await spansOf(deliveries)).filter((span) => span.traceId === traceId)).toHaveLength(2);
  });
});
