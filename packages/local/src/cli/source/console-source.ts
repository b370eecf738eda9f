import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { ExplainedTrace } from '../../explain/explained-traces.ts';
import { LocalFailure } from '../../local-failure.ts';
import type { TraceQuery } from '../../trace/query.ts';
import type { OrphanReport, TraceSummary } from '../../trace/trace.ts';
import type { TraceSource } from './trace-source.ts';

interface Status {
  product?: string;
  directory: string;
  addresses: Record<string, string>;
}

/** A console on this machine answers in milliseconds; what takes so long is something else. */
const patienceMilliseconds = 5_000;

/** The fields that a console of an earlier version sends. */
const nothing: OrphanReport = { logs: [], metrics: [], errors: [], rejections: [] };

/**
 * @returns what reads from the console at `url`, with the folder of its service; undefined when no
 * console of this project answers there.
 */
export async function consoleSource(url: string): Promise<{ source: TraceSource; directory: string } | undefined> {
  const status = await get<Status>(new URL('/api/status', url)).catch(() => undefined);
  if (status?.product !== 'throughline') return undefined;
  const source: TraceSource = {
    trace: (id) => get<ExplainedTrace>(new URL(`/api/traces/${encodeURIComponent(id)}`, url)),
    traces: async (query) => (await get<TraceSummary[]>(new URL(`/api/traces?${queryString(query)}`, url))) ?? [],
    orphans: async () => (await get<OrphanReport>(new URL('/api/orphans', url))) ?? nothing,
    follow: (signal) => follow(new URL('/api/traces/stream', url), signal),
    close: async () => {},
  };
  if (status.addresses?.api) source.api = status.addresses.api;
  return { source, directory: status.directory };
}

/** @returns the JSON at `url`, or undefined for 404. */
export async function get<T>(url: URL): Promise<T | undefined> {
  const response = await fetch(url, { signal: AbortSignal.timeout(patienceMilliseconds), redirect: 'error' });
  if (response.status === 404) return undefined;
  if (!response.ok) throw new LocalFailure(`The console at ${url.origin} answered ${response.status}.`);
  return (await response.json()) as T;
}

function queryString({ errors, slowMilliseconds, from, to, limit }: TraceQuery): string {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries({ errors, slow: slowMilliseconds, from, to, limit })) {
    if (value !== undefined) parameters.set(key, String(value));
  }
  return parameters.toString();
}

async function* follow(url: URL, signal: AbortSignal): AsyncGenerator<TraceSummary> {
  try {
    const response = await fetch(url, { signal, redirect: 'error' });
    if (!response.body) return;
    const events = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    for await (const { event, data } of events) if (event === 'trace') yield JSON.parse(data) as TraceSummary;
  } catch (error) {
    // Ctrl-C here, or the end of the run there, is how following ends.
    if (!signal.aborted && (error as { code?: string; cause?: { code?: string } }).cause === undefined) throw error;
  }
}
