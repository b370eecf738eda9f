import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { toCsv } from '../format/csv.ts';
import { LocalFailure } from '../local-failure.ts';
import type { QueryResult } from '../query/result.ts';
import { InvalidQuerySpecification, type QueryProblem } from '../query/specification.ts';
import { readSavedQuery } from '../query/validate.ts';
import { toJson } from '../trace/to-json.ts';
import { renderOptions, type TextOutput } from './output.ts';
import { renderQueryResult } from './render/query.ts';
import { plain } from './render/text.ts';
import { findRun, type RunLocation } from './source/find-run.ts';

export interface QueryCommandOptions extends RunLocation {
  /** A path, a name in `queries/`, or `-` for the standard input. */
  file: string;
  form: 'table' | 'json' | 'csv' | 'sql';
  output: TextOutput;
  errorOutput: TextOutput;
}

interface Answer {
  name?: string;
  description?: string;
  result: QueryResult;
}

/**
 * Runs a query of Honeycomb's specification over a run.
 * @returns the exit code: 1 where the query is not valid, with each problem and its place on the
 *   error output.
 * @throws LocalFailure when there is no such file or run.
 */
export async function runQuery(options: QueryCommandOptions): Promise<number> {
  const { output, errorOutput } = options;
  const { name, source } = await readQueryFile(options.file, options.serviceDirectory);
  const say = ({ line, column, pointer, message }: QueryProblem) =>
    errorOutput.write(`${plain(`${name}:${line}:${column}: ${message}${pointer === '' ? '' : ` (${pointer})`}`)}\n`);
  try {
    // Report errors of the query itself even if nothing has run yet.
    readSavedQuery(source);
    const answer = await askRun(options, source);
    for (const note of answer.result.notes) say(note);
    output.write(shown(answer, options));
    return 0;
  } catch (error) {
    if (!(error instanceof InvalidQuerySpecification)) throw error;
    for (const problem of error.problems) say(problem);
    return 1;
  }
}

async function readQueryFile(file: string, directory: string): Promise<{ name: string; source: string }> {
  if (file === '-') return { name: 'standard input', source: await text(process.stdin) };
  const saved = path.join(directory, 'queries', `${path.basename(file, '.json')}.json`);
  for (const place of file.includes(path.sep) ? [file] : [file, saved]) {
    try {
      return { name: path.relative(process.cwd(), place) || place, source: await readFile(place, 'utf8') };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') continue;
      throw new LocalFailure(`${place} cannot be read (${code ?? String(error)}).`);
    }
  }
  throw new LocalFailure(`${file}: file not found. Name a query's file, one of queries/, or - for the standard input.`);
}

/** @throws InvalidQuerySpecification when the run's columns do not allow what the query asks. */
async function askRun(location: QueryCommandOptions, source: string): Promise<Answer> {
  const run = await findRun(location);
  if ('console' in run) return askConsole(run.console, source);
  for (const sentence of run.skipped) location.errorOutput.write(`${plain(sentence)}\n`);
  const { openStore } = await import('../store/index.ts');
  const store = await openStore({ file: run.file, readOnly: true }).catch((error: Error) => {
    throw new LocalFailure(error.message.split('\n')[0] ?? error.message);
  });
  try {
    const query = readSavedQuery(source);
    const { name, description } = query;
    return { ...(name && { name }), ...(description && { description }), result: await store.ask(query) };
  } finally {
    await store.close();
  }
}

const patienceMilliseconds = 60_000;

async function askConsole(url: string, source: string): Promise<Answer> {
  const response = await fetch(new URL('/api/query', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: source,
    signal: AbortSignal.timeout(patienceMilliseconds),
    redirect: 'error',
  }).catch((error: Error) => {
    throw new LocalFailure(`The console at ${url} does not answer (${error.message}).`);
  });
  if (response.status === 422) {
    const { problems } = (await response.json()) as { problems: QueryProblem[] };
    throw new InvalidQuerySpecification(problems);
  }
  if (!response.ok)
    throw new LocalFailure(`The console at ${url} answered ${response.status}: is it of another version?`);
  return (await response.json()) as Answer;
}

function shown({ name, description, result }: Answer, { form, output }: QueryCommandOptions): string {
  const { columns, rows, series } = result;
  if (form === 'sql')
    return `${result.sql.map((statement) => `${output.isTTY ? safe(statement) : statement};`).join('\n\n')}\n`;
  const objects = (values: QueryResult['rows'][number]) =>
    Object.fromEntries(columns.map((column, at) => [column.name, values[at] ?? null]));
  if (form === 'json') {
    const { from, to, granularity, groups, notes } = result;
    const report = {
      name,
      description,
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      groups,
      results: rows.map(objects),
      ...(granularity && {
        granularity,
        series: series.map(({ time, values }) => ({ time: new Date(time).toISOString(), data: objects(values) })),
      }),
      notes,
    };
    return `${toJson(report, 2)}\n`;
  }
  if (form === 'csv') {
    const csv = toCsv([columns.map((column) => column.name), ...rows]);
    return output.isTTY ? safe(csv) : csv;
  }
  const heading = [name, description].filter((part) => part !== undefined).map((part) => `${plain(part)}\n`);
  return `${heading.join('')}${heading.length > 0 ? '\n' : ''}${renderQueryResult(result, renderOptions(output))}`;
}

/** Text of many lines without what a terminal would obey. */
function safe(lines: string): string {
  return lines
    .split('\n')
    .map((text) => plain(text).trimEnd())
    .join('\n');
}
