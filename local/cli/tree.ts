import type { TraceNode } from '../store/trace.ts';

export interface TreeRow {
  node: TraceNode;
  /** 0 for a root. */
  depth: number;
  /** The lines of the tree before the node's name. */
  prefix: string;
  /** The lines of the tree before what is noted below the node. */
  below: string;
}

/**
 * Lays a forest out as rows, each node before its children.
 * @param most the columns that a prefix may take: a deeper one is cut at its start, where `…` then stands.
 */
export function treeRows(roots: TraceNode[], most: number): TreeRow[] {
  const rows: TreeRow[] = [];
  // A stack of its own, not recursion: a trace may be thousands of levels deep.
  const waiting = roots
    .map((node, index) => ({ node, depth: 0, above: '', last: index === roots.length - 1 }))
    .reverse();
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { node, depth, above, last } = next;
    const trunk = depth === 0 ? '' : above + (last ? '  ' : '│ ');
    const prefix = depth === 0 ? '' : above + (last ? '└ ' : '├ ');
    const below = trunk + (node.children.length > 0 ? '│ ' : '  ');
    rows.push({ node, depth, prefix: shorten(prefix, most), below: shorten(below, most) });
    for (let index = node.children.length - 1; index >= 0; index -= 1) {
      const child = node.children[index];
      // Only the end of a prefix is ever shown, and a full one for each of thousands of levels would be megabytes.
      const kept = trunk.slice(-most - 2);
      if (child) waiting.push({ node: child, depth: depth + 1, above: kept, last: index === node.children.length - 1 });
    }
  }
  return rows;
}

function shorten(prefix: string, most: number): string {
  return prefix.length <= most ? prefix : `…${prefix.slice(prefix.length - most + 1)}`;
}
