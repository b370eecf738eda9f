import { toJson } from '../api/console/json.ts';
import type { TraceListQuery } from '../api/console/query.ts';
import { LocalFailure } from '../failure.ts';
import type { Trace, TraceSummary } from '../store/trace.ts';
import { findTrace, newestTrace } from './find.ts';
import { renderList, renderSummary } from './list.ts';
import { renderOrphans } from './orphans.ts';
import { openSource, type TraceSource } from './source.ts';
import { plain } from './text.ts';
import { type RenderOptions, renderWaterfall } from './waterfall.ts';

/** What is written to: a stream of this process, or a test's own. */
export interface TextOutput {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  on?(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

export interface TraceOptions {
  /** A trace id in either form, or the first or last digits of one, at least six. */
  id?: string;
  /** The newest trace that has ended (and that the filters take), as a waterfall. */
  last?: boolean;
  /** Only traces with an error, a fault or a throttle. */
  errors?: boolean;
  /** Only traces that took at least so many milliseconds. */
  slow?: number;
  /** What belongs to no trace, instead of traces. */
  orphans?: boolean;
  /** Each trace as a line once it has ended, until `signal` is aborted. */
  follow?: boolean;
  /** A Trace, an array of TraceSummary, an OrphanReport, or with `follow` one TraceSummary a line. */
  json?: boolean;
  /** Where `sls local` serves its console. */
  consoleUrl: string;
  /** Where serverless.yml is, and `.throughline/` beside it. */
  serviceDirectory: string;
  output: TextOutput;
  /** Where a sentence goes that is no answer; default: standard error. */
  errorOutput?: TextOutput;
  signal: AbortSignal;
}

/** What was asked for cannot be understood. */
class InvalidOptions extends LocalFailure {}

/**
 * `sls trace`: shows the traces of the run that is going on, or of the last one that was kept. Without id, `last` or `follow`: a list.
 * @returns the exit code: 0; 1 when there is nothing to read or no such trace; 2 when the options make no sense. It says why in one sentence.
 */
export async function runTrace(options: TraceOptions): Promise<number> {
  const { errorOutput = process.stderr, output } = options;
  const closed = new AbortController();
  // A reader such as `head` that has seen enough closes the pipe: that ends --follow, and is no error.
  const onOutputError = (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    closed.abort();
  };
  output.on?.('error', onOutputError);
  try {
    validate(options);
    const source = await openSource(options.consoleUrl, options.serviceDirectory);
    try {
      return await show(source, { ...options, signal: AbortSignal.any([options.signal, closed.signal]) });
    } finally {
      await source.close();
    }
  } catch (error) {
    if (!(error instanceof LocalFailure)) throw error;
    errorOutput.write(`${plain(error.message)}\n`);
    return error instanceof InvalidOptions ? 2 : 1;
  }
}

function validate({ id, last, errors, slow, orphans, follow }: TraceOptions): void {
  if (slow !== undefined && !(Number.isFinite(slow) && slow >= 0)) {
    throw new InvalidOptions('--slow takes milliseconds, such as --slow 500.');
  }
  const filtered = errors || slow !== undefined;
  if (orphans && (id !== undefined || last || follow || filtered))
    throw new InvalidOptions('--orphans shows what belongs to no trace: with it there is no trace to choose.');
  if (id !== undefined && last) throw new InvalidOptions('Give an id or --last, not both.');
  if (id !== undefined && follow) throw new InvalidOptions('Give an id or --follow, not both.');
  if (last && follow) throw new InvalidOptions('Give --last or --follow, not both.');
  if (id !== undefined && filtered)
    throw new InvalidOptions('--errors and --slow choose among traces; with an id there is nothing to choose.');
  if (id !== undefined && !/^(?:1-[0-9a-f]{8}-[0-9a-f]{24}|[0-9a-f]{6,32})$/i.test(id.trim())) {
    throw new InvalidOptions(
      `"${id.slice(0, 100)}" is no trace id: give 32 hexadecimal digits, 1-, 8 digits, -, 24 digits, or the first or last six or more digits of one.`,
    );
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
  const summaries = await source.traces({ ...filterOf(options), limit: 20 });
  if (options.json) write(options, toJson(summaries, 2));
  else
    write(
      options,
      summaries.length > 0 ? renderList(summaries, renderOptions(options.output)) : nothing(source, options),
    );
  return 0;
}

function showTrace(trace: Trace, options: TraceOptions): number {
  write(options, options.json ? toJson(trace, 2) : renderWaterfall(trace, renderOptions(options.output)));
  return 0;
}

async function follow(source: TraceSource, options: TraceOptions): Promise<number> {
  if (!source.follow) {
    throw new LocalFailure(
      `Nothing runs at ${options.consoleUrl}: there is nothing to follow. Start it by "npx sls local".`,
    );
  }
  const told = new Set<string>();
  for await (const summary of source.follow(options.signal)) {
    if (summary.inProgress || told.has(summary.id) || !matches(summary, options)) continue;
    told.add(summary.id);
    // A trace changes for seconds, not for hours: what was told long ago need not be remembered.
    if (told.size > 10_000) told.delete(told.values().next().value ?? '');
    write(options, options.json ? toJson(summary) : renderSummary(summary, renderOptions(options.output)));
  }
  return 0;
}

function filterOf({ errors, slow }: TraceOptions): Pick<TraceListQuery, 'errors' | 'slowMilliseconds'> {
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

function renderOptions(output: TextOutput): RenderOptions {
  // https://no-color.org: set to anything but the empty string.
  return { width: (output.isTTY && output.columns) || 80, color: Boolean(output.isTTY && !process.env['NO_COLOR']) };
}
