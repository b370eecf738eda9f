import { signal } from '@preact/signals';
import type { CSSProperties } from 'preact';
import type { ExplainedTrace } from '../../../explain/explained-traces.ts';
import { type OutlineRow, outlineOf } from '../../../explain/outline.ts';
import { barStyle, labelOf } from '../../../format/node.ts';
import { markOf } from '../../../format/style.ts';
import { duration } from '../../../format/time.ts';
import { requestNode } from '../../../trace/caller-wait.ts';
import type { TraceLog, TraceNode } from '../../../trace/trace.ts';
import { chosenNode, showGroups, showPath, tab } from '../state.ts';

interface Row {
  item: OutlineRow;
  level: number;
  key: string;
}

const closed = signal<ReadonlySet<string>>(new Set());

/** The tree of a trace in time; a treegrid with one stop for the Tab key. */
export function Waterfall({ trace }: { trace: ExplainedTrace }) {
  const rows = visibleRows(trace);
  const whole = Math.max(trace.end - trace.start, 0.001);
  const percent = (time: number) => Math.min(100, Math.max(0, ((time - trace.start) / whole) * 100));
  const answered = requestNode(trace.roots)?.end ?? trace.end;
  const scale = { percent, answered: percent(answered), logs: logsBySpan(trace.logs) };
  const focused = rows.find(({ key }) => key === chosenNode.value)?.key ?? rows[0]?.key;
  const late = trace.end - answered;
  return (
    <div class="waterfall">
      <div class="ruler" aria-hidden="true">
        <span>0</span>
        <span>{duration(whole / 2)}</span>
        <span>{duration(whole)}</span>
      </div>
      <div role="treegrid" aria-label="Waterfall" style={{ '--answered': `${scale.answered}%` } as CSSProperties}>
        {rows.map((row) => (
          <WaterfallRow key={row.key} row={row} trace={trace} scale={scale} isStop={row.key === focused} rows={rows} />
        ))}
      </div>
      {late >= 1 ? (
        <p class="quiet after">{duration(late)} more after the answer (shaded), for which the caller did not wait</p>
      ) : (
        ''
      )}
    </div>
  );
}

interface Scale {
  percent(time: number): number;
  answered: number;
  logs: Map<string, TraceLog[]>;
}

interface RowProps {
  row: Row;
  trace: ExplainedTrace;
  scale: Scale;
  isStop: boolean;
  rows: Row[];
}

function WaterfallRow({ row, trace, scale, isStop, rows }: RowProps) {
  const { item, level, key } = row;
  const { node } = item;
  const isNode = item.kind === 'node' && node !== undefined;
  const mark = isNode ? markOf(node) : undefined;
  const end = node?.inProgress ? trace.end : (item.end ?? item.start);
  const left = scale.percent(item.start);
  const style = item.kind === 'gap' ? 'gap' : node ? barStyle(node) : 'plain';
  const ids = new Set(item.members.map(({ id }) => id));
  const path = showPath.value ? trace.explanation.criticalPath.filter((part) => ids.has(part.node)) : [];
  const logs = isNode ? (scale.logs.get(node.id) ?? []) : [];
  return (
    <div
      role="row"
      class="row"
      data-key={key}
      tabIndex={isStop ? 0 : -1}
      aria-level={level}
      aria-selected={key === chosenNode.value}
      aria-expanded={item.children.length > 0 ? !closed.value.has(key) : undefined}
      onClick={() => select(row)}
      onKeyDown={(event) => move(event, row, rows)}
    >
      <span role="gridcell" class="label" style={{ '--level': String(Math.min(level - 1, 14)) } as CSSProperties}>
        <span class="twist" aria-hidden="true">
          {item.children.length > 0 ? (closed.value.has(key) ? '▸' : '▾') : ''}
        </span>
        {mark ? <span class={mark.style}>{mark.text} </span> : ''}
        {isNode ? (
          labelOf(node).map(({ text, style: look }, at) => (
            <span key={at} class={look === 'dim' ? 'quiet' : (look ?? '')}>
              {text}
            </span>
          ))
        ) : (
          <span class={item.kind === 'gap' ? 'quiet' : ''}>{item.label}</span>
        )}
      </span>
      <span role="gridcell" class="time">
        {node?.inProgress ? '…' : duration(item.duration ?? end - item.start)}
      </span>
      <span role="gridcell" class="track" aria-label={`from ${duration(Math.max(0, item.start - trace.start))}`}>
        <span class={`bar ${style}`} style={place(left, scale.percent(end))} />
        {path.map((part) => (
          <span key={part.start} class="critical" style={place(scale.percent(part.start), scale.percent(part.end))} />
        ))}
        {logs.map((log, at) => (
          <span
            key={at}
            class="log-mark"
            title={log.message.slice(0, 200)}
            style={place(scale.percent(log.time), scale.percent(log.time))}
          />
        ))}
      </span>
    </div>
  );
}

function place(left: number, right: number): CSSProperties {
  return { left: `${left}%`, width: `${Math.max(0, right - left)}%` };
}

function logsBySpan(logs: readonly TraceLog[]): Map<string, TraceLog[]> {
  return Map.groupBy(
    logs.filter(({ spanId }) => spanId !== undefined),
    ({ spanId = '' }) => spanId,
  );
}

function visibleRows(trace: ExplainedTrace): Row[] {
  const rows: Row[] = [];
  const waiting = outlineOf(trace)
    .map((item) => ({ item, level: 1 }))
    .reverse();
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { item, level } = next;
    const key = item.kind === 'gap' ? `gap ${item.start}` : `${item.kind === 'group' ? 'group ' : ''}${item.node?.id}`;
    if (item.kind === 'group' && !showGroups.value) {
      for (const node of [...item.members].reverse()) waiting.push({ item: single(node), level });
      continue;
    }
    rows.push({ item, level, key });
    if (closed.value.has(key)) continue;
    for (const child of [...item.children].reverse()) waiting.push({ item: child, level: level + 1 });
  }
  return rows;
}

function single(node: TraceNode): OutlineRow {
  const { start, end, duration: length, name } = node;
  return {
    kind: 'node',
    node,
    members: [node],
    label: name,
    start,
    children: [],
    ...(end !== undefined && { end }),
    ...(length !== undefined && { duration: length }),
  };
}

function select(row: Row): Row {
  chosenNode.value = row.key;
  if (row.item.node) tab.value = 'span';
  return row;
}

function setClosed(row: Row, isClosed: boolean): Row {
  const keys = new Set(closed.value);
  if (isClosed) keys.add(row.key);
  else keys.delete(row.key);
  closed.value = keys;
  return row;
}

/**
 * The keys of a treegrid: up and down, left to close or go to the parent, right to open, Enter for
 * the details.
 */
function move(event: KeyboardEvent, row: Row, rows: Row[]): void {
  const at = rows.indexOf(row);
  const parent = rows.slice(0, at).findLast(({ level }) => level < row.level);
  const isClosed = closed.value.has(row.key);
  const target: Record<string, () => Row | undefined> = {
    ArrowDown: () => rows[at + 1],
    ArrowUp: () => rows[at - 1],
    Home: () => rows[0],
    End: () => rows.at(-1),
    ArrowLeft: () => (row.item.children.length > 0 && !isClosed ? setClosed(row, true) : parent),
    ArrowRight: () => (isClosed ? setClosed(row, false) : rows[at + 1]),
    Enter: () => select(row),
  };
  const next = target[event.key]?.();
  if (!(event.key in target)) return;
  event.preventDefault();
  if (!next) return;
  chosenNode.value = next.key;
  const element = event.currentTarget instanceof HTMLElement ? event.currentTarget.parentElement : undefined;
  const wanted = [...(element?.children ?? [])].find(
    (one) => one instanceof HTMLElement && one.dataset.key === next.key,
  );
  if (wanted instanceof HTMLElement) wanted.focus();
}
