import { summaryOf } from '../trace/build-trace.ts';
import { mostTraces, type TraceQuery } from '../trace/query.ts';
import { matchesSearch } from '../trace/search.ts';
import type { Trace, TraceSummary } from '../trace/trace.ts';
import type { Explanation } from './explanation.ts';
import { explain } from './index.ts';
import { reasonKey, runContext } from './run-statistics.ts';

/** `GET /api/traces/<id>` and `throughline trace <id> --json`. */
export interface ExplainedTrace extends Trace {
  explanation: Explanation;
}

/** Where traces are read from, such as the store of a run. */
export interface Traces {
  trace(id: string): Promise<Trace | undefined>;
  traces(query: TraceQuery): Promise<TraceSummary[]>;
}

/** A route's median is taken over so many of the newest requests. */
const comparedRequests = 500;
/** The newest requests are read again after this time. */
const freshMilliseconds = 2_000;
/**
 * Reading a failed request for its reason takes milliseconds; older failures of the same burst go
 * uncounted.
 */
const mostReasonsAtOnce = 100;
const mostReasons = 10_000;

/** Reads traces with the sentence that explains each, and lists with the reasons of failures. */
export class ExplainedTraces {
  readonly #source: Traces;
  readonly #reasons = new Map<string, string>();
  #recent: { read: number; summaries: Promise<TraceSummary[]> } | undefined;

  constructor(source: Traces) {
    this.#source = source;
  }

  async trace(id: string): Promise<ExplainedTrace | undefined> {
    const trace = await this.#source.trace(id);
    return trace && this.explained(trace);
  }

  /** A search looks at the newest `mostTraces` of what the rest of the query selects. */
  async traces({ search, ...query }: TraceQuery): Promise<TraceSummary[]> {
    if (!search) return this.#withReasons(await this.#source.traces(query));
    const found = await this.#withReasons(await this.#source.traces({ ...query, limit: mostTraces }));
    return found.filter((summary) => matchesSearch(summary, search)).slice(0, query.limit ?? 100);
  }

  async explained(trace: Trace): Promise<ExplainedTrace> {
    const recent = await this.#recentSummaries();
    this.#remember(trace);
    const keys = new Map([...this.#reasons].map(([id, reason]) => [id, reasonKey(reason)]));
    return { ...trace, explanation: explain(trace, runContext({ ...summaryOf(trace) }, recent, keys)) };
  }

  /** @returns a trace's line in a list, with the reason when it failed. */
  summary(trace: Trace): TraceSummary {
    const reason = this.#remember(trace);
    return { ...summaryOf(trace), ...(reason !== undefined && { reason }) };
  }

  async #recentSummaries(): Promise<TraceSummary[]> {
    const now = Date.now();
    if (!this.#recent || now - this.#recent.read > freshMilliseconds) {
      const summaries = this.#source.traces({ limit: comparedRequests }).then((found) => this.#withReasons(found));
      this.#recent = { read: now, summaries };
      // A failed read is tried again, and whoever asked is told.
      summaries.catch(() => (this.#recent = undefined));
    }
    return this.#recent.summaries;
  }

  async #withReasons(summaries: TraceSummary[]): Promise<TraceSummary[]> {
    let left = mostReasonsAtOnce;
    const result: TraceSummary[] = [];
    for (const summary of summaries) {
      const isUnknown = failed(summary) && !summary.inProgress && !this.#reasons.has(summary.id);
      if (isUnknown && left > 0) {
        left -= 1;
        const trace = await this.#source.trace(summary.id);
        if (trace) this.#remember(trace);
      }
      const reason = this.#reasons.get(summary.id);
      result.push(reason === undefined ? summary : { ...summary, reason });
    }
    return result;
  }

  #remember(trace: Trace): string | undefined {
    if (!failed(summaryOf(trace))) return undefined;
    const { reason } = explain(trace);
    if (reason === undefined) return undefined;
    this.#reasons.set(trace.id, reason);
    if (this.#reasons.size > mostReasons) this.#reasons.delete(this.#reasons.keys().next().value ?? '');
    return reason;
  }
}

function failed({ error, fault, throttle, status = 0 }: TraceSummary): boolean {
  return error || fault || throttle || status >= 400;
}
