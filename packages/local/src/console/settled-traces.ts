import type { Trace } from '../trace/trace.ts';
import { isComplete } from '../trace/trace.ts';

export interface TraceChanges {
  trace(id: string): Promise<Trace | undefined>;
  onTrace(listener: (traceId: string) => void): () => void;
}

export interface SettlingTimes {
  /** Milliseconds without anything new before a trace is looked at. */
  quietMilliseconds: number;
  /**
   * Longest wait for a trace that seems incomplete, in milliseconds; then it is reported as it is.
   */
  patienceMilliseconds: number;
}

interface Waiting {
  timer: NodeJS.Timeout;
  since: number;
}

const mostWaiting = 1_000;

/**
 * Calls `listener` with a trace once it seems complete, and again whenever it has changed since.
 * One that stays in progress, or waits for a parent, is told after `patienceMilliseconds` as it is,
 * and again when more of it arrives. Under a flood the oldest go untold.
 * @returns what ends it.
 */
export function onSettledTrace(
  source: TraceChanges,
  listener: (trace: Trace) => void,
  times: SettlingTimes = { quietMilliseconds: 150, patienceMilliseconds: 1_500 },
): () => void {
  const waiting = new Map<string, Waiting>();
  let reading = Promise.resolve();
  let ended = false;

  const arm = (id: string, since: number) => {
    clearTimeout(waiting.get(id)?.timer);
    const timer = setTimeout(() => {
      // One after the other: under load the store has better things to do than to answer for a
      // page.
      reading = reading.then(() => look(id, since)).catch(() => {});
    }, times.quietMilliseconds);
    waiting.set(id, { timer, since });
    const oldest = waiting.size > mostWaiting ? waiting.entries().next().value : undefined;
    if (oldest) {
      clearTimeout(oldest[1].timer);
      waiting.delete(oldest[0]);
    }
  };

  const look = async (id: string, since: number) => {
    if (ended) return;
    const seen = waiting.get(id);
    const trace = await source.trace(id);
    // More of it has arrived meanwhile, and a timer for that is set.
    if (ended || !trace || waiting.get(id) !== seen) return;
    if (!isComplete(trace) && Date.now() - since < times.patienceMilliseconds) return arm(id, since);
    waiting.delete(id);
    listener(trace);
  };

  const stopListening = source.onTrace((id) => arm(id, waiting.get(id)?.since ?? Date.now()));
  return () => {
    ended = true;
    stopListening();
    for (const { timer } of waiting.values()) clearTimeout(timer);
    waiting.clear();
  };
}
