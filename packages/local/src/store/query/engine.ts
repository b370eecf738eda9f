import type { DuckDBConnection } from '@duckdb/node-api';
import type { QueryOptions, ServiceInfo } from '../../query/queries.ts';
import type { FieldInfo, QueryResult } from '../../query/result.ts';
import { child } from '../../query/source-text.ts';
import {
  calculationName,
  InvalidQuerySpecification,
  type QueryProblem,
  type QuerySpecification,
} from '../../query/specification.ts';
import { lengthOf, type SavedQuery } from '../../query/validate.ts';
import type { AttributeColumns, ColumnType } from '../attribute-columns.ts';
import { fillRows, type ReadRows, type Rows, readSeries } from './answer.ts';
import { baseSql, conditionOf } from './base.ts';
import type { CalculationContext } from './calculations.ts';
import { columnsOf, countSql, otherEventsNeeded, textNotes, unfit } from './checks.ts';
import { derivedFields, type Field, resolveField } from './fields.ts';
import { UnfitFilter } from './filters.ts';
import { nearestNames } from './nearest-names.ts';
import { OtherEvents } from './other-events.ts';

const nanoseconds = 1_000_000_000n;
/** Intervals that RATE_* compares where the query names no granularity. */
const defaultIntervals = 100;

/**
 * Runs queries in Honeycomb's specification over a run, one after another, on a connection of its
 * own.
 */
export class QueryEngine {
  readonly #connect: () => Promise<DuckDBConnection>;
  readonly #columns: Pick<AttributeColumns, 'get' | 'all'>;
  #opened: Promise<{ connection: DuckDBConnection; others: OtherEvents }> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(connect: () => Promise<DuckDBConnection>, columns: Pick<AttributeColumns, 'get' | 'all'>) {
    this.#connect = connect;
    this.#columns = columns;
  }

  /**
   * @throws InvalidQuerySpecification when the columns of this run do not allow what the query
   * asks.
   */
  run(query: Pick<SavedQuery, 'specification' | 'source'>, options: QueryOptions = {}): Promise<QueryResult> {
    return this.#alone(() => this.#run(query, options));
  }

  /** @returns every column that a query may name. */
  fields(): Promise<FieldInfo[]> {
    return this.#alone(async () => {
      const { others } = await this.#open();
      await others.update({ ofSpans: true });
      const spans = await this.#rows('SELECT 1 FROM spans LIMIT 1', []);
      const keys = new Set([
        ...(spans.length > 0 ? derivedFields().map(([key]) => key) : []),
        ...this.#columns.all().map(({ key }) => key),
        ...others.types.keys(),
      ]);
      return [...keys].sort().map((key) => ({
        key,
        type: infoTypes[resolveField(key, this.#columns, others.types).type],
      }));
    });
  }

  /** @returns the services that events came from, by name. */
  services(): Promise<ServiceInfo[]> {
    return this.#alone(async () => {
      const { others } = await this.#open();
      await others.update({ ofSpans: false });
      const rows = await this.#rows(
        `SELECT service_name AS name, min(t) AS first, max(t) AS last FROM (SELECT service_name, start_nanoseconds AS t FROM spans
           UNION ALL SELECT service_name, time FROM other_events) WHERE service_name IS NOT NULL GROUP BY ALL ORDER BY name`,
        [],
      );
      return rows.map(({ name, first, last }) => ({
        name: String(name),
        first: Number(first) / 1e6,
        last: Number(last) / 1e6,
      }));
    });
  }

  async close(): Promise<void> {
    await this.#last.catch(() => {});
    (await this.#opened)?.connection.closeSync();
  }

  #open() {
    this.#opened ??= this.#connect().then((connection) => ({ connection, others: new OtherEvents(connection) }));
    return this.#opened;
  }

  /** A connection is one reader's at a time, and so are its temporary tables. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work, work);
    this.#last = next.catch(() => {});
    return next;
  }

  async #rows(sql: string, log: string[]): Promise<Rows> {
    const { connection } = await this.#open();
    log.push(sql);
    return (await connection.runAndReadAll(sql)).getRowObjects();
  }

  async #run({ specification, source }: Pick<SavedQuery, 'specification' | 'source'>, options: QueryOptions) {
    const { others } = await this.#open();
    const needed = otherEventsNeeded(specification);
    if (needed.any || needed.ofSpans) await others.update(needed);
    const fields = new Map<string, Field>();
    const notes: QueryProblem[] = [];
    for (const { column, pointer } of columnsOf(specification)) {
      const field = fields.get(column) ?? resolveField(column, this.#columns, others.types);
      if (!field.known && !fields.has(column)) {
        const near = nearestNames(column, this.#names(others.types));
        const hint = near.length > 0 ? ` Nearest: ${near.map((name) => JSON.stringify(name)).join(', ')}.` : '';
        notes.push({ ...source.place(pointer), message: `No event of this run has ${JSON.stringify(column)}.${hint}` });
      }
      fields.set(column, field);
    }
    if (options.strict && notes.length > 0) throw new InvalidQuerySpecification(notes);
    const problems = [...unfit(specification, fields, source)];
    const conditions = specification.filters.flatMap((filter, at) => {
      try {
        return [conditionOf(filter, fields)];
      } catch (error) {
        if (!(error instanceof UnfitFilter)) throw error;
        problems.push({ ...source.place(child(child('/filters', at), 'value')), message: error.message });
        return [];
      }
    });
    if (problems.length > 0) throw new InvalidQuerySpecification(problems);

    const sql: string[] = [];
    const [from, to] = await this.#range(specification, options, needed.any);
    const granularity = specification.granularity ?? options.granularity;
    const interval = granularity
      ? BigInt(Math.round(granularity * 1e9))
      : max((to - from) / BigInt(defaultIntervals), 1n);
    const base = baseSql(specification, fields, conditions, {
      from,
      to,
      interval,
      others: needed.any,
      ...(options.service !== undefined && { service: options.service }),
    });
    await this.#rows(base.sql, sql);
    const [seen] = await this.#rows(countSql(base), sql);
    notes.push(...textNotes(specification, base, seen ?? {}, source));
    const context: CalculationContext = {
      groups: base.groups,
      sameWeight: seen?.lightest === seen?.heaviest,
      from,
      to,
      interval,
    };
    const result: QueryResult = {
      columns: [
        ...specification.breakdowns.map((field) => ({ name: field, field })),
        ...specification.calculations.map((calculation) => ({
          name: calculationName(calculation),
          op: calculation.op,
          ...(calculation.column !== undefined && { field: calculation.column }),
        })),
      ],
      rows: [],
      series: [],
      from: Number(from) / 1e6,
      to: Number(to) / 1e6,
      groups: 0,
      notes,
      sql,
    };
    if (granularity) result.granularity = granularity;
    const read: ReadRows = (statement, log) => this.#rows(statement, log);
    await fillRows(read, result, { specification, base, context });
    if (granularity) result.series = await readSeries(read, result, { specification, base, context });
    if (Number(seen?.events ?? 0) === 0) notes.push(...(await this.#outside(needed.any, result, source)));
    return result;
  }

  #names(others: ReadonlyMap<string, ColumnType>): string[] {
    return [...derivedFields().map(([key]) => key), ...this.#columns.all().map(({ key }) => key), ...others.keys()];
  }

  /** @returns from when to when, in epoch nanoseconds. */
  async #range(specification: QuerySpecification, options: QueryOptions, others: boolean): Promise<[bigint, bigint]> {
    const { startTime, endTime } = specification;
    const length = BigInt(lengthOf(specification)) * nanoseconds;
    if (startTime !== undefined) return [BigInt(startTime) * nanoseconds, BigInt(startTime) * nanoseconds + length];
    if (endTime !== undefined) return [BigInt(endTime) * nanoseconds - length, BigInt(endTime) * nanoseconds];
    if (options.now !== undefined) {
      const now = BigInt(Math.ceil(options.now)) * 1_000_000n;
      return [now - length, now];
    }
    const [row] = await this.#rows(`SELECT max(t) AS newest FROM (${times(others)})`, []);
    const newest = typeof row?.newest === 'bigint' ? row.newest : BigInt(Date.now()) * 1_000_000n;
    // The end is not part of a range.
    const end = (newest / 1_000_000n + 1n) * 1_000_000n;
    return [end - length, end];
  }

  /**
   * Says where the events are when the range has none: a range is easily two hours of another day.
   */
  async #outside(others: boolean, { from, to }: QueryResult, source: SavedQuery['source']): Promise<QueryProblem[]> {
    const [row] = await this.#rows(
      `SELECT count(*) AS events, min(t) AS oldest, max(t) AS newest, count(*) FILTER (t >= ${BigInt(Math.round(from)) * 1_000_000n}
         AND t < ${BigInt(Math.round(to)) * 1_000_000n}) AS within FROM (${times(others)})`,
      [],
    );
    if (!row || Number(row.within) > 0 || Number(row.events) === 0) return [];
    const [oldest, newest] = [row.oldest, row.newest].map((time) => new Date(Number(time) / 1e6).toISOString());
    const range = `${new Date(from).toISOString()} to ${new Date(to).toISOString()}`;
    const message = `No event is in the query's time range (${range}); the run's ${row.events} events are from ${oldest} to ${newest}.`;
    return [{ ...source.place('/time_range'), message }];
  }
}

const times = (others: boolean) =>
  `SELECT start_nanoseconds AS t FROM spans${others ? ' UNION ALL SELECT time FROM other_events' : ''}`;

const infoTypes: Record<ColumnType, FieldInfo['type']> = {
  VARCHAR: 'string',
  DOUBLE: 'float',
  BIGINT: 'integer',
  BOOLEAN: 'boolean',
};

function max(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}
