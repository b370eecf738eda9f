import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { ExplainedTraces } from '../explain/explained-traces.ts';
import { toJson } from '../trace/to-json.ts';
import { onSettledTrace, type TraceChanges } from './settled-traces.ts';

const heartbeatMilliseconds = 15_000;
const mostUnsent = 1_000;

/**
 * Answers with server-sent events: a `trace` event whose data is a TraceSummary whenever a trace
 * has ended or changed, and a comment every 15 s. It ends when the client goes, or when `stopping`
 * is aborted. A client that does not read loses the oldest.
 */
export function traceStream(
  context: Context,
  source: TraceChanges,
  explained: ExplainedTraces,
  stopping: AbortSignal,
): Response {
  return streamSSE(context, async (stream) => {
    const unsent: string[] = [];
    let ended = stopping.aborted;
    let wake = () => {};
    const end = () => {
      ended = true;
      wake();
    };
    stream.onAbort(end);
    stopping.addEventListener('abort', end, { once: true });
    const stopListening = onSettledTrace(source, (trace) => {
      unsent.push(toJson(explained.summary(trace)));
      if (unsent.length > mostUnsent) unsent.shift();
      wake();
    });
    // Node sends an answer's head with its first byte, and the client waits for it.
    await stream.write(': the traces of this run, as they end\n\n');
    const heartbeat = setInterval(() => void stream.write(': still here\n\n'), heartbeatMilliseconds);
    while (!ended) {
      const data = unsent.shift();
      if (data !== undefined) await stream.writeSSE({ event: 'trace', data });
      else await new Promise<void>((resolve) => (wake = resolve));
    }
    clearInterval(heartbeat);
    stopListening();
    stopping.removeEventListener('abort', end);
  });
}
