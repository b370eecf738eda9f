/** Anything with children of its own kind. */
export interface Tree<T> {
  children: T[];
}

export interface TreeRow<T> {
  item: T;
  /** 0 for a root. */
  depth: number;
  /** The lines of the tree before the item's name. */
  prefix: string;
  /** The lines of the tree before what is noted below the item. */
  below: string;
}

/**
 * Lays a forest out as rows, each node before its children.
 * @param most the columns that a prefix may take: a deeper one is cut at its start, where `…`
 *   then stands.
 */
export function treeRows<T extends Tree<T>>(roots: readonly T[], most: number): TreeRow<T>[] {
  const rows: TreeRow<T>[] = [];
  // A stack of its own, not recursion: a trace may be thousands of levels deep.
  const waiting = roots
    .map((item, index) => ({ item, depth: 0, above: '', last: index === roots.length - 1 }))
    .reverse();
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { item, depth, above, last } = next;
    const trunk = depth === 0 ? '' : above + (last ? '  ' : '│ ');
    const prefix = depth === 0 ? '' : above + (last ? '└ ' : '├ ');
    const below = trunk + (item.children.length > 0 ? '│ ' : '  ');
    rows.push({ item, depth, prefix: shorten(prefix, most), below: shorten(below, most) });
    for (let index = item.children.length - 1; index >= 0; index -= 1) {
      const child = item.children[index];
      // Only the end of a prefix is ever shown, and a full one for each of thousands of levels
      // would be megabytes.
      const kept = trunk.slice(-most - 2);
      if (child) waiting.push({ item: child, depth: depth + 1, above: kept, last: index === item.children.length - 1 });
    }
  }
  return rows;
}

function shorten(prefix: string, most: number): string {
  return prefix.length <= most ? prefix : `…${prefix.slice(prefix.length - most + 1)}`;
}
