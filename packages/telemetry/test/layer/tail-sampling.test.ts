import { createHash } from 'node:crypto';
import { ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { type IdGenerator, type ReadableSpan, TracerProvider } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import { TailProcessor } from '../../layer/tail-processor.ts';
import { type Backend, type Batch, BatchQueue } from '../../src/export/batch-queue.ts';

/** Takes what the processor hands over, before anything is sent. */
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

/**
 * Ids that look random and are the same in every run: a test of chances that is left to chance
 * fails now and then.
 */
class RepeatableIds implements IdGenerator {
  #count = 0;

  generateTraceId(): string {
    this.#count += 1;
    return createHash('sha256').update(String(this.#count)).digest('hex').slice(0, 32);
  }

  generateSpanId(): string {
    return this.generateTraceId().slice(0, 16);
  }
}

interface Request {
  route: string;
  status: number;
  milliseconds: number;
}

function run(requests: readonly Request[], sampleRate: number): ReadableSpan[] {
  const recorder = new Recorder();
  const processor = new TailProcessor(recorder, backend, { sampleRate, slowMilliseconds: 1_000 });
  const tracer = new TracerProvider({ idGenerator: new RepeatableIds(), spanProcessors: [processor] }).getTracer(
    'test',
  );
  for (const { route, status, milliseconds } of requests) {
    const start = 1_795_363_295_000;
    const span = tracer.startSpan('request', {
      startTime: start,
      attributes: { route, 'http.response.status_code': status },
    });
    if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(start + milliseconds);
  }
  return recorder.spans;
}

const weight = (spans: readonly ReadableSpan[]): number =>
  spans.reduce((sum, { attributes }) => sum + Number(attributes.SampleRate), 0);

describe('sampling at the end', () => {
  it('keeps every error and every slow request, each standing for itself', () => {
    const spans = run(
      [
        { route: 'a', status: 500, milliseconds: 1 },
        { route: 'b', status: 404, milliseconds: 1 },
        { route: 'c', status: 200, milliseconds: 1_000 },
        { route: 'd', status: 200, milliseconds: 999 },
      ],
      Number.POSITIVE_INFINITY,
    );

    expect(spans.map(({ attributes }) => [attributes.route, attributes.SampleRate])).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ]);
  });

  it('comes out right within 2 % over 100,000 requests: in all, by route, errors, and the sum of durations', () => {
    const requests = Array.from({ length: 100_000 }, (_, index): Request => {
      const route = ['home', 'search', 'messages'][index % 3] ?? '';
      const status = index % 50 === 0 ? 500 : 200;
      return { route, status, milliseconds: index % 200 === 7 ? 2_000 : 10 + (index % 90) };
    });
    const spans = run(requests, 4);
    const within = (actual: number, expected: number): void => {
      expect(Math.abs(actual / expected - 1)).toBeLessThan(0.02);
    };

    expect(spans.length).toBeLessThan(40_000);
    within(weight(spans), requests.length);
    for (const route of ['home', 'search', 'messages']) {
      within(
        weight(spans.filter(({ attributes }) => attributes.route === route)),
        requests.filter((request) => request.route === route).length,
      );
    }
    expect(weight(spans.filter(({ status }) => status.code === SpanStatusCode.ERROR))).toBe(2_000);
    within(
      spans.reduce((sum, { attributes, duration }) => {
        return sum + Number(attributes.SampleRate) * (duration[0] * 1_000 + duration[1] / 1e6);
      }, 0),
      requests.reduce((sum, { milliseconds }) => sum + milliseconds, 0),
    );
  });

  it.each([
    ['a counter at the end', (index: number) => `4bf92f3577b34da6${index.toString(16).padStart(16, '0')}`],
    [
      'a counter at the beginning, then zeros',
      (index: number) => (index + 1).toString(16).padStart(16, 'a').padEnd(32, '0'),
    ],
    [
      'UUIDs of version 1 of one machine',
      (index: number) => `${index.toString(16).padStart(8, '0')}a2b311f09a410242ac110002`,
    ],
  ])('stands for all of 100,000 requests, whose trace ids callers have made of %s', (_name, traceId) => {
    const recorder = new Recorder();
    const processor = new TailProcessor(recorder, backend, { sampleRate: 4, slowMilliseconds: 1_000 });
    const tracer = new TracerProvider({ spanProcessors: [processor] }).getTracer('test');
    for (let index = 0; index < 100_000; index += 1) {
      const caller = { traceId: traceId(index), spanId: '00f067aa0ba902b7', traceFlags: 1, isRemote: true };
      tracer.startSpan('request', {}, trace.setSpanContext(ROOT_CONTEXT, caller)).end();
    }

    expect(Math.abs(weight(recorder.spans) / 100_000 - 1)).toBeLessThan(0.02);
  });

  it('keeps or drops a trace as a whole, and gives all its spans one rate', () => {
    const recorder = new Recorder();
    const processor = new TailProcessor(recorder, backend, { sampleRate: 3, slowMilliseconds: 1_000 });
    const tracer = new TracerProvider({ idGenerator: new RepeatableIds(), spanProcessors: [processor] }).getTracer(
      'test',
    );
    for (let index = 0; index < 300; index += 1) {
      const root = tracer.startSpan('root');
      const context = trace.setSpan(ROOT_CONTEXT, root);
      tracer.startSpan('child', {}, context).end();
      const late = tracer.startSpan('late child', {}, context);
      root.end();
      late.end();
      const begunLate = tracer.startSpan('begun when the root has ended', {}, context);
      if (index % 2) begunLate.setStatus({ code: SpanStatusCode.ERROR });
      begunLate.end();
    }
    const perTrace = new Map<string, number>();
    for (const span of recorder.spans) {
      perTrace.set(span.spanContext().traceId, (perTrace.get(span.spanContext().traceId) ?? 0) + 1);
      expect(span.attributes.SampleRate).toBe(3);
    }

    expect(new Set(perTrace.values())).toEqual(new Set([4]));
    expect(perTrace.size).toBeGreaterThan(0);
    expect(perTrace.size).toBeLessThan(300);
  });

  it('keeps what an error has left running with it, and gives it the same rate', () => {
    const recorder = new Recorder();
    const processor = new TailProcessor(recorder, backend, { sampleRate: 1_000, slowMilliseconds: 1_000 });
    const tracer = new TracerProvider({ idGenerator: new RepeatableIds(), spanProcessors: [processor] }).getTracer(
      'test',
    );
    const root = tracer.startSpan('root', { attributes: { 'http.response.status_code': 500 } });
    root.end();
    tracer.startSpan('begun when the root has ended', {}, trace.setSpan(ROOT_CONTEXT, root)).end();

    expect(recorder.spans.map(({ name, attributes }) => [name, attributes.SampleRate])).toEqual([
      ['root', 1],
      ['begun when the root has ended', 1],
    ]);
  });
});
