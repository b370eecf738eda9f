import { requestNode } from '../trace/caller-wait.ts';
import type { Trace, TraceNode } from '../trace/trace.ts';
import { groupOf } from './groups.ts';

/** A row of a waterfall with the rows below it. */
export interface OutlineRow {
  /** group: equal siblings, told once; gap: time in which its parent ran and no span was open. */
  kind: 'node' | 'group' | 'gap';
  /** Of a node, or of a group's first. */
  node?: TraceNode;
  /** Of a group. */
  members: TraceNode[];
  label: string;
  start: number;
  /** Absent while it runs. */
  end?: number;
  /** Milliseconds; of a group the time in which any of it ran. */
  duration?: number;
  children: OutlineRow[];
}

const leastEqual = 3;
/** A gap is shown from this share of the request on, and from this time on. */
const smallestGap = 0.1;
const smallestGapMilliseconds = 10;

/**
 * Lays a trace's tree out as rows: equal siblings become one, and long gaps become rows of their
 * own.
 */
export function outlineOf(trace: Trace): OutlineRow[] {
  const answered = requestNode(trace.roots)?.end ?? trace.end;
  const top = trace.roots.map(rowOf);
  // Not recursive: a trace may be thousands of levels deep.
  const waiting = [...top];
  for (let row = waiting.pop(); row; row = waiting.pop()) {
    if (!row.node || row.kind !== 'node') continue;
    row.children = [...grouped(row.node.children), ...gapsIn(row.node, answered, smallestGap * trace.duration)].sort(
      (one, other) => one.start - other.start,
    );
    for (const child of row.children) waiting.push(child);
  }
  return top;
}

function rowOf(node: TraceNode): OutlineRow {
  const { name, start, end, duration } = node;
  return {
    kind: 'node',
    node,
    members: [node],
    label: name,
    start,
    ...(end !== undefined && { end }),
    ...(duration !== undefined && { duration }),
    children: [],
  };
}

/** Groups neighbours that are equal, are done, have nothing below and did not fail. */
function grouped(nodes: readonly TraceNode[]): OutlineRow[] {
  const rows: OutlineRow[] = [];
  let equal: TraceNode[] = [];
  const flush = () => {
    const [first] = equal;
    if (first && equal.length >= leastEqual) rows.push(groupRow(first, equal));
    else rows.push(...equal.map(rowOf));
    equal = [];
  };
  for (const node of nodes) {
    const [first] = equal;
    if (first && keyOf(first) !== keyOf(node)) flush();
    equal.push(node);
  }
  flush();
  return rows;
}

function keyOf(node: TraceNode): unknown {
  const isPlain = node.children.length === 0 && node.end !== undefined && node.exceptions.length === 0;
  if (!isPlain || node.error || node.fault || node.throttle) return node;
  const { kind, label } = groupOf(node);
  return kind === 'call' || kind === 'own' ? `${kind} ${label}` : node;
}

function groupRow(first: TraceNode, members: TraceNode[]): OutlineRow {
  return {
    kind: 'group',
    node: first,
    members,
    label: `${members.length} × ${groupOf(first).label}`,
    start: Math.min(...members.map(({ start }) => start)),
    end: Math.max(...members.map(({ start, end = start }) => end)),
    duration: covered(members).reduce((sum, [start, end]) => sum + end - start, 0),
    children: [],
  };
}

/** @returns the times in which any of the nodes ran, in order and without overlap. */
function covered(nodes: readonly TraceNode[]): [number, number][] {
  const times: [number, number][] = [];
  for (const { start, end = Number.POSITIVE_INFINITY } of [...nodes].sort((one, other) => one.start - other.start)) {
    const last = times.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else times.push([start, end]);
  }
  return times;
}

/** @param answered nobody waits for what comes after it. */
function gapsIn(node: TraceNode, answered: number, least: number): OutlineRow[] {
  const { children, start, origin } = node;
  const end = node.end && Math.min(node.end, answered);
  const { kind } = groupOf(node);
  const isCode = kind === 'uncovered' || kind === 'own' || origin === 'AWS::Lambda::Function';
  if (!isCode || children.length === 0 || end === undefined || !Number.isFinite(end - start)) return [];
  const rows: OutlineRow[] = [];
  let at = start;
  for (const [from, to] of [...covered(children), [end, end] as const]) {
    const until = Math.min(from, end);
    if (until - at >= Math.max(smallestGapMilliseconds, least)) {
      rows.push({
        kind: 'gap',
        members: [],
        label: 'no span',
        start: at,
        end: until,
        duration: until - at,
        children: [],
      });
    }
    at = Math.max(at, to);
  }
  return rows;
}
