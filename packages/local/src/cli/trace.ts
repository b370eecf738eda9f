import type { ExplainedTrace } from '../explain/explained-traces.ts';
import { LocalFailure } from '../local-failure.ts';
import type { TraceQuery } from '../trace/query.ts';
import { type Condition, InvalidSearch, matchesSearch, parseSearch } from '../trace/search.ts';
import { toJson } from '../trace/to-json.ts';
import type { TraceSummary } from '../trace/trace.ts';
import { UsageError } from './command.ts';
import { renderOptions, type TextOutput } from './output.ts';
import { renderList, renderSummary } from './render/list.ts';
import { renderOrphans } from './render/orphans.ts';
import { renderWaterfall } from './render/waterfall.ts';
import { findTrace, newestTrace } from './source/find-trace.ts';
import { openSource } from './source/open-source.ts';
import type { TraceSource } from './source/trace-source.ts';

export interface TraceOptions {
  /** A trace id in either form, or the first or last digits of one, at least six. */
  id?: string;
  /** The newest trace that has ended (and that the filters take), as a waterfall. */
  last?: boolean;
  /** Only traces with an error, a fault or a throttle. */
  errors?: boolean;
  /** Only traces that took at least so many milliseconds. */
  slow?: number;
  /** Only traces that fit a search in the grammar of `trace/search.ts`; for lists and `follow`. */
  search?: string;
  /** Show the records that belong to no trace, instead of traces. */
  orphans?: boolean;
  /** Each trace as a line once it has ended, until `signal` is aborted. */
  follow?: boolean;
  /**
   * A Trace, an array of TraceSummary, an OrphanReport, or with `follow` one TraceSummary a line.
   */
  json?: boolean;
  /** The console's address, when the user names it. */
  consoleUrl?: string;
  /**
   * A kept run instead: its path, its name or the beginning of it, or a number, 1 being the newest.
   */
  run?: string;
  /** Where serverless.yml is, and `.throughline/` beside it. */
  serviceDirectory: string;
  output: TextOutput;
  signal: AbortSignal;
}

/**
 * Shows the traces of the run that is going on, or of the last one that was kept. Without id,
 * `last` or `follow`: a list.
 * @returns the exit code, 0.
 * @throws UsageError for options that make no sense together.
 * @throws LocalFailure when there is nothing to read, or no such trace.
 */
export async function runTrace(options: TraceOptions): Promise<number> {
  const { output } = options;
  const closed = new AbortController();
  // A reader such as `head` that has seen enough closes the pipe: that ends --follow, and is no
  // error.
  output.on?.('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    closed.abort();
  });
  validate(options);
  const source = await openSource(options);
  try {
    return await show(source, { ...options, signal: AbortSignal.any([options.signal, closed.signal]) });
  } finally {
    await source.close();
  }
}

function validate({ id, last, errors, slow, search, orphans, follow, run, consoleUrl }: TraceOptions): void {
  if (run !== undefined && follow) throw new UsageError('--run names a kept run, in which nothing is left to follow.');
  if (run !== undefined && consoleUrl !== undefined) throw new UsageError('Give --run or --console-port, not both.');
  if (slow !== undefined && !(Number.isFinite(slow) && slow >= 0)) {
    throw new UsageError('--slow takes milliseconds, such as --slow 500.');
  }
  const filtered = errors || slow !== undefined;
  if (orphans && (id !== undefined || last || follow || filtered))
    throw new UsageError('--orphans shows what belongs to no trace, so it takes no ID and no filter.');
  if (search !== undefined && (id !== undefined || last || orphans)) {
    throw new UsageError('--search filters a list or --follow; it cannot be combined with an ID, --last or --orphans.');
  }
  if (id !== undefined && last) throw new UsageError('Give an ID or --last, not both.');
  if (id !== undefined && follow) throw new UsageError('Give an ID or --follow, not both.');
  if (last && follow) throw new UsageError('Give --last or --follow, not both.');
  if (id !== undefined && filtered)
    throw new UsageError('--errors and --slow filter a list; they cannot be combined with an ID.');
  if (id !== undefined && !/^(?:1-[0-9a-f]{8}-[0-9a-f]{24}|[0-9a-f]{6,32})$/i.test(id.trim())) {
    throw new UsageError(
      `"${id.slice(0, 100)}" is not a trace ID. Use 32 hex digits, the X-Ray form (1-xxxxxxxx-…), or at least 6 leading or trailing digits.`,
    );
  }
}

const shownRequests = 20;
const searchedRequests = 1_000;

function conditionsOf({ search }: TraceOptions): Condition[] {
  try {
    return parseSearch(search ?? '');
  } catch (error) {
    if (error instanceof InvalidSearch) throw new UsageError(`--search: ${error.message}`);
    throw error;
  }
}

async function show(source: TraceSource, options: TraceOptions): Promise<number> {
  if (options.follow) return follow(source, options);
  if (options.orphans) {
    const report = await source.orphans();
    write(options, options.json ? toJson(report, 2) : renderOrphans(report, renderOptions(options.output)));
    return 0;
  }
  if (options.id !== undefined) return showTrace(await findTrace(source, options.id), options);
  if (options.last) {
    const newest = await newestTrace(source, filterOf(options));
    if (!newest) throw new LocalFailure(nothing(source, options));
    return showTrace(newest, options);
  }
  const limit = options.search === undefined ? shownRequests : searchedRequests;
  const found = await source.traces({ ...filterOf(options), limit });
  const conditions = conditionsOf(options);
  const summaries = found.filter((summary) => matchesSearch(summary, conditions)).slice(0, shownRequests);
  if (options.json) write(options, toJson(summaries, 2));
  else
    write(
      options,
      summaries.length > 0 ? renderList(summaries, renderOptions(options.output)) : nothing(source, options),
    );
  return 0;
}

function showTrace(trace: ExplainedTrace, options: TraceOptions): number {
  write(options, options.json ? toJson(trace, 2) : renderWaterfall(trace, renderOptions(options.output)));
  return 0;
}

async function follow(source: TraceSource, options: TraceOptions): Promise<number> {
  if (!source.follow) {
    throw new LocalFailure('Nothing is running, so there is nothing to follow. Start it with "npx sls local".');
  }
  const conditions = conditionsOf(options);
  const told = new Set<string>();
  for await (const summary of source.follow(options.signal)) {
    if (summary.inProgress || told.has(summary.id) || !matches(summary, options)) continue;
    if (!matchesSearch(summary, conditions)) continue;
    told.add(summary.id);
    // A trace changes for seconds, not for hours: what was told long ago need not be remembered.
    if (told.size > 10_000) told.delete(told.values().next().value ?? '');
    write(options, options.json ? toJson(summary) : renderSummary(summary, renderOptions(options.output)));
  }
  return 0;
}

function filterOf({ errors, slow }: TraceOptions): Pick<TraceQuery, 'errors' | 'slowMilliseconds'> {
  return { ...(errors ? { errors } : {}), ...(slow === undefined ? {} : { slowMilliseconds: slow }) };
}

function matches(summary: TraceSummary, { errors, slow }: TraceOptions): boolean {
  if (errors && !(summary.error || summary.fault || summary.throttle)) return false;
  return slow === undefined || summary.duration >= slow;
}

function nothing(source: TraceSource, { errors, slow }: TraceOptions): string {
  const kind = [errors ? 'with an error' : '', slow === undefined ? '' : `of ${slow} ms or more`]
    .filter(Boolean)
    .join(' ');
  if (kind) return `There is no trace ${kind}.`;
  return source.api ? `There is no trace yet. Send a request to ${source.api}.` : 'There is no trace in the last run.';
}

function write({ output }: TraceOptions, text: string): void {
  output.write(`${text}\n`);
}
