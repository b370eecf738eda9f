// The console's page. What telemetry contains is untrusted: it only ever becomes text, never
// markup, a style or a link's address.
import { render } from 'preact';
import { pathOf } from '../../format/node.ts';
import { statusStyle } from '../../format/style.ts';
import { clock, duration } from '../../format/time.ts';
import { Errors } from './errors.tsx';
import { onKey, shortcuts } from './keys.ts';
import { RequestList } from './list.tsx';
import { readRequests, Send } from './send/send.tsx';
import {
  buildFailures,
  choose,
  chosenId,
  live,
  paused,
  problem,
  rejections,
  search,
  searchProblem,
  service,
  showHelp,
  start,
  togglePause,
  toggleView,
  trace,
  view,
  waitingCount,
} from './state.ts';
import { Details } from './trace/details.tsx';
import { Waterfall } from './trace/waterfall.tsx';

function Page() {
  return (
    <div class={chosenId.value || view.value !== 'trace' ? 'page chosen' : 'page'}>
      <header>
        <h1>Throughline</h1>
        <span class="quiet">{service.value}</span>
        <input
          id="search"
          type="search"
          aria-label="Search requests"
          placeholder="status>=500 route:/api time:>300ms"
          value={search.value}
          aria-invalid={searchProblem.value !== ''}
          aria-describedby="search-problem"
          onInput={(event) => (search.value = event.currentTarget.value)}
        />
        <button type="button" aria-pressed={view.value === 'errors'} onClick={() => toggleView('errors')}>
          Errors
        </button>
        <button type="button" aria-pressed={view.value === 'send'} onClick={() => toggleView('send')}>
          Send
        </button>
        <a href="/ask">Ask</a>
        <button type="button" aria-pressed={paused.value} onClick={togglePause}>
          {paused.value ? `Paused, ${waitingCount.value} new` : 'Pause'}
        </button>
        <span id="live" class={live.value === 'live' ? 'on' : ''} role="status">
          {live.value}
        </span>
      </header>
      <p id="search-problem" role="status" class="banner warning" hidden={searchProblem.value === ''}>
        {searchProblem.value}
      </p>
      <p id="losses" role="status" class="banner warning" hidden={rejections.value.length === 0}>
        {rejections.value.map(({ intake, reason, count }) => `${intake}: ${reason} (${count})`).join(' · ')}
      </p>
      <BuildFailures />
      <main>
        <nav aria-label="Requests">
          <RequestList />
        </nav>
        <article>
          <Beside />
        </article>
      </main>
      <p class="announcement" role="status">
        {trace.value?.explanation.sentence ?? ''}
      </p>
      <Help />
    </div>
  );
}

/** Functions whose code does not build; esbuild's text has the place and a code frame. */
function BuildFailures() {
  if (buildFailures.value.length === 0) return null;
  return (
    <section class="banner bad" role="alert" aria-label="Build failures">
      {buildFailures.value.map(({ functionKey, message }) => (
        <details key={functionKey} open={buildFailures.value.length === 1}>
          <summary>The function {functionKey} does not build. Its requests fail until it does.</summary>
          <pre>{message}</pre>
        </details>
      ))}
    </section>
  );
}

function Beside() {
  if (view.value === 'trace') return <Chosen />;
  return (
    <>
      <button type="button" class="back" onClick={() => choose('')}>
        ‹ All requests
      </button>
      {view.value === 'errors' ? <Errors /> : <Send />}
    </>
  );
}

function Chosen() {
  const shown = trace.value;
  if (!shown) return <p class="quiet">{problem.value || 'Send a request to see where its time goes.'}</p>;
  const { http, explanation, xrayId, start: begun, inProgress, coldStart, user } = shown;
  return (
    <>
      <button type="button" class="back" onClick={() => choose('')}>
        ‹ All requests
      </button>
      <h2>
        {[http?.method, pathOf(http?.url)].filter(Boolean).join(' ') || shown.roots[0]?.name || 'Logs without a span'}
        {http?.status === undefined ? '' : <span class={statusStyle(http.status)}> {http.status}</span>}
        <span> {inProgress ? (live.value === 'ended' ? 'cut off' : 'in progress') : duration(shown.duration)}</span>
        {coldStart ? <span class="cold"> cold start</span> : ''}
      </h2>
      <p class="quiet">{[xrayId, clock(begun), user && `user ${user}`].filter(Boolean).join(' · ')}</p>
      <p class="sentence">{explanation.sentence}</p>
      {explanation.missing.map((text) => (
        <p key={text} class="quiet">
          {text}
        </p>
      ))}
      {shown.roots.length > 0 ? <Waterfall trace={shown} /> : ''}
      <Details trace={shown} />
    </>
  );
}

function Help() {
  if (!showHelp.value) return null;
  return (
    <dialog open aria-label="Keyboard shortcuts" class="help">
      <dl>
        {shortcuts.map(({ key, does }) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}

addEventListener('keydown', onKey);
start();
void readRequests();
const app = document.getElementById('app');
if (app) render(<Page />, app);
