import type { Trace, TraceNode } from '../../store/trace.ts';

/**
 * @returns whether nothing of a trace is known to be missing. Children arrive before their parents, so a node without its parent may
 * be waiting for it; it may also wait forever, when the parent is a browser that sends its spans elsewhere or nowhere.
 */
export function isComplete(trace: Trace): boolean {
  if (trace.inProgress || trace.roots.length === 0) return false;
  return trace.roots.every((root: TraceNode) => !root.orphan);
}
