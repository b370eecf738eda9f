import { reasonKey, routeOf } from '../../explain/run-statistics.ts';
import { statusStyle } from '../../format/style.ts';
import { clock } from '../../format/time.ts';
import type { TraceSummary } from '../../trace/trace.ts';
import { choose, failed, requests } from './state.ts';

interface ErrorGroup {
  key: string;
  route: string;
  /** The newest request of the group. */
  newest: TraceSummary;
  first: number;
  count: number;
  releases: string[];
}

/** The failures of the listed requests by route, status and reason, the most frequent first. */
export function Errors() {
  const groups = groupFailures(requests.value);
  if (groups.length === 0) return <p class="quiet">No request has failed.</p>;
  return (
    <section aria-label="Errors">
      <h2>Errors</h2>
      <table class="errors">
        <thead>
          <tr>
            <th scope="col">Requests</th>
            <th scope="col">What failed</th>
            <th scope="col">First</th>
            <th scope="col">Last</th>
            <th scope="col">Versions</th>
          </tr>
        </thead>
        <tbody>
          {groups.map(({ key, route, newest, first, count, releases }) => (
            <tr key={key}>
              <td class="number">{count}</td>
              <td>
                <button type="button" onClick={() => choose(newest.id)}>
                  <span class={statusStyle(newest.status)}>{newest.status ?? '–'}</span> {route}
                </button>
                <span class="reason">{newest.reason ?? 'No reason was recorded.'}</span>
              </td>
              <td class="time">{clock(first)}</td>
              <td class="time">{clock(newest.start)}</td>
              <td class="versions">{releases.join(', ') || '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** @param summaries the newest first. */
export function groupFailures(summaries: readonly TraceSummary[]): ErrorGroup[] {
  const groups = new Map<string, ErrorGroup>();
  for (const summary of summaries.filter(failed)) {
    const route = routeOf(summary);
    const key = JSON.stringify([route, summary.status, reasonKey(summary.reason ?? '')]);
    const group = groups.get(key) ?? { key, route, newest: summary, first: 0, count: 0, releases: [] };
    group.count += 1;
    group.first = summary.start;
    if (summary.release !== undefined && !group.releases.includes(summary.release))
      group.releases.push(summary.release);
    groups.set(key, group);
  }
  return [...groups.values()].sort((one, other) => other.count - one.count || other.newest.start - one.newest.start);
}
