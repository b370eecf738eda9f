import type { DuckDBValue } from '@duckdb/node-api';
import type { QueryResult, SeriesPoint, Value } from '../../query/result.ts';
import { calculationName, type QuerySpecification } from '../../query/specification.ts';
import type { Base } from './base.ts';
import type { CalculationContext } from './calculations.ts';
import { concurrencySeriesSql, heatmapBuckets, heatmapSql, seriesSql, tableSql } from './compile.ts';

export type Rows = Record<string, DuckDBValue>[];
/** Runs a statement and adds its text to `log`. */
export type ReadRows = (sql: string, log: string[]) => Promise<Rows>;

/** A query whose events are in the temporary table `base`. */
export interface Asked {
  specification: QuerySpecification;
  base: Base;
  context: CalculationContext;
}

/** Fills in the rows of a result's table, heatmaps included. */
export async function fillRows(
  read: ReadRows,
  result: QueryResult,
  { specification, base, context }: Asked,
): Promise<void> {
  const rows = await read(tableSql(specification, base, context), result.sql);
  result.groups = Number(rows[0]?.groups ?? 0);
  result.rows = rows.map((row) => [
    ...base.groups.map((group) => toValue(row[group])),
    ...specification.calculations.map((_, at) => toValue(row[`c${at}`])),
  ]);
  for (const [at, calculation] of specification.calculations.entries()) {
    if (calculation.op !== 'HEATMAP') continue;
    const value = base.values.get(calculationName(calculation)) ?? 'NULL';
    const buckets = await read(heatmapSql(base, value), result.sql);
    const maps = heatmaps(buckets, base.groups);
    for (const row of result.rows) {
      row[base.groups.length + at] = maps.get(keyOf(row.slice(0, base.groups.length))) ?? [];
    }
  }
}

/**
 * Reads the values over time of the groups in a result's table.
 * @returns the points in the order of their times
 */
export async function readSeries(
  read: ReadRows,
  result: QueryResult,
  { specification, base, context }: Asked,
): Promise<SeriesPoint[]> {
  const shown = new Set(result.rows.map((row) => keyOf(row.slice(0, base.groups.length))));
  const step = Number(context.interval) / 1e6;
  const points = new Map<string, SeriesPoint>();
  const pointOf = (row: Record<string, DuckDBValue>): SeriesPoint | undefined => {
    const group = base.groups.map((name) => toValue(row[name]));
    if (!shown.has(keyOf(group))) return undefined;
    const key = `${row.b} ${keyOf(group)}`;
    const point = points.get(key) ?? {
      time: Number(row.b) * step,
      values: [...group, ...specification.calculations.map(({ op }) => (op === 'COUNT' ? 0 : null))],
    };
    points.set(key, point);
    return point;
  };
  for (const row of await read(seriesSql(specification, base, context), result.sql)) {
    const point = pointOf(row);
    if (!point) continue;
    for (const at of specification.calculations.keys()) {
      point.values[base.groups.length + at] = toValue(row[`c${at}`]);
    }
  }
  for (const [at, { op }] of specification.calculations.entries()) {
    if (op !== 'CONCURRENCY') continue;
    for (const row of await read(concurrencySeriesSql(base, context), result.sql)) {
      const point = pointOf(row);
      if (point) point.values[base.groups.length + at] = toValue(row.value);
    }
  }
  return [...points.values()].sort((one, other) => one.time - other.time);
}

function toValue(value: DuckDBValue | undefined): Value {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  return String(value);
}

function keyOf(group: readonly Value[]): string {
  return JSON.stringify(group, (_key, value) => (typeof value === 'bigint' ? `${value}n` : value));
}

function heatmaps(rows: Rows, groups: string[]): Map<string, { from: number; to: number; count: number }[]> {
  const maps = new Map<string, { from: number; to: number; count: number }[]>();
  for (const row of rows) {
    const key = keyOf(groups.map((group) => toValue(row[group])));
    const [low, high, bucket] = [row.low, row.high, row.bucket].map(Number) as [number, number, number];
    const width = (high - low) / heatmapBuckets;
    const map = maps.get(key) ?? [];
    map.push({
      from: low + bucket * width,
      to: bucket === heatmapBuckets - 1 ? high : low + (bucket + 1) * width,
      count: Number(row.weight),
    });
    maps.set(key, map);
  }
  return maps;
}
