// The list of traces, live. What telemetry says is untrusted: it only ever becomes text, never markup, a style or a link's address.
import { duration, element, markOf, pathOf, showTrace, statusClass } from './waterfall.js';

const list = document.getElementById('traces');
const article = document.getElementById('trace');
const live = document.getElementById('live');
const losses = document.getElementById('losses');
const onlyErrors = document.getElementById('errors');
const most = 500;

/** Trace id to its summary, oldest first. */
const summaries = new Map();
/** Trace id to its line in the list. */
const rows = new Map();

function keep(summary) {
  summaries.delete(summary.id);
  summaries.set(summary.id, summary);
  const row = rowOf(summary);
  rows.get(summary.id)?.remove();
  rows.set(summary.id, row);
  list.insertBefore(row, [...list.children].find((other) => Number(other.dataset.start) <= summary.start) ?? null);
  while (summaries.size > most) {
    const oldest = [...summaries.values()].reduce((one, other) => (other.start < one.start ? other : one));
    summaries.delete(oldest.id);
    rows.get(oldest.id)?.remove();
    rows.delete(oldest.id);
  }
  document.getElementById('empty').hidden = true;
}

function rowOf(summary) {
  const link = element('a', '', [
    element('span', `number ${statusClass(summary.status)}`, summary.status ?? '–'),
    element('span', 'request', [summary.method, pathOf(summary.url)].filter(Boolean).join(' ') || summary.xrayId),
    element('span', 'number', summary.inProgress ? '…' : duration(summary.duration)),
    element('span', 'when quiet', [
      new Date(summary.start).toLocaleTimeString(),
      summary.coldStart ? element('span', 'cold', ' · cold start') : '',
      summary.fault || summary.error || summary.throttle ? markOf(summary) : '',
    ]),
  ]);
  // An id is 32 hexadecimal digits by the store's own check; anything else would not be found.
  link.href = `#${encodeURIComponent(summary.id)}`;
  const row = element('li', '', [link]);
  row.dataset.start = String(summary.start);
  row.hidden = onlyErrors.checked && !(summary.fault || summary.error || summary.throttle);
  if (chosen() === summary.id) link.setAttribute('aria-current', 'true');
  return row;
}

function chosen() {
  return decodeURIComponent(location.hash.slice(1));
}

async function show() {
  const id = chosen();
  for (const [rowId, row] of rows) row.firstChild.toggleAttribute('aria-current', rowId === id);
  if (id === '') return;
  const response = await fetch(`/api/traces/${encodeURIComponent(id)}`);
  const body = await response.json();
  // Another one was chosen meanwhile.
  if (chosen() !== id) return;
  if (response.ok) showTrace(article, body);
  else article.replaceChildren(element('p', 'hint', body.detail));
}

function say(text, on) {
  live.textContent = text;
  live.classList.toggle('on', on);
}

let asking;

/** Shows what could not be received, and what a real service did not take: soon, and once for all that happens until then. */
function showLossesSoon() {
  if (asking) return;
  asking = setTimeout(async () => {
    asking = undefined;
    // Who has stopped the run is told so by the stream.
    const response = await fetch('/api/status').catch(() => undefined);
    if (response) showLosses(await response.json());
  }, 1_000);
}

function showLosses({ rejections }) {
  losses.hidden = rejections.length === 0;
  losses.textContent = rejections.map(({ intake, reason, count }) => `${intake}: ${reason} (${count})`).join(' · ');
}

function listen() {
  const events = new EventSource('/api/traces/stream');
  events.addEventListener('open', async () => {
    say('live', true);
    // What ended before the stream was open, or while it was away.
    for (const summary of (await (await fetch('/api/traces?limit=200')).json()).reverse()) keep(summary);
  });
  events.addEventListener('trace', ({ data }) => {
    const summary = JSON.parse(data);
    keep(summary);
    showLossesSoon();
    if (summary.id === chosen()) void show();
  });
  events.addEventListener('error', () => say('not running', false));
}

onlyErrors.addEventListener('change', () => {
  for (const summary of [...summaries.values()]) keep(summary);
});
addEventListener('hashchange', () => void show());
const status = await (await fetch('/api/status')).json();
showLosses(status);
document.getElementById('service').textContent = `${status.service.name} · ${status.service.stage}`;
if (status.addresses.api) {
  document.getElementById('empty').textContent = `No trace yet. Send a request to ${status.addresses.api}.`;
}
listen();
void show();
