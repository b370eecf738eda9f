// The state of the page: what has arrived, and what is chosen. What is chosen is in the URL.
import { batch, computed, effect, signal } from '@preact/signals';
import type { ExplainedTrace } from '../../explain/explained-traces.ts';
import { type Condition, InvalidSearch, matchesSearch, parseSearch } from '../../trace/search.ts';
import type { Rejection, TraceSummary } from '../../trace/trace.ts';

export const tabs = ['logs', 'error', 'request', 'span', 'aws', 'raw'] as const;
export type Tab = (typeof tabs)[number];

/** What stands beside the list: the chosen request, the groups of failures, or the send panel. */
export const views = ['trace', 'errors', 'send'] as const;
export type View = (typeof views)[number];

const mostRequests = 500;
const address = new URLSearchParams(location.search);

const summaries = signal<ReadonlyMap<string, TraceSummary>>(new Map());
export const service = signal('');
export const api = signal('');
export const rejections = signal<Rejection[]>([]);
export const live = signal<'connecting' | 'live' | 'ended'>('connecting');
export const paused = signal(false);
/** Kept back while the page is paused. */
const waiting = signal<readonly TraceSummary[]>([]);
export const waitingCount = computed(() => waiting.value.length);

export const search = signal(address.get('q') ?? '');
/** The trace that the user chose; empty: the newest one. */
export const chosenId = signal(address.get('trace') ?? location.hash.slice(1));
export const view = signal<View>(viewIn(address));
export const chosenNode = signal(address.get('span') ?? '');
export const tab = signal<Tab>(tabs.find((one) => one === address.get('tab')) ?? 'logs');
export const showPath = signal(true);
export const showGroups = signal(true);
export const showHelp = signal(false);

export const buildFailures = signal<{ functionKey: string; message: string }[]>([]);
/** Epoch milliseconds at which something last arrived; 0 before that. */
export const lastArrival = signal(0);

export const trace = signal<ExplainedTrace | undefined>(undefined);
export const problem = signal('');

const parsed = computed<{ conditions: Condition[]; problem: string }>(() => {
  try {
    return { conditions: parseSearch(search.value), problem: '' };
  } catch (error) {
    if (error instanceof InvalidSearch) return { conditions: [], problem: error.message };
    throw error;
  }
});
export const searchProblem = computed(() => parsed.value.problem);

/** The newest first. */
export const requests = computed(() =>
  [...summaries.value.values()]
    .filter((summary) => matchesSearch(summary, parsed.value.conditions))
    .sort((one, other) => other.start - one.start),
);

export const selectedId = computed(() => chosenId.value || (requests.value[0]?.id ?? ''));

export function choose(id: string): void {
  batch(() => {
    view.value = 'trace';
    if (id === chosenId.value) return;
    chosenId.value = id;
    chosenNode.value = '';
  });
}

export function toggleView(other: View): void {
  view.value = view.value === other ? 'trace' : other;
}

/** Moves the selection in the list; `which` may leave some requests out. */
export function step(by: 1 | -1, which: (summary: TraceSummary) => boolean = () => true): void {
  const list = requests.value;
  const at = list.findIndex(({ id }) => id === selectedId.value);
  const ahead = by === 1 ? list.slice(at + 1) : list.slice(0, Math.max(0, at)).reverse();
  const next = ahead.find(which);
  if (next) choose(next.id);
}

export const failed = ({ fault, error, throttle }: TraceSummary) => fault || error || throttle;

function take(added: readonly TraceSummary[]): void {
  const all = new Map(summaries.value);
  for (const summary of added) all.set(summary.id, summary);
  const kept = [...all.values()].sort((one, other) => other.start - one.start).slice(0, mostRequests);
  summaries.value = new Map(kept.map((summary) => [summary.id, summary]));
}

export function togglePause(): void {
  paused.value = !paused.value;
  if (paused.value) return;
  take(waiting.value);
  waiting.value = [];
}

async function readStatus(): Promise<void> {
  const status = await (await fetch('/api/status')).json();
  service.value = `${status.service.name} · ${status.service.stage}`;
  api.value = status.addresses.api ?? '';
  rejections.value = status.rejections ?? [];
  buildFailures.value = status.buildFailures ?? [];
}

let reading = 0;

async function readTrace(id: string): Promise<void> {
  reading += 1;
  const own = reading;
  const response = await fetch(`/api/traces/${encodeURIComponent(id)}`);
  // A later choice may have been answered first.
  if (own !== reading) return;
  if (response.ok) {
    trace.value = await response.json();
    problem.value = '';
  } else {
    trace.value = undefined;
    problem.value =
      response.status === 404 ? 'This trace is not in this run.' : `The console answered ${response.status}.`;
  }
}

export function start(): void {
  const events = new EventSource('/api/traces/stream');
  events.addEventListener('open', () => {
    live.value = 'live';
    void readStatus();
    void fetch('/api/traces?limit=500').then(async (response) => take(await response.json()));
  });
  events.addEventListener('error', () => {
    live.value = 'ended';
  });
  events.addEventListener('trace', ({ data }) => {
    const summary: TraceSummary = JSON.parse(data);
    lastArrival.value = Date.now();
    if (paused.value)
      waiting.value = [...waiting.value.filter(({ id }) => id !== summary.id), summary].slice(-mostRequests);
    else take([summary]);
    if (summary.id === selectedId.value) void readTrace(summary.id);
    void readStatus();
  });
  effect(() => {
    if (selectedId.value) void readTrace(selectedId.value);
  });
  effect(() => {
    const chosen = {
      view: view.value === 'trace' ? '' : view.value,
      trace: chosenId.value,
      span: chosenNode.value,
      tab: tab.value === 'logs' ? '' : tab.value,
      q: search.value,
    };
    const parameters = new URLSearchParams(Object.entries(chosen).filter(([, value]) => value !== ''));
    const url = parameters.size > 0 ? `/?${parameters}` : '/';
    if (url === location.pathname + location.search) return;
    // Back returns to the trace before this one; a changed search adds no step to the history.
    const before = new URLSearchParams(location.search);
    const isStep = ['trace', 'view'].some((name) => before.get(name) !== parameters.get(name));
    history[isStep ? 'pushState' : 'replaceState'](null, '', url);
  });
  addEventListener('popstate', () => {
    batch(() => restore(new URLSearchParams(location.search)));
  });
}

function viewIn(parameters: URLSearchParams): View {
  return views.find((one) => one === parameters.get('view')) ?? 'trace';
}

function restore(address: URLSearchParams): void {
  view.value = viewIn(address);
  chosenId.value = address.get('trace') ?? '';
  chosenNode.value = address.get('span') ?? '';
  search.value = address.get('q') ?? '';
  tab.value = tabs.find((one) => one === address.get('tab')) ?? 'logs';
}
