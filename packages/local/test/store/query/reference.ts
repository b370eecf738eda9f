import { type CalculationOp, isPercentile, percentiles } from '../../../src/query/operators.ts';
import { calculationName, type Filter, type QuerySpecification } from '../../../src/query/specification.ts';

/** An event as plain values; a field that it does not have is absent. */
export interface PlainEvent {
  /** Epoch milliseconds. */
  time: number;
  durationMilliseconds: number;
  weight: number;
  fields: Record<string, string | number | boolean>;
}

type Plain = string | number | boolean | null;

/**
 * Works out a query's result one event after another. Without HEATMAP, CONCURRENCY and
 * RATE_*.
 */
export function referenceRows(events: PlainEvent[], specification: QuerySpecification): Plain[][] {
  const { calculations, breakdowns, filters, havings, filterCombination } = specification;
  const kept = events.filter((event) => {
    const held = filters.map((filter) => holds(event.fields[filter.column], filter));
    return filters.length === 0 || (filterCombination === 'OR' ? held.some(Boolean) : held.every(Boolean));
  });
  const groups = new Map<string, { key: Plain[]; events: PlainEvent[] }>();
  if (breakdowns.length === 0) groups.set('[]', { key: [], events: [] });
  for (const event of kept) {
    const key = breakdowns.map((column) => event.fields[column] ?? null);
    const group = groups.get(JSON.stringify(key)) ?? { key, events: [] };
    group.events.push(event);
    groups.set(JSON.stringify(key), group);
  }
  const rows = [...groups.values()].map(({ key, events: own }) => [
    ...key,
    ...calculations.map(({ op, column }) => calculate(op, column, own)),
  ]);
  const at = (op: string, column?: string) =>
    breakdowns.length +
    calculations.findIndex(
      (calculation) => calculationName(calculation) === calculationName({ op, ...(column && { column }) }),
    );
  return rows.filter((row) =>
    havings.every(({ op, column, compare, value }) => compared(row[at(op, column)] ?? null, compare, value)),
  );
}

function calculate(op: CalculationOp, column: string | undefined, events: PlainEvent[]): Plain {
  if (column === undefined) return sum(events.map(({ weight }) => weight));
  const having = events.filter(({ fields }) => fields[column] !== undefined);
  if (op === 'COUNT') return sum(having.map(({ weight }) => weight));
  if (op === 'COUNT_DISTINCT') return new Set(having.map(({ fields }) => fields[column])).size;
  const numbers = having.map(({ fields, weight }) => ({ value: Number(fields[column]), weight }));
  if (numbers.length === 0) return null;
  const values = numbers.map(({ value }) => value);
  const total = sum(numbers.map(({ value, weight }) => value * weight));
  if (op === 'SUM') return total;
  if (op === 'AVG') return total / sum(numbers.map(({ weight }) => weight));
  if (op === 'MAX') return Math.max(...values);
  if (op === 'MIN') return Math.min(...values);
  if (!isPercentile(op)) throw new Error(`the reference does not know ${op}`);
  // Each event as many times as it stands for.
  const all = numbers.flatMap(({ value, weight }) => Array.from({ length: weight }, () => value));
  all.sort((one, other) => one - other);
  return all[Math.max(0, Math.ceil(percentiles[op] * all.length - 1e-9) - 1)] ?? null;
}

function sum(numbers: number[]): number {
  return numbers.reduce((one, other) => one + other, 0);
}

function holds(value: Plain | undefined, { op, value: wanted }: Filter): boolean {
  const has = value !== undefined && value !== null;
  const equal = (one: unknown) =>
    has && (typeof value === 'number' ? value === Number(one) : String(value) === String(one));
  const text = String(value);
  switch (op) {
    case 'exists':
      return has;
    case 'does-not-exist':
      return !has;
    case '=':
      return equal(wanted);
    case '!=':
      return !equal(wanted);
    case 'in':
      return (wanted as unknown[]).some(equal);
    case 'not-in':
      return !(wanted as unknown[]).some(equal);
    case 'starts-with':
      return has && text.startsWith(String(wanted));
    case 'does-not-start-with':
      return !(has && text.startsWith(String(wanted)));
    case 'ends-with':
      return has && text.endsWith(String(wanted));
    case 'does-not-end-with':
      return !(has && text.endsWith(String(wanted)));
    case 'contains':
      return has && text.includes(String(wanted));
    case 'does-not-contain':
      return !(has && text.includes(String(wanted)));
    default:
      return has && compared(value, op, wanted as number);
  }
}

function compared(value: Plain, op: string, wanted: number | string): boolean {
  if (op === '!=') return value !== wanted;
  if (value === null) return false;
  if (op === '=') return value === wanted;
  // Text is compared by its bytes.
  const order =
    typeof value === 'number'
      ? value - Number(wanted)
      : Buffer.compare(Buffer.from(String(value)), Buffer.from(String(wanted)));
  return { '>': order > 0, '>=': order >= 0, '<': order < 0, '<=': order <= 0 }[op] ?? false;
}
