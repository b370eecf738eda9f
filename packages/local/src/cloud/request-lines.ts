import { setTimeout as sleep } from 'node:timers/promises';
import { plain } from '../cli/render/text.ts';
import type { ExplainedTraces } from '../explain/explained-traces.ts';
import { redactPath } from '../format/redact-path.ts';
import { type Style, statusStyle } from '../format/style.ts';
import { duration, timeOfDay } from '../format/time.ts';
import type { RequestLine } from '../gateway/index.ts';
import { isComplete } from '../trace/trace.ts';

/** Telemetry arrives after the answer; a failure's line waits this long for it. */
const patienceMilliseconds = 1_000;
const pollMilliseconds = 100;

export interface RequestLinesOptions {
  print(line: string): void;
  paint(style: Style, text: string): string;
}

/**
 * Prints a line for each request: of a failed one with the reason and the command that shows more.
 */
export class RequestLines {
  readonly #print: RequestLinesOptions['print'];
  readonly #paint: RequestLinesOptions['paint'];
  readonly #waiting = new Set<Promise<void>>();
  #ending = false;
  #requests = 0;
  #failed = 0;

  constructor({ print, paint }: RequestLinesOptions) {
    this.#print = print;
    this.#paint = paint;
  }

  /** @param explained absent while the run is still starting. */
  add(request: RequestLine, explained: ExplainedTraces | undefined): void {
    this.#requests += 1;
    if (request.status >= 500) this.#failed += 1;
    if (request.status < 400 || !explained) {
      this.#print(this.#line(request));
      return;
    }
    const told = this.#tellFailure(request, explained).finally(() => this.#waiting.delete(told));
    this.#waiting.add(told);
  }

  /** Resolves when every failure has been printed, with what is known by now. */
  async end(): Promise<void> {
    this.#ending = true;
    await Promise.all(this.#waiting);
  }

  async #tellFailure(request: RequestLine, explained: ExplainedTraces): Promise<void> {
    const reason = await this.#reasonOf(request.traceId, explained).catch(() => undefined);
    const more = this.#paint('dim', `npx throughline trace ${request.traceId.slice(-8)}`);
    const indent = ' '.repeat(timeOfDay(request.time).length + 1);
    this.#print(
      `${this.#line(request)}\n${indent}└ ${[reason && this.#paint('bold', plain(reason)), more].filter(Boolean).join('  ')}`,
    );
  }

  /** @returns `41 requests, 9 failed`; undefined when there was no request. */
  summary(): string | undefined {
    if (this.#requests === 0) return undefined;
    return `${this.#requests} ${this.#requests === 1 ? 'request' : 'requests'}, ${this.#failed} failed`;
  }

  #line({ time, method, path, query, status, durationMilliseconds, coldStart, traceId }: RequestLine): string {
    const cold = coldStart ? this.#paint('cold', ' cold') : '';
    const shown = `${method} ${plain(redactPath(query ? `${path}?${query}` : path))} ${this.#paint(statusStyle(status), String(status))}`;
    const dim = (text: string) => this.#paint('dim', text);
    return `${dim(timeOfDay(time))} ${shown} ${duration(durationMilliseconds)}${cold} ${dim(traceId)}`;
  }

  async #reasonOf(id: string, explained: ExplainedTraces): Promise<string | undefined> {
    const deadline = Date.now() + patienceMilliseconds;
    for (;;) {
      await sleep(pollMilliseconds);
      const trace = await explained.trace(id);
      const isLast = this.#ending || Date.now() >= deadline;
      if (trace && (isLast || (isComplete(trace) && trace.explanation.reason !== undefined))) {
        return trace.explanation.reason ?? trace.explanation.sentence;
      }
      if (isLast) return undefined;
    }
  }
}
