import { pathOf } from '../format/node.ts';
import type { TraceSummary } from '../trace/trace.ts';
import type { RunContext } from './explanation.ts';
import { foldIds } from './groups.ts';

/** @returns the route of a request: its method and path, without the query and with IDs folded. */
export function routeOf({ method, url }: Pick<TraceSummary, 'method' | 'url'>): string {
  const path = pathOf(url)?.replace(/[?#].*$/, '') ?? '';
  return `${method ?? ''} ${foldIds(path)}`.trim();
}

/** @returns a failure's reason without what differs from one request to the next. */
export function reasonKey(reason: string): string {
  return reason.replace(/\d+(\.\d+)?/g, '0').replace(/“[^”]*”/g, '');
}

/**
 * @returns how a request compares with the run's others: its route's median, and how often its
 * reason for failing occurred.
 */
export function runContext(
  request: Pick<TraceSummary, 'id' | 'method' | 'url'>,
  others: readonly TraceSummary[],
  reasons: ReadonlyMap<string, string>,
): RunContext {
  const route = routeOf(request);
  const durations = others
    .filter((other) => other.id !== request.id && !other.inProgress && routeOf(other) === route)
    .map(({ duration }) => duration)
    .sort((one, other) => one - other);
  const own = reasons.get(request.id);
  const failures = own === undefined ? 0 : [...reasons.values()].filter((key) => key === own).length;
  return {
    usual: { milliseconds: median(durations), requests: durations.length },
    ...(failures > 0 && { failures }),
  };
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length / 2;
  const [low = 0, high = 0] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}
