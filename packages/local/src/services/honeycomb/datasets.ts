import { createHash } from 'node:crypto';
import type { Queries, ServiceInfo } from '../../query/queries.ts';
import { notFound } from './problems.ts';

/** Honeycomb's name for every data set of an environment at once. */
export const environment = '__all__';

/** @returns the name of a data set as it stands in an address. */
export function slugOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9_.~]+/g, '-')
    .replace(/^-|-$/g, '');
}

/**
 * @returns the service that the data set holds; undefined for all of them. @throws ApiProblem 404
 */
export async function datasetOf(queries: Queries, slug: string): Promise<ServiceInfo | undefined> {
  if (slug === environment) return undefined;
  const services = await queries.services();
  const found = services.find(({ name }) => name === slug) ?? services.find(({ name }) => slugOf(name) === slug);
  if (found) return found;
  throw notFound('Dataset not found.');
}

export async function datasetsOf(queries: Queries) {
  const fields = await queries.fields();
  return (await queries.services()).map(({ name, first, last }) => ({
    name,
    description: '',
    slug: slugOf(name),
    expand_json_depth: 0,
    regular_columns_count: fields.length,
    settings: { delete_protected: true },
    created_at: new Date(first).toISOString(),
    last_written_at: new Date(last).toISOString(),
  }));
}

export async function columnsOf(queries: Queries) {
  const services = await queries.services();
  const created = new Date(Math.min(...services.map(({ first }) => first), Date.now())).toISOString();
  const written = new Date(Math.max(...services.map(({ last }) => last), 0)).toISOString();
  return (await queries.fields()).map(({ key, type }) => ({
    id: createHash('sha256').update(key).digest('hex').slice(0, 11),
    key_name: key,
    type,
    description: '',
    hidden: false,
    last_written: written,
    created_at: created,
    updated_at: created,
  }));
}
