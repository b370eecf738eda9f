import type { Explanation } from '../../explain/index.ts';
import { type OutlineRow, outlineOf } from '../../explain/outline.ts';
import { type CondensedLog, condense } from '../../format/log-line.ts';
import { metricTexts } from '../../format/metric.ts';
import { annotationsOf, barStyle, eventsOf, labelOf, pathOf, servicesOf } from '../../format/node.ts';
import { markOf, type Piece, type Style, statusStyle } from '../../format/style.ts';
import { clock, duration } from '../../format/time.ts';
import { missingOnAws, seenIn } from '../../format/tools.ts';
import { requestNode } from '../../trace/caller-wait.ts';
import { inOrder, type StackFrame, type Trace, type TraceNode } from '../../trace/trace.ts';
import { type BarRange, bar, scale } from './bar.ts';
import { cell, columns, line, plain, type RenderOptions, truncate, wrap } from './text.ts';
import { type TreeRow, treeRows } from './tree.ts';

const durationColumns = 8;

/** A trace, with the sentence that explains it where one was made. */
type Explained = Trace & { explanation?: Explanation };

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
 * Draws a trace for a terminal: its tree with durations and bars in time, what failed and where,
 * then its log lines, metrics and errors, and last in which of the four tools it would be seen. No
 * line is wider than `width`; nothing in it is taken as it was sent, so no text of the trace can
 * move the cursor or colour the terminal.
 * @returns lines separated by `\n`, without one at the end.
 */
export function renderWaterfall(trace: Explained, options: RenderOptions): string {
  const layout = layoutOf(options);
  const lines = [
    ...header(trace, layout),
    ...explained(trace, layout),
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
    ...flow([seenIn(trace), missingOnAws(trace) ?? []].flat(), ' · ', 'dim', layout),
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
    facts.push({ text: `  ${status}`, style: statusStyle(status) });
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

/** Why it took its time or failed, in front of everything else; and what is missing to say more. */
function explained({ explanation }: Explained, layout: Layout): string[] {
  if (!explanation) return [];
  const { sentence, missing } = explanation;
  const text = (words: string, style: Style) =>
    wrap(words, layout.width, 5).map((part) => line([{ text: part, style }], layout.width, layout.color));
  return ['', ...text(sentence, 'bold'), ...missing.flatMap((words) => text(words, 'dim'))];
}

function tree(trace: Trace, layout: Layout): string[] {
  const rows = treeRows(outlineOf(trace), Math.max(10, layout.label - 16));
  if (rows.length === 0) return [];
  const range = { start: trace.start, end: trace.end };
  const after = afterAnswer(trace);
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
  if (after !== undefined) lines.push(answerLine(trace, range, layout));
  const told = whereTold(rows);
  const several = servicesOf(inOrder(trace.roots)).size > 1;
  let above: string | undefined;
  for (const row of rows) {
    // Only where it changes: with one service the name says nothing.
    const service = row.item.kind === 'node' ? row.item.node?.serviceName : undefined;
    const isNew = several && service !== undefined && service !== above;
    above = service ?? above;
    lines.push(rowLine(row, range, layout, isNew ? service : undefined));
    if (row.item.kind === 'node') lines.push(...notes(row, told, layout));
  }
  if (after !== undefined) {
    const text = `▾ answered; ${duration(after)} more after the answer, for which the caller did not wait`;
    lines.push(line([{ text, style: 'dim' }], layout.width, layout.color));
  }
  return lines;
}

/** @returns how long the trace went on after the answer, where that can be seen. */
function afterAnswer(trace: Trace): number | undefined {
  const answered = requestNode(trace.roots)?.end;
  const after = answered === undefined ? 0 : trace.end - answered;
  return after >= 1 && after >= (trace.end - trace.start) / 100 ? after : undefined;
}

/** Marks the moment of the answer above the bars. */
function answerLine(trace: Trace, range: BarRange, layout: Layout): string {
  const answered = requestNode(trace.roots)?.end ?? trace.end;
  const column = Math.round(((answered - range.start) / (range.end - range.start)) * layout.bar);
  const at = Math.min(layout.bar - 1, Math.max(0, column));
  const text = `${' '.repeat(layout.width - layout.bar + at)}▾`;
  return line([{ text, style: 'dim' }], layout.width, layout.color);
}

function rowLine(
  { item, prefix }: TreeRow<OutlineRow>,
  range: BarRange,
  layout: Layout,
  service: string | undefined,
): string {
  const { node, start } = item;
  const label: Piece[] = [{ text: prefix, style: 'dim' }];
  const mark = item.kind === 'node' && node ? markOf(node) : undefined;
  if (mark) label.push({ text: `${mark.text} `, style: mark.style });
  if (item.kind === 'node' && node) label.push(...labelOf(node));
  else label.push({ text: item.label, style: item.kind === 'gap' ? 'dim' : 'plain' });
  if (service !== undefined) label.push({ text: ` [${service}]`, style: 'dim' });
  const used: Piece[] = [];
  let room = layout.label;
  for (const piece of label) {
    const text = truncate(plain(piece.text), room);
    room -= columns(text);
    used.push({ ...piece, text });
    if (room <= 0) break;
  }
  const end = node?.inProgress ? undefined : (item.end ?? start);
  const length = end === undefined ? '…' : duration(item.duration ?? end - start);
  return line(
    [
      ...used,
      { text: ' '.repeat(Math.max(0, room) + 1) },
      { text: cell(length, durationColumns, 'right') },
      { text: ' ' },
      {
        text:
          item.kind === 'gap'
            ? bar(range, start, end, layout.bar).replace(/\S/g, '┄')
            : bar(range, start, end, layout.bar),
        style: item.kind === 'gap' || !node ? 'dim' : barStyle(node),
      },
    ],
    layout.width,
    layout.color,
  );
}

/**
 * An exception that travels up the tree is told once, where it is deepest: everything above only
 * has the mark.
 */
function whereTold(rows: TreeRow<OutlineRow>[]): Map<string, TreeNodeDepth> {
  const told = new Map<string, TreeNodeDepth>();
  for (const { item, depth } of rows) {
    const { node } = item;
    for (const exception of node?.exceptions ?? []) {
      const key = `${exception.type}\n${exception.message}`;
      if (node && depth > (told.get(key)?.depth ?? -1)) told.set(key, { node, depth });
    }
  }
  return told;
}

interface TreeNodeDepth {
  node: TraceNode;
  depth: number;
}

function notes({ item, below }: TreeRow<OutlineRow>, told: Map<string, TreeNodeDepth>, layout: Layout): string[] {
  const lines: string[] = [];
  const { node } = item;
  if (!node) return lines;
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
  for (const event of eventsOf(node)) note(event, 'dim', 2);
  if (node.statusMessage && !node.exceptions.some(({ message }) => message === node.statusMessage)) {
    note(node.statusMessage, markOf(node)?.style ?? 'dim', 2);
  }
  for (const exception of node.exceptions) {
    if (told.get(`${exception.type}\n${exception.message}`)?.node !== node) continue;
    note([exception.type, exception.message].filter(Boolean).join(': '), node.fault ? 'bad' : 'warning', 3);
    const frame = exception.stack.find(({ path }) => path && !foreignFrame.test(path));
    if (!frame) continue;
    note(`at ${[frame.label, placeOf(frame)].filter(Boolean).join(' ')}`, 'dim', 2);
    for (const { line: number, text } of frame.source ?? []) {
      const marked = `${number === frame.line ? '>' : ' '} ${String(number).padStart(4)} | ${text}`;
      lines.push(line([{ text: `${below}  ${marked}`, style: 'dim' }], layout.width, layout.color));
    }
  }
  return lines;
}

function placeOf({ path, line: number, column }: StackFrame): string {
  return [path, number ?? '?', column].filter((part) => part !== undefined).join(':');
}

/** Frames that are not the service's own code. */
const foreignFrame = /(^|\/)node_modules\/|^node(:|$)|^\/var\/runtime\/|^\/opt\/|^internal\/|^<anonymous>$/;

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
