import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { extractMetrics, readEmbeddedMetrics, withEmf } from '../../../src/services/cloudwatch/emf.ts';
import type { LogRecord } from '../../../src/trace/records.ts';
import { collectingSink } from '../../receiver/collecting-sink.ts';

const now = Date.now();

const sampleTraceId = '5b8efff798038103d269b633813fc60c';

/** A document that is valid but for `changes`. */
function emf(changes: { aws?: object; directive?: object; root?: object } = {}): string {
  const directive = {
    Namespace: 'cruddur',
    Dimensions: [['route']],
    Metrics: [{ Name: 'latency', Unit: 'Milliseconds' }],
    ...changes.directive,
  };
  const _aws = { Timestamp: now, CloudWatchMetrics: [directive], ...changes.aws };
  return JSON.stringify({ _aws, route: '/api/activities/home', latency: 12.5, ...changes.root });
}

const line = (message: string): LogRecord => ({
  source: 'function',
  timeMilliseconds: 1,
  logGroup: '/aws/lambda/home',
  logStream: 's',
  message,
});

describe('a line in the embedded metric format', () => {
  it('yields a metric with its dimensions, unit, time and trace', () => {
    expect(extractMetrics(emf({ root: { xray_trace_id: `1-5b8efff7-${sampleTraceId.slice(8)}` } }))).toEqual([
      {
        source: 'emf',
        timeMilliseconds: now,
        namespace: 'cruddur',
        name: 'latency',
        unit: 'Milliseconds',
        dimensions: { route: '/api/activities/home' },
        values: [12.5],
        storageResolution: 60,
        traceId: sampleTraceId,
      },
    ]);
  });

  it('yields one metric for each set of dimensions, and one without any for an empty set', () => {
    const metrics = extractMetrics(
      emf({ directive: { Dimensions: [['route'], ['route', 'stage'], []] }, root: { stage: 'dev' } }),
    );
    expect(metrics.map(({ dimensions }) => dimensions)).toEqual([
      { route: '/api/activities/home' },
      { route: '/api/activities/home', stage: 'dev' },
      {},
    ]);
  });

  it('yields what Powertools writes', () => {
    vi.stubEnv('POWERTOOLS_DEV', 'true');
    vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false');
    const written: string[] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((text: string) => void written.push(text));
    const metrics = new Metrics({ namespace: 'cruddur', serviceName: 'activities' });
    metrics.addMetric('requests', MetricUnit.Count, 1);
    metrics.addMetric('latency', MetricUnit.Milliseconds, 5);
    metrics.addMetric('latency', MetricUnit.Milliseconds, 7);
    metrics.addMetadata('trace_id', sampleTraceId);
    metrics.publishStoredMetrics();
    log.mockRestore();
    vi.unstubAllEnvs();
    expect(written).toHaveLength(1);
    expect(extractMetrics(written[0] ?? '')).toMatchObject([
      { name: 'requests', unit: 'Count', values: [1], dimensions: { service: 'activities' }, traceId: sampleTraceId },
      { name: 'latency', unit: 'Milliseconds', values: [5, 7] },
    ]);
  });

  it.each([
    ['an invalid time', { aws: { Timestamp: 'now' } }, 'EMF Timestamp is not an epoch time'],
    ['no directives', { aws: { CloudWatchMetrics: {} } }, 'EMF CloudWatchMetrics is not an array'],
    ['no namespace', { directive: { Namespace: '' } }, 'EMF Namespace is missing or too long'],
    ['no metrics', { directive: { Metrics: 'latency' } }, 'EMF Metrics is not an array'],
    [
      'dimensions that are not sets',
      { directive: { Dimensions: ['route'] } },
      'EMF Dimensions is not an array of arrays',
    ],
    [
      'a dimension without a value',
      { directive: { Dimensions: [['absent']] } },
      'EMF dimension has no text at the root',
    ],
    ['31 dimensions', { directive: { Dimensions: [Array(31).fill('route')] } }, 'EMF set has more than 30 dimensions'],
    ['an unknown unit', { directive: { Metrics: [{ Name: 'latency', Unit: 'ms' }] } }, 'EMF unit is unknown'],
    [
      'a resolution of 5',
      { directive: { Metrics: [{ Name: 'latency', StorageResolution: 5 }] } },
      'EMF StorageResolution is neither 1 nor 60',
    ],
    [
      'a metric that is text',
      { root: { latency: '12' } },
      'EMF metric has no number, or over 100 of them, at the root',
    ],
    [
      '101 values',
      { root: { latency: Array(101).fill(1) } },
      'EMF metric has no number, or over 100 of them, at the root',
    ],
    [
      'a metric named after a method of objects',
      { directive: { Metrics: [{ Name: 'toString' }] } },
      'EMF metric has no number, or over 100 of them, at the root',
    ],
  ])('that has %s yields nothing, and is counted', (_name, changes, reason) => {
    expect(extractMetrics(emf(changes))).toEqual([]);
    const sink = collectingSink();
    withEmf(sink).log(line(emf(changes)));
    expect(sink.rejections).toMatchObject([{ intake: 'emf', reason }]);
    expect(sink.logs).toHaveLength(1);
  });

  it('keeps the valid metrics beside an invalid one, and the first hundred of more', () => {
    const Metrics = Array.from({ length: 101 }, (_, index) => ({ Name: `m${index}` }));
    const root = Object.fromEntries(Metrics.map(({ Name }, index) => [Name, index === 3 ? 'none' : index]));
    const { metrics, problems } = readEmbeddedMetrics(emf({ directive: { Metrics }, root }));
    expect(metrics).toHaveLength(99);
    expect(problems.map(({ reason }) => reason)).toHaveLength(2);
  });

  it.each([
    ['text', 'a line about "_aws"'],
    ['JSON with something before it', `INFO ${emf()}`],
    ['JSON with something behind it', `${emf()} done`],
    ['JSON that is cut off', emf().slice(0, -1)],
    ['a list', `[${emf()}]`],
    ['a nested document', JSON.stringify({ inner: JSON.parse(emf()) })],
  ])('is not one when it is %s: nothing is yielded, nothing counted', (_name, message) => {
    expect(readEmbeddedMetrics(message)).toEqual({ metrics: [], problems: [] });
  });

  it('never throws, whatever the line', () => {
    fc.assert(
      fc.property(fc.anything(), fc.anything(), (aws, directive) => {
        const root = { _aws: { Timestamp: 1, CloudWatchMetrics: [directive] }, a: aws };
        const texts = [{ _aws: aws }, root].map((value) =>
          JSON.stringify(value, (_key, member) => (typeof member === 'bigint' ? String(member) : member)),
        );
        for (const text of texts) extractMetrics(text);
      }),
    );
  });
});

describe('a sink with EMF', () => {
  it('hands on the line and makes its metrics, with the trace id that the line was known by', () => {
    const sink = collectingSink();
    withEmf(sink).log({ ...line(emf()), traceId: sampleTraceId });
    expect(sink.logs).toMatchObject([{ message: emf() }]);
    expect(sink.metrics).toMatchObject([{ name: 'latency', traceId: sampleTraceId }]);
  });

  it('is not wrapped twice, so that nothing is counted twice', () => {
    const sink = collectingSink();
    withEmf(withEmf(sink)).log(line(emf()));
    expect(sink.metrics).toHaveLength(1);
  });

  it('leaves records of OTLP as they are', () => {
    const sink = collectingSink();
    const record: LogRecord = { ...line(emf()), source: 'otlp' };
    withEmf(sink).log(record);
    expect(sink.logs[0]).toBe(record);
    expect(sink.metrics).toEqual([]);
  });

  it('keeps a metric whose dimension has no value, without the dimension', () => {
    expect(extractMetrics(emf({ root: { route: '' } }))).toMatchObject([{ name: 'latency', dimensions: {} }]);
  });

  it('takes a directive without Dimensions', () => {
    expect(extractMetrics(emf({ directive: { Dimensions: undefined } }))).toMatchObject([{ dimensions: {} }]);
  });

  it('takes a set of statistics as the value', () => {
    const latency = { Values: [10, 30], Counts: [3, 1], Count: 4, Sum: 60, Min: 10, Max: 30 };
    expect(extractMetrics(emf({ root: { latency } }))).toMatchObject([
      { values: [], distribution: { count: 4, sum: 60, min: 10, max: 30, values: [10, 30], counts: [3, 1] } },
    ]);
    const { metrics, problems } = readEmbeddedMetrics(emf({ root: { latency: { Values: ['x'] } } }));
    expect([metrics, problems.length]).toEqual([[], 1]);
  });

  it.each([
    ['in seconds', Math.floor(now / 1000)],
    ['of 20 days ago', now - 20 * 86_400_000],
    ['of 3 hours ahead', now + 3 * 3_600_000],
  ])('refuses and counts a time %s', (_what, Timestamp) => {
    const { metrics, problems } = readEmbeddedMetrics(emf({ aws: { Timestamp } }), now);
    expect(metrics).toEqual([]);
    expect(problems).toMatchObject([{ reason: 'EMF Timestamp is not within 14 days back and 2 hours ahead' }]);
  });
});
