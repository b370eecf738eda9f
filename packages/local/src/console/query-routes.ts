import type { Context, Hono } from 'hono';
import { InvalidQuerySpecification } from '../query/specification.ts';
import { readSavedQuery } from '../query/validate.ts';
import type { Store } from '../store/index.ts';
import { toJson } from '../trace/to-json.ts';
import { listSavedQueries, readSavedQueryText } from './saved-queries.ts';

/** A query is written by a person; a body beyond this is not one. */
const mostCharacters = 1_000_000;

/**
 * `POST /api/query` with a query of Honeycomb's specification as its body: answers with the query's
 * name and its result, or with 422 and every problem with its place. Only reads: it is a POST
 * because the query is its body.
 */
export function addQueryRoutes(app: Hono, store: Pick<Store, 'ask' | 'snapshot'>, directory: string): void {
  app.post('/api/query', async (context) => {
    const text = await context.req.text();
    if (text.length > mostCharacters) return json(context, 413, { detail: 'The query is too large.' });
    try {
      const query = readSavedQuery(text);
      const result = await store.ask(query, { now: Date.now() });
      return json(context, 200, { name: query.name, description: query.description, result });
    } catch (error) {
      if (!(error instanceof InvalidQuerySpecification)) throw error;
      return json(context, 422, { problems: error.problems });
    }
  });
  app.get('/api/queries', async (context) => json(context, 200, await listSavedQueries(directory)));
  app.get('/api/queries/:key', async (context) => {
    const text = await readSavedQueryText(directory, context.req.param('key'));
    return text === undefined ? context.notFound() : context.body(text, 200, { 'content-type': 'application/json' });
  });
  app.post('/api/snapshot', async (context) => json(context, 200, { file: await store.snapshot(directory) }));
}

function json(context: Context, status: 200 | 413 | 422, value: unknown): Response {
  return context.body(toJson(value), status, { 'content-type': 'application/json' });
}
