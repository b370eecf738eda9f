import type { Trace, TraceNode } from '../store/trace.ts';
import { bar, scale } from './bar.ts';
import { clock } from './clock.ts';
import { type CondensedLog, condense } from './log-line.ts';
import { metricTexts } from './metric.ts';
import { annotationsOf, barStyle, labelOf, markOf, pathOf } from './node-label.ts';
import { cell, columns, duration, line, type Piece, plain, type Style, truncate, wrap } from './text.ts';
import { seenIn } from './tools.ts';
import { type TreeRow, treeRows } from './tree.ts';

export interface RenderOptions {
  /** Columns of the terminal; less than 40 is taken as 40. */
  width: number;
  color: boolean;
}

const durationColumns = 8;

interface Layout {
  label: number;
  bar: number;
  width: number;
  color: boolean;
}

function layoutOf({ width, color }: RenderOptions): Layout {
  const all = Math.max(40, Math.floor(width));
  const bars = Math.min(60, Math.max(8, Math.floor((all - 26) / 2)));
  return { label: all - bars - durationColumns - 2, bar: bars, width: all, color };
}

/**
 * Draws a trace for a terminal: its tree with durations and bars in time, what failed and where, then its log lines, metrics and errors,
 * and last in which of the four tools it would be seen. No line is wider than `width`; nothing in it is taken as it was sent, so no
 * text of the trace can move the cursor or colour the terminal.
 * @returns lines separated by `\n`, without one at the end.
 */
export function renderWaterfall(trace: Trace, options: RenderOptions): string {
  const layout = layoutOf(options);
  const lines = [
    ...header(trace, layout),
    '',
    ...tree(trace, layout),
    ...logs(trace, layout),
    ...section('Metrics', metricTexts(trace.metrics), 'plain', layout),
    ...section(
      'Rollbar',
      trace.errors.map(({ level, title }) => `${level}  ${title}`),
      'bad',
      layout,
    ),
    '',
    ...flow(seenIn(trace), ' · ', 'dim', layout),
  ];
  return lines.join('\n');
}

/** Puts texts side by side, `separator` between them, in as many lines as they need. */
function flow(texts: string[], separator: string, style: Style, { width, color }: Layout): string[] {
  const lines: string[] = [];
  let current = '';
  for (const text of texts.map(plain)) {
    const joined = current === '' ? text : current + separator + text;
    if (current !== '' && columns(joined) > width) {
      lines.push(current);
      current = text;
    } else current = joined;
  }
  return [...lines, current].map((text) => line([{ text, style }], width, color));
}

function header(trace: Trace, layout: Layout): string[] {
  const status = trace.http?.status;
  const request = [trace.http?.method, pathOf(trace.http?.url)].filter(Boolean).join(' ');
  const facts: Piece[] = [];
  if (status !== undefined) {
    facts.push({ text: `  ${status}`, style: status >= 500 ? 'bad' : status >= 400 ? 'warning' : 'good' });
  }
  facts.push({ text: trace.inProgress ? '  in progress' : `  ${duration(trace.duration)}`, style: 'bold' });
  if (trace.coldStart) facts.push({ text: '  cold start', style: 'cold' });
  const room = layout.width - facts.reduce((sum, { text }) => sum + columns(text), 0);
  const title = request || trace.roots[0]?.name || 'Nothing of this trace but its logs';
  return [
    line([{ text: truncate(plain(title), room), style: 'bold' }, ...facts], layout.width, layout.color),
    ...flow([trace.xrayId, clock(trace.start), ...(trace.user ? [`user ${trace.user}`] : [])], '  ', 'dim', layout),
  ];
}

function tree(trace: Trace, layout: Layout): string[] {
  const rows = treeRows(trace.roots, Math.max(10, layout.label - 16));
  if (rows.length === 0) return [];
  const range = { start: trace.start, end: trace.end };
  const lines = [
    line(
      [
        { text: ' '.repeat(layout.width - layout.bar) },
        { text: scale(duration(trace.end - trace.start), layout.bar), style: 'dim' },
      ],
      layout.width,
      layout.color,
    ),
  ];
  const told = whereTold(rows);
  for (const row of rows) {
    lines.push(nodeLine(row, range, layout), ...notes(row, told, layout));
  }
  return lines;
}

function nodeLine({ node, prefix }: TreeRow, range: { start: number; end: number }, layout: Layout): string {
  const mark = markOf(node);
  const label: Piece[] = [{ text: prefix, style: 'dim' }];
  if (mark) label.push({ text: `${mark.text} `, style: mark.style ?? 'plain' });
  label.push(...labelOf(node));
  const used: Piece[] = [];
  let room = layout.label;
  for (const piece of label) {
    const text = truncate(plain(piece.text), room);
    room -= columns(text);
    used.push({ ...piece, text });
    if (room <= 0) break;
  }
  const end = node.inProgress ? undefined : (node.end ?? node.start);
  const length = end === undefined ? '…' : duration(node.duration ?? end - node.start);
  return line(
    [
      ...used,
      { text: ' '.repeat(Math.max(0, room) + 1) },
      { text: cell(length, durationColumns, 'right') },
      { text: ' ' },
      { text: bar(range, node.start, end, layout.bar), style: barStyle(node) },
    ],
    layout.width,
    layout.color,
  );
}

/** An exception that travels up the tree is told once, where it is deepest: everything above only has the mark. */
function whereTold(rows: TreeRow[]): Map<string, TreeNodeDepth> {
  const told = new Map<string, TreeNodeDepth>();
  for (const { node, depth } of rows) {
    for (const exception of node.exceptions) {
      const key = `${exception.type}\n${exception.message}`;
      if (depth > (told.get(key)?.depth ?? -1)) told.set(key, { node, depth });
    }
  }
  return told;
}

interface TreeNodeDepth {
  node: TraceNode;
  depth: number;
}

function notes({ node, below }: TreeRow, told: Map<string, TreeNodeDepth>, layout: Layout): string[] {
  const lines: string[] = [];
  const note = (text: string, style: Style, most: number) => {
    for (const part of wrap(text, layout.width - columns(below) - 2, most)) {
      lines.push(
        line(
          [
            { text: `${below}  `, style: 'dim' },
            { text: part, style },
          ],
          layout.width,
          layout.color,
        ),
      );
    }
  };
  const annotations = annotationsOf(node);
  if (annotations.length > 0) note(annotations.join(' '), 'dim', 2);
  for (const exception of node.exceptions) {
    if (told.get(`${exception.type}\n${exception.message}`)?.node !== node) continue;
    note([exception.type, exception.message].filter(Boolean).join(': '), node.fault ? 'bad' : 'warning', 3);
    const frame = exception.stack.find(({ path }) => path && !foreignFrame.test(path));
    if (frame) note(`at ${[frame.label, `${frame.path}:${frame.line ?? '?'}`].filter(Boolean).join(' ')}`, 'dim', 2);
  }
  return lines;
}

/** Frames that are not the service's own code. */
const foreignFrame = /(^|\/)node_modules\/|^node:|^\/var\/runtime\/|^\/opt\/|^internal\/|^<anonymous>$/;

function logs(trace: Trace, layout: Layout): string[] {
  const shown: { log: CondensedLog; time: number }[] = [];
  for (const log of trace.logs) {
    const condensed = condense(log);
    const told = condensed.kind === 'boundary' || (condensed.kind === 'metric' && trace.metrics.length > 0);
    if (!told) shown.push({ log: condensed, time: log.time });
  }
  if (shown.length === 0) return [];
  const lines = ['', line([{ text: 'Logs', style: 'bold' }], layout.width, layout.color)];
  for (const { log, time } of shown) {
    const offset = time >= trace.start ? `+${duration(time - trace.start)}` : `-${duration(trace.start - time)}`;
    const start: Piece[] = [
      { text: cell(offset, durationColumns + 1, 'right'), style: 'dim' },
      { text: ` ${cell(log.level, 5)} `, style: log.style },
    ];
    const important = log.style === 'bad' || log.style === 'warning';
    const parts = wrap(log.text, layout.width - durationColumns - 8, important ? 3 : 2);
    for (const [index, text] of (parts.length > 0 ? parts : ['']).entries()) {
      const lead = index === 0 ? start : [{ text: ' '.repeat(durationColumns + 8) }];
      lines.push(line([...lead, { text, style: log.style }], layout.width, layout.color));
    }
  }
  return lines;
}

function section(title: string, texts: string[], style: Style, layout: Layout): string[] {
  if (texts.length === 0) return [];
  const { width, color } = layout;
  const body = texts.flatMap((text) => wrap(text, width - 2, 2));
  return [
    '',
    line([{ text: title, style: 'bold' }], width, color),
    ...body.map((text) => line([{ text: '  ' }, { text, style }], width, color)),
  ];
}
