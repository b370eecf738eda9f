import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { InvalidQuerySpecification } from '../query/specification.ts';
import { readSavedQuery } from '../query/validate.ts';

/** A file of a service's `queries/`, by its name without the ending. */
export interface ListedQuery {
  key: string;
  name: string;
  description: string;
}

/**
 * @returns what `queries/*.json` of the service are called; one that is not valid is listed by its
 * file's name.
 */
export async function listSavedQueries(directory: string): Promise<ListedQuery[]> {
  const names = (await readdir(path.join(directory, 'queries')).catch(() => [])).filter((name) =>
    name.endsWith('.json'),
  );
  return Promise.all(
    names.sort().map(async (file) => {
      const key = path.basename(file, '.json');
      try {
        const { name = key, description = '' } = readSavedQuery((await readSavedQueryText(directory, key)) ?? '');
        return { key, name, description };
      } catch (error) {
        if (!(error instanceof InvalidQuerySpecification)) throw error;
        return { key, name: key, description: 'This query is not valid.' };
      }
    }),
  );
}

/**
 * @returns the text of the query; undefined where the service has no such file. Nothing outside of
 * `queries/` is read.
 */
export async function readSavedQueryText(directory: string, key: string): Promise<string | undefined> {
  if (!/^[\w.-]{1,100}$/.test(key)) return undefined;
  return readFile(path.join(directory, 'queries', `${key}.json`), 'utf8').catch(() => undefined);
}
