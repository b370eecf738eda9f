import { LocalFailure } from '../failure.ts';
import type { Trace } from '../store/trace.ts';
import { normalTraceId } from '../store/trace-id.ts';
import type { TraceSource } from './source.ts';

/**
 * Finds a trace by its id in either form, or among the newest thousand by the first or last digits of it.
 * @throws LocalFailure when there is none, or more than one.
 */
export async function findTrace(source: TraceSource, asked: string): Promise<Trace> {
  const id = normalTraceId(asked) ?? (await completeId(source, asked.trim().toLowerCase()));
  const trace = await source.trace(id);
  if (!trace) throw new LocalFailure(`Nothing has been received of trace ${id}.`);
  return trace;
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
