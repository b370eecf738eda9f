import { signal } from '@preact/signals';
import { statusStyle } from '../../../format/style.ts';
import { duration } from '../../../format/time.ts';
import type { SendableRequest } from '../../send/requests.ts';
import type { SentAnswer } from '../../send/send-request.ts';
import { api, choose } from '../state.ts';
import { beginSpan, endSpan, traceHeaders } from './browser-span.ts';
import { curlOf } from './curl.ts';

const draft = signal({ title: '', method: 'GET', path: '/', headers: '', body: '' });
const answer = signal<{ sent: SentAnswer; waited: number; traceId: string } | undefined>(undefined);
const note = signal('');
const isSending = signal(false);

/** The requests that the service's events and routes make. */
export const sendable = signal<SendableRequest[]>([]);

export async function readRequests(): Promise<void> {
  sendable.value = await (await fetch('/api/requests')).json();
  const [first] = sendable.value;
  if (first && draft.value.title === '') edit(first);
}

/** Puts a request into the form. */
export function edit({ title, method, path, headers, body }: SendableRequest): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  draft.value = { title, method, path, headers: lines.join('\n'), body };
  answer.value = undefined;
  note.value = '';
}

/** Sends the request of the form as an instrumented browser would, then shows its trace. */
export async function send(): Promise<void> {
  const { method, path, body } = draft.value;
  isSending.value = true;
  note.value = '';
  const span = beginSpan();
  const headers = { ...parseHeaders(draft.value.headers), ...traceHeaders(span) };
  try {
    const response = await fetch('/api/send', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ method, path, headers, body }),
    });
    const sent: SentAnswer & { detail?: string } = await response.json();
    if (!response.ok) {
      note.value = sent.detail ?? `The console answered ${response.status}.`;
      return;
    }
    const waited = await endSpan(span, { method, url: api.value + path }, sent.status, '/api/send');
    answer.value = { sent, waited, traceId: span.traceId };
  } catch (error) {
    note.value = `The request was not sent: ${error instanceof Error ? error.message : error}`;
  } finally {
    isSending.value = false;
  }
}

export function Send() {
  const change = (name: 'method' | 'path' | 'headers' | 'body') => (event: { currentTarget: { value: string } }) => {
    draft.value = { ...draft.value, [name]: event.currentTarget.value };
  };
  return (
    <section class="send" aria-label="Send a request">
      <h2>Send a request</h2>
      <label>
        From{' '}
        <select
          value={draft.value.title}
          onChange={(event) => {
            const chosen = sendable.value[event.currentTarget.selectedIndex];
            if (chosen) edit(chosen);
          }}
        >
          {sendable.value.map(({ title }) => (
            <option key={title} value={title}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <div class="line">
          <input aria-label="Method" class="method" value={draft.value.method} onInput={change('method')} />
          <input aria-label="Path" class="path" value={draft.value.path} onInput={change('path')} />
        </div>
        <label>
          Headers
          <textarea rows={3} value={draft.value.headers} onInput={change('headers')} />
        </label>
        <label>
          Body
          <textarea rows={6} value={draft.value.body} onInput={change('body')} />
        </label>
        <button type="submit" disabled={isSending.value}>
          {isSending.value ? 'Sending…' : 'Send'}
        </button>{' '}
        <button type="button" onClick={() => void copyCurl()}>
          Copy as curl
        </button>
      </form>
      <p role="status" class={note.value.startsWith('Copied') ? 'quiet' : 'bad'}>
        {note.value}
      </p>
      <Answer />
    </section>
  );
}

function Answer() {
  if (!answer.value) return null;
  const { sent, waited, traceId } = answer.value;
  return (
    <>
      <p>
        <span class={statusStyle(sent.status)}>{sent.status}</span> after {duration(waited)} in the browser,{' '}
        {sent.bytes.toLocaleString('en')} bytes{' '}
        <button type="button" onClick={() => choose(traceId)}>
          Show its trace
        </button>
      </p>
      <dl>
        {sent.headers.map(([name, value], at) => (
          <div key={at}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <pre>{sent.text || (sent.bytes > 0 ? 'Not text.' : '')}</pre>
      {sent.isCut ? <p class="quiet">This is the beginning of the answer.</p> : ''}
    </>
  );
}

/** @returns the headers of `name: value` lines; lines without a colon are left out. */
function parseHeaders(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const colon = line.indexOf(':');
      return colon > 0 ? [[line.slice(0, colon).trim(), line.slice(colon + 1).trim()]] : [];
    }),
  );
}

async function copyCurl(): Promise<void> {
  const { method, path, headers, body } = draft.value;
  const command = curlOf(api.value, { method, path, headers: parseHeaders(headers), body });
  try {
    await navigator.clipboard.writeText(command);
    note.value = 'Copied.';
  } catch {
    // The browser may refuse; the command can then be selected.
    note.value = command;
  }
}
