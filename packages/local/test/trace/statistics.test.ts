import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { metricTexts } from '../../src/format/metric.ts';
import type { MetricDistribution } from '../../src/trace/records.ts';
import { statisticsOf } from '../../src/trace/statistics.ts';
import type { TraceMetric } from '../../src/trace/trace.ts';

const metric = (distribution: MetricDistribution, more: Partial<TraceMetric> = {}): TraceMetric => ({
  time: 0,
  namespace: 'shop',
  name: 'latency',
  unit: 'ms',
  dimensions: {},
  values: [],
  statistics: statisticsOf([], distribution),
  distribution,
  ...more,
});

describe('the statistics of a metric', () => {
  it('of single values are exact', () => {
    expect(statisticsOf([4, 1, 3, 2])).toEqual({
      count: 4,
      sum: 10,
      mean: 2.5,
      min: 1,
      max: 4,
      p50: 2,
      p90: 4,
      p95: 4,
      p99: 4,
    });
  });

  it('of an explicit histogram are estimated within its buckets, and never outside of min and max', () => {
    const statistics = statisticsOf([], { count: 4, sum: 556, min: 6, max: 400, bounds: [10, 100], counts: [1, 2, 1] });
    expect(statistics).toMatchObject({ count: 4, sum: 556, mean: 139, min: 6, max: 400, p50: 55 });
    expect(statistics.p99).toBeGreaterThan(300);
    expect(statistics.p99).toBeLessThanOrEqual(400);
  });

  it('of an exponential histogram follow its scale and offset, with zero and negative measurements', () => {
    const distribution = {
      count: 10,
      sum: 20,
      scale: 0,
      zeroCount: 2,
      negative: { offset: 0, counts: [1] },
      positive: { offset: 1, counts: [6, 1] },
    };
    expect(statisticsOf([], distribution)).toMatchObject({ count: 10, mean: 2, min: -2, max: 8 });
    expect(statisticsOf([], distribution).p50).toBeGreaterThan(2);
    expect(statisticsOf([], distribution).p50).toBeLessThanOrEqual(4);
  });

  it('of a summary are its own quantiles', () => {
    const quantiles = [
      { quantile: 0.5, value: 7 },
      { quantile: 0.99, value: 90 },
    ];
    expect(statisticsOf([], { count: 3, sum: 30, quantiles })).toEqual({
      count: 3,
      sum: 30,
      mean: 10,
      p50: 7,
      p90: 90,
      p95: 90,
      p99: 90,
    });
  });

  it('of values with counts weigh each value', () => {
    expect(statisticsOf([], { count: 5, sum: 9, values: [1, 5], counts: [4, 1] })).toMatchObject({
      min: 1,
      max: 5,
      p50: 1,
      p99: 5,
    });
  });

  it('of nothing are a count of 0', () => {
    expect(statisticsOf([])).toEqual({ count: 0 });
    expect(statisticsOf([], { count: 0, sum: 0, bounds: [1], counts: [0, 0] })).toEqual({ count: 0 });
  });

  it('are in order, whatever was measured', () => {
    const counts = fc.array(fc.nat(1000), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(counts, fc.integer({ min: -4, max: 8 }), fc.integer({ min: -20, max: 20 }), (each, scale, offset) => {
        const count = each.reduce((sum, one) => sum + one, 0);
        const { min, p50, p90, p95, p99, max } = statisticsOf([], { count, scale, positive: { offset, counts: each } });
        if (count === 0) return;
        const inOrder = [min, p50, p90, p95, p99, max].map(Number);
        expect(inOrder.every(Number.isFinite)).toBe(true);
        for (const [at, value] of inOrder.slice(1).entries())
          expect(value).toBeGreaterThanOrEqual((inOrder[at] ?? 0) * 0.999999);
      }),
    );
  });
});

describe('the text of a metric', () => {
  it('gives mean, extremes and percentiles of a distribution in its unit', () => {
    const distribution = { count: 4, sum: 556, min: 6, max: 400, bounds: [10, 100], counts: [1, 2, 1] };
    const [text] = metricTexts([metric(distribution, { type: 'histogram', temporality: 'delta' })]);
    expect(text).toMatch(
      /^shop {2}latency mean 139 ms, 6\.00 ms to 400 ms, p50 55\.0 ms, p90 .+, p99 .+, 4 of histogram$/,
    );
  });

  it('says that an empty distribution has no measurements', () => {
    expect(metricTexts([metric({ count: 0 })])).toEqual(['shop  latency no measurements']);
  });
});
