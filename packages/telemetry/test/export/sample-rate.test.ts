import { createHash } from 'node:crypto';
import { SpanStatusCode } from '@opentelemetry/api';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { type ReadableSpan, TracerProvider } from '@opentelemetry/sdk-trace';
import { knownReceivers, openStore, type Receivers, type Store, startReceivers } from 'serverless-throughline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TailProcessor } from '../../layer/tail-processor.ts';
import { type Backend, type Batch, BatchQueue } from '../../src/export/batch-queue.ts';

/** Takes what the layer would send. */
class Recorder extends BatchQueue {
  readonly spans: ReadableSpan[] = [];

  constructor() {
    super(() => {});
  }

  override add({ payload }: Batch): void {
    this.spans.push(...(payload as ReadableSpan[]));
  }
}

const backend: Backend = {
  name: 'OTLP',
  unit: 'spans',
  recordsPerPost: 512,
  url: '',
  build: () => ({ headers: {}, body: '' }),
};

interface Request {
  route: string;
  status: number;
  milliseconds: number;
}

const requests = Array.from({ length: 100_000 }, (_, index): Request => {
  const route = ['home', 'home', 'search', 'messages'][index % 4] ?? '';
  const status = index % 50 === 0 ? 500 : index % 40 === 1 ? 404 : 200;
  return { route, status, milliseconds: index % 200 === 7 ? 2_000 : 10 + ((index * 7) % 90) };
});

/** How one asks of spans that stand for several each. */
const query = `
  SELECT "http.route" AS route, sum(sample_rate) AS requests, sum(sample_rate * duration_ms) AS milliseconds,
    sum(sample_rate * duration_ms) / sum(sample_rate) AS average,
    sum(sample_rate) FILTER ("http.response.status_code" >= 400) AS failed
  FROM spans GROUP BY GROUPING SETS (("http.route"), ())`;
const samplePercentile = `
  SELECT min(duration_ms) AS milliseconds
  FROM (SELECT duration_ms, sum(sample_rate) OVER (ORDER BY duration_ms) / sum(sample_rate) OVER () AS share FROM spans)
  WHERE share >= $1::DOUBLE`;

describe('100,000 requests of which the layer sent one ordinary one in ten', () => {
  let store: Store;
  let receivers: Receivers;
  let sent: number;
  beforeAll(async () => {
    store = await openStore({ file: ':memory:' });
    receivers = await startReceivers({ port: 0, receivers: knownReceivers, sink: store });
    const recorder = new Recorder();
    let ids = 0;
    // Chance that is the same in every run.
    const id = () => createHash('sha256').update(String(ids++)).digest('hex');
    const provider = new TracerProvider({
      idGenerator: { generateTraceId: () => id().slice(0, 32), generateSpanId: () => id().slice(0, 16) },
      spanProcessors: [new TailProcessor(recorder, backend, { sampleRate: 10, slowMilliseconds: 1_000 })],
    });
    const tracer = provider.getTracer('test');
    for (const { route, status, milliseconds } of requests) {
      const startTime = 1_795_363_295_000;
      const attributes = { 'http.route': route, 'http.response.status_code': status };
      const span = tracer.startSpan('request', { startTime, attributes });
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(startTime + milliseconds);
    }
    sent = recorder.spans.length;
    for (let at = 0; at < sent; at += 512) {
      await fetch(`http://127.0.0.1:${receivers.port}/v1/traces`, {
        method: 'POST',
        body: new Uint8Array(ProtobufTraceSerializer.serializeRequest(recorder.spans.slice(at, at + 512)) ?? []),
        headers: { 'content-type': 'application/x-protobuf' },
      });
    }
    await store.flush();
  });
  afterAll(async () => {
    await receivers.stop();
    await store.close();
  });

  it('count, add up and average in the store within 2 % of all of them, and by route within 4 %', async () => {
    expect(sent).toBeLessThan(16_000);
    const rows = await store.query(query);
    expect(rows).toHaveLength(4);
    for (const row of rows) {
      const own = requests.filter(({ route }) => row.route === null || row.route === route);
      const milliseconds = own.reduce((sum, request) => sum + request.milliseconds, 0);
      // A quarter of the requests scatters twice as much as all of them.
      const most = row.route === null ? 0.02 : 0.04;
      const off = (actual: unknown, expected: number) => Math.abs(Number(actual) / expected - 1);
      expect(off(row.requests, own.length), `${row.route}`).toBeLessThan(most);
      expect(off(row.milliseconds, milliseconds), `${row.route}`).toBeLessThan(most);
      expect(off(row.average, milliseconds / own.length), `${row.route}`).toBeLessThan(most);
      expect(Number(row.failed)).toBe(own.filter(({ status }) => status >= 400).length);
    }
  });

  it.each([0.5, 0.9, 0.95, 0.99, 0.999])('have the percentile %s of all of them within 2 %%', async (percentile) => {
    const durations = requests.map(({ milliseconds }) => milliseconds).sort((one, other) => one - other);
    const expected = durations[Math.ceil(percentile * durations.length) - 1] ?? 0;
    const [row] = await store.query(samplePercentile, [percentile]);
    expect(Math.abs(Number(row?.milliseconds) / expected - 1)).toBeLessThan(0.02);
  });
});
