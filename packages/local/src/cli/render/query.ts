import { sparkline } from '../../format/sparkline.ts';
import { clock, timeOfDay } from '../../format/time.ts';
import type { HeatmapBucket, QueryResult, ResultColumn, Value } from '../../query/result.ts';
import { renderTable } from './table.ts';
import { cell, line, plain, type RenderOptions } from './text.ts';

/** So many groups are drawn in the chart: more are no longer told apart. */
const mostLines = 6;
const mostBars = 60;

/**
 * @returns the result of a query as a table, with a small chart over time where it has a
 * granularity.
 */
export function renderQueryResult(result: QueryResult, options: RenderOptions): string {
  const { columns, rows } = result;
  const table = renderTable(
    columns.map((column) => ({ name: column.name, align: isNumeric(column, rows, columns) ? 'right' : 'left' })),
    rows.map((row) => row.map(shownValue)),
    options,
  );
  const parts = [rows.length > 0 ? table : `${table}\n(no rows)`];
  if (result.series.length > 0) parts.push(renderCharts(result, options));
  parts.push(line([{ text: footer(result), style: 'dim' }], options.width, options.color));
  return `${parts.join('\n\n')}\n`;
}

function isNumeric(column: ResultColumn, rows: readonly Value[][], columns: readonly ResultColumn[]): boolean {
  if (column.op === 'HEATMAP') return false;
  const at = columns.indexOf(column);
  return column.op !== undefined || rows.every((row) => row[at] === null || typeof row[at] === 'number');
}

function shownValue(value: Value): string {
  if (value === null) return '-';
  if (typeof value === 'number') return shownNumber(value);
  if (Array.isArray(value)) return heatmap(value);
  return String(value);
}

function shownNumber(value: number): string {
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  if (size >= 1000) return value.toFixed(1);
  return String(Number(value.toPrecision(4)));
}

/**
 * Its buckets from the smallest value to the largest of the whole result, which other rows may
 * fill.
 */
function heatmap(buckets: HeatmapBucket[]): string {
  const [first, last] = [buckets[0], buckets.at(-1)];
  if (!first || !last) return '-';
  const width = first.to - first.from;
  const count = width > 0 ? Math.round((last.to - first.from) / width) : 1;
  const counts: (number | null)[] = Array.from({ length: Math.max(1, count) }, () => null);
  for (const bucket of buckets) counts[width > 0 ? Math.round((bucket.from - first.from) / width) : 0] = bucket.count;
  return `${shownNumber(first.from)} ${sparkline(counts)} ${shownNumber(last.to)}`;
}

function renderCharts(result: QueryResult, options: RenderOptions): string {
  return result.columns
    .flatMap((column, at) =>
      column.op === undefined || column.op === 'HEATMAP' ? [] : [renderChart(result, at, options)],
    )
    .join('\n\n');
}

function renderChart(
  { columns, rows, series, granularity = 1 }: QueryResult,
  at: number,
  { width, color }: RenderOptions,
): string {
  const column = columns[at];
  const groups = columns.filter(({ op }) => op === undefined).length;
  const shown = rows.slice(0, mostLines);
  const labels = shown.map((row) => plain(row.slice(0, groups).map(shownValue).join(' ')));
  const label = Math.min(30, Math.max(0, ...labels.map((text) => text.length)));
  const step = granularity * 1000;
  // Only the time in which something happened: most of two hours is often empty on a laptop.
  const times = series.map(({ time }) => Math.round(time / step));
  const first = Math.min(...times);
  const intervals = Math.max(...times) - first + 1;
  // Where there are more intervals than room, each bar is the largest of several.
  const bars = Math.max(1, Math.min(intervals, mostBars, width - label - 14));
  const lines = shown.map((row) => {
    const key = JSON.stringify(row.slice(0, groups).map(String));
    const values: (number | null)[] = Array.from({ length: bars }, () => null);
    for (const point of series) {
      if (JSON.stringify(point.values.slice(0, groups).map(String)) !== key) continue;
      const bar = Math.min(bars - 1, Math.floor(((Math.round(point.time / step) - first) * bars) / intervals));
      const value = point.values[at];
      if (typeof value === 'number') values[bar] = Math.max(values[bar] ?? Number.NEGATIVE_INFINITY, value);
    }
    return values;
  });
  const most = Math.max(0, ...lines.flatMap((values) => values.map((value) => value ?? 0)));
  const heading = `${column?.name ?? ''}, every ${granularity} s${bars < intervals ? `, the largest of each ${Math.ceil(intervals / bars)}` : ''}`;
  const before = label > 0 ? ' '.repeat(label + 2) : '';
  const start = timeOfDay(first * step).slice(0, 8);
  const end = timeOfDay((first + intervals) * step).slice(0, 8);
  const axis = `${before}${start}${bars < 18 ? ' to ' : ' '.repeat(bars - 16)}${end}`;
  return [
    line([{ text: heading, style: 'bold' }], width, color),
    ...lines.map((values, row) =>
      line(
        [
          { text: label > 0 ? `${cell(labels[row] ?? '', label)}  ` : '' },
          { text: sparkline(values, most), style: 'accent' },
          { text: row === 0 ? ` ${shownNumber(most)}` : '', style: 'dim' },
        ],
        width,
        color,
      ),
    ),
    line([{ text: axis, style: 'dim' }], width, color),
    ...(rows.length > shown.length
      ? [line([{ text: `${rows.length - shown.length} more groups are not drawn.`, style: 'dim' }], width, color)]
      : []),
  ].join('\n');
}

function footer({ rows, groups, from, to }: QueryResult): string {
  const count =
    groups > rows.length ? `${rows.length} of ${groups} rows` : `${rows.length} row${rows.length === 1 ? '' : 's'}`;
  return `${count}, ${clock(from).slice(0, 19)} to ${clock(to).slice(0, 19)}`;
}
