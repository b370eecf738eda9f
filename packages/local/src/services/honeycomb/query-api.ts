import { createHash, randomBytes } from 'node:crypto';
import { isObject } from '../../query/problems.ts';
import type { Queries } from '../../query/queries.ts';
import { InvalidQuerySpecification } from '../../query/specification.ts';
import { lengthOf, readSavedQuery, type SavedQuery } from '../../query/validate.ts';
import { parseJson } from '../../receiver/json.ts';
import { json, type ReceiverAnswer, type ReceiverLimits, type ReceiverRequest } from '../../receiver/receiver.ts';
import { toJson } from '../../trace/to-json.ts';
import { columnsOf, datasetOf, datasetsOf } from './datasets.ts';
import { ApiProblem, invalid, notFound } from './problems.ts';
import { type ResultOptions, resultData } from './query-results.ts';

interface KeptQuery {
  id: string;
  dataset: string;
  query: SavedQuery;
}

interface KeptResult {
  id: string;
  dataset: string;
  query: KeptQuery;
  data: object;
}

/** A laptop's clients keep what they need; the oldest goes first. */
const mostQueries = 1_000;
const mostResults = 100;
/** Intervals of a series where the query names no granularity; Honeycomb chooses one too. */
const intervals = 120;

/**
 * Honeycomb's query API over what was received: /1/queries, /1/query_results, /1/columns and
 * /1/datasets. Queries and their results are kept in memory. Source: docs.honeycomb.io/api.
 * @returns what answers a request, or undefined for one that is not of this API.
 */
export function createQueryApi(queries: Queries, limits: ReceiverLimits) {
  const kept = new Map<string, KeptQuery>();
  const results = new Map<string, KeptResult>();

  async function createQuery(request: ReceiverRequest, slug: string): Promise<ReceiverAnswer> {
    const dataset = await datasetOf(queries, slug);
    const query = readSavedQuery((await request.body()).toString('utf8'));
    // Honeycomb refuses unknown columns when a query is made, not when it is run.
    await queries.ask(query, { strict: true, now: Date.now(), ...(dataset && { service: dataset.name }) });
    const text = JSON.stringify([slug, query.written]);
    const id = createHash('sha256').update(text).digest('base64url').replace(/[-_]/g, 'x').slice(0, 11);
    keep(kept, id, { id, dataset: slug, query }, mostQueries);
    return answer(200, described({ id, dataset: slug, query }));
  }

  async function createResult(request: ReceiverRequest, slug: string): Promise<ReceiverAnswer> {
    const body = parseJson(await request.body(), limits);
    const options = readResultOptions(body);
    const query = kept.get(options.queryId);
    if (!query || query.dataset !== slug) throw notFound('Query not found.');
    const dataset = await datasetOf(queries, slug);
    const { specification, source } = query.query;
    const range = lengthOf(specification);
    const data = await resultData(
      (changed) =>
        queries.ask(
          { specification: { ...specification, ...changed }, source },
          {
            now: Date.now(),
            ...(dataset && { service: dataset.name }),
            ...(!options.disableSeries && { granularity: Math.max(1, Math.ceil(range / intervals)) }),
          },
        ),
      specification,
      options,
    );
    const id = randomBytes(9).toString('base64url').replace(/[-_]/g, 'x').slice(0, 11);
    keep(results, id, { id, dataset: slug, query, data }, mostResults);
    const location = `/1/query_results/${encodeURIComponent(slug)}/${id}`;
    const made = answer(201, { query: described(query), id, complete: false, links: {} });
    return { ...made, headers: { ...made.headers, location } };
  }

  function read<T extends { dataset: string }>(map: Map<string, T>, slug: string, id: string, what: string): T {
    const found = map.get(id);
    if (found?.dataset === slug) return found;
    throw notFound(`${what} not found.`);
  }

  async function respond(request: ReceiverRequest): Promise<ReceiverAnswer | undefined> {
    const [kind = '', first = '', second = '', ...rest] = request.path.split('/').slice(2).map(decode);
    const { method } = request;
    if (!['queries', 'query_results', 'columns', 'datasets'].includes(kind)) return undefined;
    if (rest.length > 0) throw notFound(`${request.path} is not supported here.`);
    if (kind === 'queries' && first && !second && method === 'POST') return createQuery(request, first);
    if (kind === 'queries' && second && method === 'GET') {
      return answer(200, described(read(kept, first, second, 'Query')));
    }
    if (kind === 'query_results' && first && !second && method === 'POST') return createResult(request, first);
    if (kind === 'query_results' && second && method === 'GET') {
      const { id, query, data } = read(results, first, second, 'Query result');
      return answer(200, { query: described(query), id, complete: true, data, links: {} });
    }
    if (kind === 'datasets' && method === 'GET' && !second) {
      const datasets = await datasetsOf(queries);
      if (!first) return answer(200, datasets);
      const found = datasets.find(({ slug }) => slug === first);
      if (found) return answer(200, found);
      throw notFound('Dataset not found.');
    }
    if (kind === 'columns' && method === 'GET' && first) {
      await datasetOf(queries, first);
      const columns = await columnsOf(queries);
      const name = new URLSearchParams(request.query).get('key_name');
      if (!second && name === null) return answer(200, columns);
      const found = columns.find((column) => (second ? column.id === second : column.key_name === name));
      if (found) return answer(200, found);
      throw notFound('Column not found.');
    }
    throw new ApiProblem(405, 'method-not-allowed', `${method} ${request.path} is not supported here.`);
  }

  return async (request: ReceiverRequest): Promise<ReceiverAnswer | undefined> => {
    try {
      return await respond(request);
    } catch (error) {
      if (error instanceof InvalidQuerySpecification) return answer(422, invalid(error.problems));
      if (error instanceof ApiProblem) return answer(error.status, error.body());
      throw error;
    }
  };
}

function answer(status: number, value: unknown): ReceiverAnswer {
  return { ...json(status, null), body: toJson(value) };
}

function described({ id, query }: KeptQuery): object {
  const { calculations, limit } = query.specification;
  const defaults = { calculations, filter_combination: 'AND', limit, time_range: lengthOf(query.specification) };
  const { startTime, endTime } = query.specification;
  const absolute = startTime !== undefined && endTime !== undefined;
  const { time_range: _, ...others } = defaults;
  return { id, ...(absolute ? others : defaults), ...query.written };
}

function keep<T>(map: Map<string, T>, id: string, value: T, most: number): void {
  map.delete(id);
  map.set(id, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function readResultOptions(body: unknown): ResultOptions & { queryId: string } {
  const field = (name: string, description: string) =>
    new ApiProblem(422, 'validation-failed', description, [{ code: 'invalid', field: name, description }]);
  if (!isObject(body)) throw field('', 'The body must be an object with a query_id.');
  const flag = (name: string, otherwise: boolean) => {
    const value = body[name] ?? otherwise;
    if (typeof value === 'boolean') return value;
    throw field(name, `${name} must be true or false.`);
  };
  if (isObject(body.query))
    throw field('query', 'A query in the body is not supported here: create it, and give its query_id.');
  const queryId = body.query_id;
  if (typeof queryId !== 'string') throw field('query_id', 'query_id must be the ID of a query.');
  if (!flag('disable_other_by_aggregate', true)) {
    throw field('disable_other_by_aggregate', 'other_by_aggregate is not supported here.');
  }
  const disableSeries = flag('disable_series', false);
  const limit = body.limit ?? undefined;
  if (limit !== undefined && (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1 || limit > 10_000)) {
    throw field('limit', 'limit must be a whole number from 1 to 10000.');
  }
  return {
    queryId,
    disableSeries,
    wantsTotals: !flag('disable_total_by_aggregate', true),
    // Without disable_series Honeycomb ignores it.
    ...(disableSeries && limit !== undefined && { limit }),
  };
}
