import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { spansOf } from '../harness/back-end.ts';
import { type LambdaHarness, startLambdaHarness } from '../harness/lambda-harness.ts';

describe.each([
  ['http/protobuf', 'application/x-protobuf'],
  ['http/json', 'application/json'],
])('OTLP as %s, with OTEL_EXPORTER_OTLP_COMPRESSION=gzip', (protocol, type) => {
  let harness: LambdaHarness;

  beforeAll(async () => {
    harness = await startLambdaHarness({
      layer: true,
      timeoutSeconds: 1,
      environment: { OTEL_EXPORTER_OTLP_PROTOCOL: protocol, OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' },
    });
  });
  afterAll(() => harness.stop());

  it('is what is sent after an answer', async () => {
    const { traceId } = await harness.invoke({ path: '/ok' });
    const [delivery] = await harness.otlp.received(1);
    const spans = await spansOf(harness.otlp.deliveries);

    expect(delivery?.headers).toMatchObject({ 'content-encoding': 'gzip', 'content-type': type });
    expect(spans.map((span) => span.traceId)).toEqual(Array.from({ length: 6 }, () => traceId));
    expect(harness.lines.filter(({ message }) => message.includes('WARN'))).toEqual([]);
  });

  // The last 25 ms are a real deadline: see deadline.test.ts.
  it('is what is sent before a deadline', { retry: 2 }, async () => {
    const before = harness.otlp.deliveries.length;
    const { traceId } = await harness.invoke({ path: '/hang' });
    const deliveries = (await harness.otlp.received(before + 1)).slice(before);

    expect(deliveries[0]?.headers).toMatchObject({ 'content-encoding': 'gzip' });
    expect((await spansOf(deliveries)).filter((span) => span.traceId === traceId)).toHaveLength(2);
  });
});
