import { setTimeout as sleep } from 'node:timers/promises';
import type { ExplainedTrace } from '../../explain/explained-traces.ts';
import { LocalFailure } from '../../local-failure.ts';
import type { TraceQuery } from '../../trace/query.ts';
import { toJson } from '../../trace/to-json.ts';
import type { TraceSummary } from '../../trace/trace.ts';
import { isComplete } from '../../trace/trace.ts';
import { normalTraceId } from '../../trace/trace-id.ts';
import type { TraceSource } from './trace-source.ts';

const patienceMilliseconds = 1_000;

/**
 * Finds a trace by its id in either form, or among the newest thousand by the first or last digits
 * of it. While the service runs it is waited for, up to a second: what is sent after the response
 * may still be on its way.
 * @throws LocalFailure when there is none, or more than one.
 */
export async function findTrace(source: TraceSource, asked: string): Promise<ExplainedTrace> {
  const id = normalTraceId(asked) ?? (await completeId(source, asked.trim().toLowerCase()));
  const trace = await settle(source, () => source.trace(id));
  if (!trace) throw new LocalFailure(`Nothing has been received of trace ${asked.trim()}.`);
  return trace;
}

/**
 * @returns the newest trace that has ended and that the query takes, or one that is in progress
 * where there is no other; undefined where there is none.
 */
export async function newestTrace(
  source: TraceSource,
  query: Omit<TraceQuery, 'limit'>,
): Promise<ExplainedTrace | undefined> {
  let summaries: TraceSummary[] = [];
  const newest = await settle(source, async () => {
    summaries = await source.traces({ ...query, limit: 20 });
    const [first] = summaries;
    return first && source.trace(first.id);
  });
  if (!newest?.inProgress) return newest;
  const ended = summaries.find(({ inProgress }) => !inProgress);
  return (ended && (await source.trace(ended.id))) ?? newest;
}

/**
 * Reads again and again, up to a second, until what is read is complete and does not change any
 * more.
 */
async function settle(
  source: TraceSource,
  read: () => Promise<ExplainedTrace | undefined>,
): Promise<ExplainedTrace | undefined> {
  const deadline = Date.now() + patienceMilliseconds;
  let before: string | undefined;
  for (;;) {
    const trace = await read();
    // Nothing more comes of a run that has ended, and hardly anything of a trace that ended long
    // ago.
    if (!source.follow || Date.now() >= deadline) return trace;
    const old = trace !== undefined && Date.now() - trace.end > 3 * patienceMilliseconds;
    const now = trace && toJson(trace);
    if (trace && (old ? !trace.inProgress : isComplete(trace) && now === before)) return trace;
    before = now;
    await sleep(150);
  }
}

async function completeId(source: TraceSource, digits: string): Promise<string> {
  const recent = await source.traces({ limit: 1_000 });
  const found = recent.map(({ id }) => id).filter((id) => id.startsWith(digits) || id.endsWith(digits));
  const [only] = found;
  if (only === undefined) throw new LocalFailure(`No recent trace has an id that begins or ends with ${digits}.`);
  if (found.length === 1) return only;
  const some = found.slice(0, 3).join(', ');
  throw new LocalFailure(
    `${found.length} traces have an id that begins or ends with ${digits}: ${some}${found.length > 3 ? ', …' : ''}.`,
  );
}
