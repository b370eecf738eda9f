import { inOrder, type Trace, type TraceNode } from '../trace/trace.ts';

export interface NodePart {
  node: TraceNode;
  start: number;
  end: number;
}

/**
 * Finds what a request was waiting for at each moment: going back from its answer, the child that
 * ended last, then the one that ended before that one began. The parts lie end to end, so their
 * lengths add up to the request's duration.
 */
export function criticalPath(trace: Trace, request: TraceNode): NodePart[] {
  const { start } = request;
  const end = request.end ?? trace.end;
  if (!Number.isFinite(start) || !Number.isFinite(end) || end <= start) return [];
  const parts: NodePart[] = [];
  const add = (node: TraceNode, from: number, to: number) => {
    if (to > from) parts.push({ node, start: from, end: to });
  };
  const waiting = [
    { node: request, from: start, to: end, children: [...request.children, ...adopted(trace, request)] },
  ];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { node, from, to } = next;
    let at = to;
    for (const child of byEnd(next.children, to)) {
      const childEnd = Math.min(child.end ?? to, at);
      const childStart = Math.max(child.start, from);
      if (childEnd <= childStart) continue;
      add(node, childEnd, at);
      waiting.push({ node: child, from: childStart, to: childEnd, children: child.children });
      at = childStart;
    }
    add(node, from, at);
  }
  return parts.sort((one, other) => one.start - other.start);
}

/** Nodes whose parents have not arrived: they belong to the request, wherever exactly. */
function adopted({ roots }: Trace, request: TraceNode): TraceNode[] {
  return roots.filter((root) => root.orphan && ![...inOrder([root])].includes(request));
}

function byEnd(children: readonly TraceNode[], open: number): TraceNode[] {
  return children
    .filter(({ start, end = open }) => Number.isFinite(start) && Number.isFinite(end))
    .sort((one, other) => (other.end ?? open) - (one.end ?? open));
}
