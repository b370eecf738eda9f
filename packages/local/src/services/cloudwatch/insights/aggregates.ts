import { compare, evaluate, type Row } from './evaluate.ts';
import { numberOf } from './functions.ts';
import type { Aggregate, Value } from './query.ts';

interface Accumulator {
  add(value: Value, row: Row): void;
  result(): Value;
}

const ofNumbers = (work: (numbers: number[]) => Value) => (): Accumulator => {
  const numbers: number[] = [];
  return {
    add(value) {
      const number = numberOf(value);
      if (number !== undefined) numbers.push(number);
    },
    result: () => (numbers.length === 0 ? undefined : work(numbers)),
  };
};

const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0);
const average = (numbers: number[]) => sum(numbers) / numbers.length;

/** Keeps the value for which `better` holds against the one kept, by `key`. */
const keeping = (better: (order: number) => boolean, key: (value: Value, row: Row) => Value) => (): Accumulator => {
  let kept: { key: Value; value: Value } | undefined;
  return {
    add(value, row) {
      const own = key(value, row);
      if (value === undefined || own === undefined) return;
      const order = kept && compare(own, kept.key);
      if (!kept || (order !== undefined && better(order))) kept = { key: own, value };
    },
    result: () => kept?.value,
  };
};

const less = (order: number) => order < 0;
const more = (order: number) => order > 0;
const itself = (value: Value) => value;
const time = (_: Value, row: Row) => row.get('@timestamp');

const accumulators: Record<string, (percent: number) => Accumulator> = {
  count: () => {
    let count = 0;
    return { add: (value) => void (value !== undefined && count++), result: () => count };
  },
  count_distinct: () => {
    const seen = new Set<string>();
    return { add: (value) => void (value !== undefined && seen.add(String(value))), result: () => seen.size };
  },
  sum: ofNumbers(sum),
  avg: ofNumbers(average),
  stddev: ofNumbers((numbers) => {
    const mean = average(numbers);
    return Math.sqrt(average(numbers.map((one) => (one - mean) ** 2)));
  }),
  median: ofNumbers((numbers) => percentile(numbers, 50)),
  pct: (percent) => ofNumbers((numbers) => percentile(numbers, percent))(),
  min: keeping(less, itself),
  max: keeping(more, itself),
  sortsfirst: keeping(less, itself),
  sortslast: keeping(more, itself),
  earliest: keeping(less, time),
  latest: keeping(more, time),
};

export const aggregateNames: ReadonlySet<string> = new Set(Object.keys(accumulators));

/** @returns an empty accumulator, and the function that adds a row to it. */
export function accumulate({ operation, operand, percent = 0 }: Aggregate): {
  add(row: Row): void;
  result(): Value;
} {
  const accumulator = accumulators[operation]?.(percent);
  if (!accumulator) throw new Error(`The parser let the aggregate ${operation} pass.`);
  return {
    add: (row) => accumulator.add(operand ? evaluate(operand, row) : true, row),
    result: () => accumulator.result(),
  };
}

/** The smallest value that `percent` of the values are at or below. */
function percentile(numbers: number[], percent: number): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil((sorted.length * percent) / 100) - 1)] ?? 0;
}
