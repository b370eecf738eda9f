import { access, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { LocalFailure } from '../../local-failure.ts';
import { isObject } from '../../query/problems.ts';
import { InvalidQuerySpecification } from '../../query/specification.ts';
import { readSavedQuery } from '../../query/validate.ts';
import type { HoneycombApi } from './api.ts';
import { listAnnotations } from './push.ts';
import { markOf } from './saved-queries.ts';

export interface PullOptions {
  /** The name that a query was saved under in Honeycomb, or its ID. */
  query: string;
  dataset: string;
  directory: string;
  /** The file's name in `queries/`, in place of one made of the query's name. */
  as?: string;
  force: boolean;
  dryRun: boolean;
}

export interface Pulled {
  file: string;
  text: string;
  /** The parts that do not run on a laptop. */
  notes: string[];
}

/**
 * Brings a query from Honeycomb into a file of `queries/`.
 * @throws LocalFailure when there is no such query, several of that name, or the file exists
 *   already.
 */
export async function pull(api: HoneycombApi, options: PullOptions): Promise<Pulled> {
  const { query, directory, dryRun, force } = options;
  if (/^https?:/.test(query)) {
    throw new LocalFailure(
      'An address of a result is not a query. Save the query in Honeycomb, and give its name or ID.',
    );
  }
  const dataset = encodeURIComponent(options.dataset);
  const annotations = await listAnnotations(api, dataset);
  const named = annotations.filter(({ name, query_id }) => name === query || query_id === query);
  const ids = new Set(named.map(({ query_id }) => query_id));
  if (ids.size > 1) {
    throw new LocalFailure(
      `${ids.size} queries are called ${JSON.stringify(query)}: give an ID, one of ${[...ids].join(', ')}.`,
    );
  }
  const [id = query] = ids;
  if (ids.size === 0 && !/^[\w-]{6,40}$/.test(query)) {
    const names = annotations.map(({ name }) => JSON.stringify(name)).slice(0, 20);
    throw new LocalFailure(
      `No query in ${options.dataset} is called ${JSON.stringify(query)}. There are ${names.join(', ') || 'none'}.`,
    );
  }
  const found = await api.send('GET', `/1/queries/${dataset}/${encodeURIComponent(id)}`);
  if (!isObject(found)) throw new LocalFailure(`Honeycomb's answer for query ${id} is not a query.`);
  const { id: _, ...specification } = found;
  const annotation = named[0];
  const name = annotation?.name || query;
  const description = annotation?.description.replace(/ ?\[queries\/[^\]/]+\.json\]$/, '') ?? '';
  const key = options.as ?? markOf(annotation?.description) ?? slug(name);
  const file = path.join(directory, 'queries', `${path.basename(key, '.json')}.json`);
  const text = `${JSON.stringify({ name, ...(description !== '' && { description }), ...specification }, null, 2)}\n`;
  if (!dryRun) {
    if (!force && (await exists(file)))
      throw new LocalFailure(`${file} exists already: --force replaces it, --as gives another name.`);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return { file, text, notes: notesOf(text) };
}

function notesOf(text: string): string[] {
  try {
    readSavedQuery(text);
    return [];
  } catch (error) {
    if (!(error instanceof InvalidQuerySpecification)) throw error;
    return error.problems.map(({ line, column, message }) => `${line}:${column}: ${message}`);
  }
}

function slug(name: string): string {
  const made = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return made || 'query';
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
