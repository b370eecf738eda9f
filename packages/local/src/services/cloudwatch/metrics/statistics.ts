import type { MetricSample } from '../../../store/metric-data.ts';

/** The samples of one period. */
export class Period {
  count = 0;
  sum = 0;
  minimum = Number.POSITIVE_INFINITY;
  maximum = Number.NEGATIVE_INFINITY;
  readonly #weighted: { value: number; weight: number }[] = [];

  add({ values, distribution }: MetricSample): void {
    if (distribution) {
      const { count, sum = 0, min, max, counts = [] } = distribution;
      const own = (distribution as { values?: number[] }).values ?? [];
      this.count += count;
      this.sum += sum;
      this.minimum = Math.min(this.minimum, min ?? Math.min(...own));
      this.maximum = Math.max(this.maximum, max ?? Math.max(...own));
      for (const [at, value] of own.entries()) this.#weighted.push({ value, weight: counts[at] ?? 1 });
    }
    for (const value of values) {
      this.count++;
      this.sum += value;
      this.minimum = Math.min(this.minimum, value);
      this.maximum = Math.max(this.maximum, value);
      this.#weighted.push({ value, weight: 1 });
    }
  }

  /** @returns the value that `percent` of the samples do not exceed; undefined of statistic sets. */
  percentile(percent: number): number | undefined {
    const sorted = this.#weighted.toSorted((one, other) => one.value - other.value);
    const total = sorted.reduce((sum, { weight }) => sum + weight, 0);
    let passed = 0;
    return sorted.find(({ weight }) => {
      passed += weight;
      return passed >= (total * percent) / 100;
    })?.value;
  }

  /** @returns the value of a statistic by its name. */
  statistic(name: string): number | undefined {
    if (this.count === 0) return undefined;
    if (name === 'SampleCount') return this.count;
    if (name === 'Sum') return this.sum;
    if (name === 'Average') return this.sum / this.count;
    if (name === 'Minimum') return this.minimum;
    if (name === 'Maximum') return this.maximum;
    return this.percentile(Number(name.slice(1)));
  }
}

export const statistics: readonly string[] = ['SampleCount', 'Sum', 'Average', 'Minimum', 'Maximum'];
const percentilePattern = /^p(?:\d{1,2}(?:\.\d{1,10})?|100)$/;

export function isPercentile(name: string): boolean {
  return percentilePattern.test(name);
}

/** @returns the periods that have samples, by their beginning in epoch milliseconds, ascending. */
export function byPeriod(samples: readonly MetricSample[], milliseconds: number): [number, Period][] {
  const periods = new Map<number, Period>();
  for (const sample of samples) {
    const begin = Math.floor(sample.time / milliseconds) * milliseconds;
    const period = periods.get(begin) ?? new Period();
    period.add(sample);
    periods.set(begin, period);
  }
  return [...periods].sort(([one], [other]) => one - other);
}
