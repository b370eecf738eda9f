import { pathOf } from '../../format/node.ts';
import { markOf, statusStyle } from '../../format/style.ts';
import { clock, duration } from '../../format/time.ts';
import type { TraceSummary } from '../../trace/trace.ts';
import { edit, send, sendable } from './send/send.tsx';
import { api, choose, live, requests, search, searchProblem, selectedId, view } from './state.ts';

/** The requests, the newest first; one stop for the Tab key. */
export function RequestList() {
  if (requests.value.length === 0) return <Empty />;
  return (
    <ul id="traces">
      {requests.value.map((summary) => (
        <Request key={summary.id} summary={summary} />
      ))}
    </ul>
  );
}

/** Nothing to list; before the first request, what could be sent. */
function Empty() {
  const first = !search.value && live.value === 'live' ? sendable.value.slice(0, 20) : [];
  return (
    <>
      <p id="empty">{emptyText()}</p>
      {first.map((request) => (
        <p key={request.title} class="offer">
          <button
            type="button"
            onClick={() => {
              edit(request);
              view.value = 'send';
              void send();
            }}
          >
            Send {request.method} {request.path}
          </button>
        </p>
      ))}
    </>
  );
}

function emptyText(): string {
  if (search.value) return searchProblem.value || 'No request fits this search.';
  if (live.value === 'ended') return 'Nothing runs here any more. Start it with "npm start" or "npx sls local".';
  return api.value ? `No trace yet. Send a request to ${api.value}.` : 'No trace yet.';
}

function Request({ summary }: { summary: TraceSummary }) {
  const { id, status, method, url, duration: waited, inProgress, start, coldStart, reason } = summary;
  const isSelected = id === selectedId.value;
  const mark = markOf(summary);
  const cutOff = inProgress && live.value === 'ended';
  return (
    <li>
      <a
        href={`/?trace=${encodeURIComponent(id)}`}
        data-id={id}
        tabIndex={isSelected ? 0 : -1}
        aria-current={isSelected ? 'true' : undefined}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey) return;
          event.preventDefault();
          choose(id);
        }}
      >
        <span class={`status ${statusStyle(status)}`}>
          {mark ? `${mark.text} ` : ''}
          {status ?? '–'}
        </span>
        <span class="request">{[method, pathOf(url)].filter(Boolean).join(' ') || summary.xrayId}</span>
        <span class="time">{cutOff ? 'cut off' : inProgress ? '…' : duration(waited)}</span>
        <span class="quiet when">
          {clock(start)}
          {coldStart ? <span class="cold"> cold</span> : ''}
        </span>
        {reason ? <span class="reason">{reason}</span> : ''}
      </a>
    </li>
  );
}
