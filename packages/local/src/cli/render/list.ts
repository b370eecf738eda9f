import { pathOf } from '../../format/node.ts';
import { markOf, type Piece, statusStyle } from '../../format/style.ts';
import { duration, timeOfDay } from '../../format/time.ts';
import type { TraceSummary } from '../../trace/trace.ts';
import { cell, line, type RenderOptions } from './text.ts';

const idColumns = 35;
const timeColumns = 12;

/**
 * @returns the end of a trace id that is told where the whole one does not fit: its start is the
 * second, which neighbours share.
 */
export function shortId(id: string): string {
  return id.slice(-8);
}

/**
 * Draws a trace as a line: time, result, request, duration, cold start, ID; and the reason of a
 * failure on a second one. The id is the last eight digits where less than 110 columns are to be
 * had; `sls trace` takes those too.
 */
export function renderSummary(summary: TraceSummary, { width, color }: RenderOptions): string {
  const all = Math.max(40, Math.floor(width));
  const id = all >= 110 ? summary.xrayId : shortId(summary.id);
  const time = all >= 60;
  const request = [summary.method, pathOf(summary.url)].filter(Boolean).join(' ') || '-';
  const before: Piece[] = time ? [{ text: `${timeOfDay(summary.start)} `, style: 'dim' }] : [];
  before.push(mark(summary), {
    text: `${cell(summary.status === undefined ? '-' : String(summary.status), 3)} `,
    style: statusStyle(summary.status),
  });
  const after: Piece[] = [
    { text: ` ${cell(summary.inProgress ? '…' : duration(summary.duration), 8, 'right')}`, style: 'bold' },
    { text: summary.coldStart ? ' cold' : '     ', style: 'cold' },
    { text: ` ${cell(id, all >= 110 ? idColumns : 8)}`, style: 'dim' },
  ];
  const used = [...before, ...after].reduce((sum, { text }) => sum + text.length, 0);
  const first = line([...before, { text: cell(request, all - used) }, ...after], all, color);
  if (!summary.reason) return first;
  const indent = time ? ' '.repeat(timeColumns + 1) : '';
  const reason: Piece[] = [
    { text: `${indent}└ `, style: 'dim' },
    { text: summary.reason, style: 'dim' },
  ];
  return `${first}\n${line(reason, all, color)}`;
}

/** @returns a list of traces, the newest last, where a terminal is looked at. */
export function renderList(summaries: TraceSummary[], options: RenderOptions): string {
  return [...summaries]
    .sort((one, other) => one.start - other.start)
    .map((summary) => renderSummary(summary, options))
    .join('\n');
}

function mark(summary: TraceSummary): Piece {
  const found = markOf(summary);
  return found ? { ...found, text: `${found.text} ` } : { text: '  ' };
}
