import type { Trace, TraceNode, TraceSummary } from '../../store/trace.ts';

/** @returns the line that stands for a trace in a list. */
export function summaryOf(trace: Trace): TraceSummary {
  const { id, xrayId, start, duration, inProgress, error, fault, throttle, coldStart, http, user } = trace;
  return {
    ...{ id, xrayId, start, duration, inProgress, error, fault, throttle, coldStart },
    ...(http?.method === undefined ? {} : { method: http.method }),
    ...(http?.url === undefined ? {} : { url: http.url }),
    ...(http?.status === undefined ? {} : { status: http.status }),
    ...(user === undefined ? {} : { user }),
  };
}

/**
 * @returns whether nothing of a trace is known to be missing. Children arrive before their parents, so a node without its parent may
 * be waiting for it; it may also wait forever, when the parent is a browser that sends its spans elsewhere or nowhere.
 */
export function isComplete(trace: Trace): boolean {
  if (trace.inProgress || trace.roots.length === 0) return false;
  return trace.roots.every((root: TraceNode) => !root.orphan);
}
