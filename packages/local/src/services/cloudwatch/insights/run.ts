import { accumulate } from './aggregates.ts';
import { compare, evaluate, isTrue, type Row } from './evaluate.ts';
import { textOf } from './functions.ts';
import type { Command, Expression, Value } from './query.ts';

type Rows = Map<string, Value>[];

/** Rows that a query may hold at once, for `sort` and `dedup`. */
export const mostRowsHeld = 100_000;
/** Source: Amazon CloudWatch Logs API Reference, "StartQuery", `limit`. */
const mostResults = 10_000;

/** A query that would hold more than `mostRowsHeld` rows. */
export class TooManyRows extends Error {}

/** One row of a result; a field that the row does not have is left out. */
export type ResultRow = { field: string; value: string }[];

/**
 * Runs the commands of a query. Commands that look at one row at a time run as rows are added; all
 * others when the result is asked for.
 */
export class QueryRun {
  readonly #early: Command[];
  readonly #late: Command[];
  readonly #columns: string[];
  readonly #isAggregate: boolean;
  readonly #limit: number;
  readonly #times: ReadonlySet<string>;
  readonly #groups: Groups | undefined;
  #rows: Rows = [];
  /** Rows that every early command kept. */
  matched = 0;

  /** @param limit StartQuery's own, over the query's. */
  constructor(commands: readonly Command[], limit = mostResults) {
    const first = commands.findIndex(({ kind }) => ['stats', 'sort', 'limit', 'dedup'].includes(kind));
    this.#early = commands.slice(0, first < 0 ? undefined : first);
    const [next, ...others] = first < 0 ? [] : commands.slice(first);
    this.#groups = next?.kind === 'stats' ? new Groups(next) : undefined;
    this.#late = next && !this.#groups ? [next, ...others] : others;
    this.#isAggregate = commands.some(({ kind }) => kind === 'stats');
    this.#columns = columnsOf(commands);
    this.#limit = limit;
    this.#times = timesOf(commands);
  }

  /** Adds an event's fields; the newest come first. @throws TooManyRows */
  add(row: Map<string, Value>): void {
    for (const command of this.#early) if (!applyToRow(command, row)) return;
    this.matched += 1;
    if (this.#groups) this.#groups.add(row);
    else if (this.#rows.push(row) > mostRowsHeld) throw new TooManyRows();
  }

  result(): ResultRow[] {
    let rows = this.#groups ? this.#groups.rows() : this.#rows;
    for (const command of this.#late) rows = apply(command, rows);
    return rows.slice(0, this.#limit).map((row) => {
      const names = this.#isAggregate ? this.#columns : [...this.#columns, '@ptr'];
      return names.flatMap((field) => {
        const value = row.get(field);
        return value === undefined ? [] : [{ field, value: shown(field, value, this.#times) }];
      });
    });
  }
}

/** The columns that a result shows, in their order. */
function columnsOf(commands: readonly Command[]): string[] {
  let columns: string[] = [];
  let shownColumns: string[] | undefined;
  for (const command of commands) {
    if (command.kind === 'fields') columns.push(...command.columns.map(({ name }) => name));
    if (command.kind === 'parse') columns.push(...command.names);
    if (command.kind === 'stats') columns = [...command.by, ...command.aggregates].map(({ name }) => name);
    if (command.kind === 'display') shownColumns = command.columns.map(({ name }) => name);
  }
  const chosen = shownColumns ?? columns;
  return chosen.length > 0 ? [...new Set(chosen)] : ['@timestamp', '@message'];
}

/** @returns the names of the columns that are times. */
function timesOf(commands: readonly Command[]): ReadonlySet<string> {
  const times = new Set(['@timestamp', '@ingestionTime']);
  for (const command of commands) {
    const columns = 'columns' in command ? command.columns : command.kind === 'stats' ? command.by : [];
    for (const { name, expression } of columns) {
      const isTime = expression.kind === 'field' ? times.has(expression.name) : isTimeFunction(expression);
      if (isTime) times.add(name);
    }
  }
  return times;
}

function isTimeFunction(expression: Expression): boolean {
  return expression.kind === 'bin' || (expression.kind === 'call' && expression.name === 'frommillis');
}

/** @returns whether the row stays. */
function applyToRow(command: Command, row: Map<string, Value>): boolean {
  if (command.kind === 'filter') return isTrue(evaluate(command.condition, row));
  if (command.kind === 'fields' || command.kind === 'display') {
    for (const { name, expression } of command.columns) {
      if (expression.kind !== 'field' || expression.name !== name) row.set(name, evaluate(expression, row));
    }
  }
  if (command.kind === 'parse') {
    const found = command.pattern.exec(textOf(evaluate(command.source, row)));
    for (const [index, name] of command.names.entries()) {
      const value = found?.groups?.[name] ?? found?.[index + 1];
      if (value !== undefined) row.set(name, value);
    }
  }
  return true;
}

function apply(command: Command, rows: Rows): Rows {
  switch (command.kind) {
    case 'stats': {
      const groups = new Groups(command);
      for (const row of rows) groups.add(row);
      return groups.rows();
    }
    case 'sort':
      return sorted(rows, command.keys);
    case 'limit':
      return rows.slice(0, command.rows);
    case 'dedup': {
      const seen = new Set<string>();
      return rows.filter((row) => {
        const values = command.fields.map((field) => evaluate(field, row));
        // An absent field equals nothing: such rows are kept.
        if (values.includes(undefined)) return true;
        const key = JSON.stringify(values);
        return !seen.has(key) && seen.add(key);
      });
    }
    default:
      return rows.filter((row) => applyToRow(command, row));
  }
}

/** Rows without a value come last in either order. */
function sorted(rows: Rows, keys: readonly { expression: Expression; descending: boolean }[]): Rows {
  const keyed = rows.map((row) => ({ row, values: keys.map(({ expression }) => evaluate(expression, row)) }));
  keyed.sort((one, other) => {
    for (const [index, { descending }] of keys.entries()) {
      const [a, b] = [one.values[index], other.values[index]];
      if (a === undefined || b === undefined) {
        if (a !== b) return a === undefined ? 1 : -1;
        continue;
      }
      const order = compare(a, b) ?? 0;
      if (order !== 0) return descending ? -order : order;
    }
    return 0;
  });
  return keyed.map(({ row }) => row);
}

class Groups {
  readonly #command: Command & { kind: 'stats' };
  readonly #groups = new Map<string, { by: Value[]; aggregates: ReturnType<typeof accumulate>[] }>();

  constructor(command: Command & { kind: 'stats' }) {
    this.#command = command;
  }

  add(row: Row): void {
    const by = this.#command.by.map(({ expression }) => evaluate(expression, row));
    const key = JSON.stringify(by.map((value) => value ?? null));
    let group = this.#groups.get(key);
    if (!group) {
      if (this.#groups.size >= mostRowsHeld) throw new TooManyRows();
      group = { by, aggregates: this.#command.aggregates.map(accumulate) };
      this.#groups.set(key, group);
    }
    for (const aggregate of group.aggregates) aggregate.add(row);
  }

  rows(): Rows {
    // Without `by` there is one group, also of no rows.
    if (this.#command.by.length === 0 && this.#groups.size === 0)
      this.#groups.set('', { by: [], aggregates: this.#command.aggregates.map(accumulate) });
    return [...this.#groups.values()].map(({ by, aggregates }) => {
      const row = new Map<string, Value>();
      for (const [index, { name }] of this.#command.by.entries()) row.set(name, by[index]);
      for (const [index, { name }] of this.#command.aggregates.entries()) row.set(name, aggregates[index]?.result());
      return row;
    });
  }
}

/** As Logs Insights writes it: `2026-11-27 02:30:04.581`, and numbers without an exponent. */
function shown(field: string, value: Exclude<Value, undefined>, times: ReadonlySet<string>): string {
  if (times.has(field) && typeof value === 'number')
    return new Date(value).toISOString().replace('T', ' ').slice(0, -1);
  if (typeof value === 'boolean') return value ? '1' : '0';
  return typeof value === 'number' ? String(Number(value.toFixed(4))) : value;
}
