import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { LocalFailure } from '../../local-failure.ts';
import type { JsonObject } from '../../query/problems.ts';
import { InvalidQuerySpecification } from '../../query/specification.ts';
import { readSavedQuery } from '../../query/validate.ts';

export interface QueryFile {
  /** Its name without its ending: what ties it to what Honeycomb has. */
  key: string;
  name: string;
  description: string;
  specification: JsonObject;
  hasChart: boolean;
}

/**
 * Reads `queries/*.json` of a service.
 * @throws LocalFailure with the first problem of each file that is not valid, or when there is
 *   none.
 */
export async function readQueryFiles(directory: string): Promise<QueryFile[]> {
  const folder = path.join(directory, 'queries');
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.json')).sort();
  if (names.length === 0) throw new LocalFailure(`${folder} has no query (*.json).`);
  const problems: string[] = [];
  const files: QueryFile[] = [];
  for (const file of names) {
    const key = path.basename(file, '.json');
    try {
      const saved = readSavedQuery(await readFile(path.join(folder, file), 'utf8'));
      files.push({
        key,
        name: saved.name ?? key,
        description: saved.description ?? '',
        specification: saved.written,
        hasChart: saved.specification.granularity !== undefined,
      });
    } catch (error) {
      if (!(error instanceof InvalidQuerySpecification)) throw error;
      for (const { line, column, message } of error.problems)
        problems.push(`queries/${file}:${line}:${column}: ${message}`);
    }
  }
  if (problems.length > 0) throw new LocalFailure(problems.join(' '));
  return files;
}

/**
 * Ends the description of what was pushed, so that the next push finds it whatever it is called by
 * then.
 */
export function marked({ key, description }: QueryFile): string {
  const mark = `[queries/${key}.json]`;
  return description === '' ? mark : `${description.slice(0, 1_022 - mark.length)} ${mark}`;
}

/**
 * @returns the key of the file that the description ends with; undefined in what was not pushed.
 */
export function markOf(description: unknown): string | undefined {
  return /\[queries\/([^\]/]+)\.json\]$/.exec(String(description ?? ''))?.[1];
}

/**
 * @returns the specification in one form, so that what Honeycomb gives back can be compared with
 * what it was given.
 */
export function normalized(specification: JsonObject): string {
  const { id: _, calculations, filters, orders, havings, breakdowns, ...rest } = specification;
  const list = (value: unknown) => (Array.isArray(value) ? value : []);
  const sorted = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(
          Object.entries(value)
            .filter(([, member]) => member !== null && member !== undefined)
            .sort(([one], [other]) => (one < other ? -1 : 1)),
        )
      : value;
  const asked = list(calculations).map(sorted);
  return JSON.stringify({
    calculations: asked.length > 0 ? asked : [{ op: 'COUNT' }],
    // The order of these means nothing.
    filters: list(filters)
      .map((filter) => JSON.stringify(sorted(filter)))
      .sort(),
    havings: list(havings)
      .map((having) => JSON.stringify(sorted(having)))
      .sort(),
    orders: list(orders).map((order) => sorted({ order: 'ascending', ...(order as object) })),
    breakdowns: list(breakdowns),
    filter_combination: rest.filter_combination ?? 'AND',
    granularity: rest.granularity || null,
    // Honeycomb fills these in.
    limit: rest.limit ?? 1_000,
    time_range: rest.start_time && rest.end_time ? null : (rest.time_range ?? 7_200),
    start_time: rest.start_time ?? null,
    end_time: rest.end_time ?? null,
  });
}
