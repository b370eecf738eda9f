import { readFile } from 'node:fs/promises';
import { type Context, Hono } from 'hono';
import { foreignReason } from '../../loopback.ts';
import { normalTraceId } from '../../store/trace-id.ts';
import type { ConsoleOptions } from './index.ts';
import { toJson } from './json.ts';
import { InvalidQuery, readQuery } from './query.ts';
import { traceStream } from './stream.ts';

export interface ConsoleAppOptions extends Omit<ConsoleOptions, 'port'> {
  /** Known once the server listens. */
  port(): number;
  /** Aborted when open streams are to end. */
  stopping: AbortSignal;
}

const page = new URL('../../console/', import.meta.url);

/** The page's files by path: nothing else of the disk can be asked for. */
const files: Record<string, { name: string; type: string }> = {
  '/': { name: 'index.html', type: 'text/html' },
  '/icon.svg': { name: 'icon.svg', type: 'image/svg+xml' },
  '/console.css': { name: 'console.css', type: 'text/css' },
  '/console.js': { name: 'console.js', type: 'text/javascript' },
  '/fields.js': { name: 'fields.js', type: 'text/javascript' },
  '/waterfall.js': { name: 'waterfall.js', type: 'text/javascript' },
};

const headers = {
  // The page shows untrusted text: nothing but its own files may run, style, load or be called from it.
  'content-security-policy': "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
};

/** The console's routes, over any store. */
export function consoleApp(options: ConsoleAppOptions): Hono {
  const { store, service, addresses } = options;
  const app = new Hono();
  app.use(async (context, next) => {
    const own = ['127.0.0.1', 'localhost', '[::1]'].map((host) => `http://${host}:${options.port()}`);
    const reason = foreignReason({ headers: context.req.raw.headers }, { origins: own });
    if (reason) context.res = problem(context, 403, reason);
    else await next();
    for (const [name, value] of Object.entries(headers)) context.res.headers.set(name, value);
  });
  for (const [path, { name, type }] of Object.entries(files)) {
    app.get(path, async (context) =>
      context.body(await readFile(new URL(name, page)), 200, { 'content-type': `${type}; charset=utf-8` }),
    );
  }
  app.get('/api/status', (context) => {
    const { name, stage, region, directory } = service;
    const status = {
      product: 'throughline',
      service: { name, stage, region },
      directory,
      addresses,
      rejections: store.rejections(),
    };
    return json(context, status);
  });
  app.get('/api/orphans', async (context) =>
    json(context, { ...(await store.orphans()), rejections: store.rejections() }),
  );
  app.get('/api/traces', async (context) =>
    json(context, await store.traces(readQuery(new URL(context.req.url).searchParams))),
  );
  app.get('/api/traces/stream', (context) => traceStream(context, store, options.stopping));
  app.get('/api/traces/:id', async (context) => {
    const asked = context.req.param('id');
    const id = normalTraceId(asked);
    if (id === undefined) {
      return problem(context, 404, 'A trace id is 32 hexadecimal digits, or 1-, 8 digits, -, 24 digits.');
    }
    const trace = await store.trace(id);
    return trace ? json(context, trace) : problem(context, 404, `Nothing has been received of trace ${id}.`);
  });
  app.notFound((context) => problem(context, 404, 'There is nothing here.'));
  app.onError((error, context) =>
    error instanceof InvalidQuery
      ? problem(context, 400, error.message)
      : problem(context, 500, 'The trace could not be read.'),
  );
  return app;
}

function json(context: Context, value: unknown): Response {
  return context.body(toJson(value), 200, { 'content-type': 'application/json' });
}

const titles = { 400: 'Bad Request', 403: 'Forbidden', 404: 'Not Found', 500: 'Internal Server Error' };

function problem(context: Context, status: keyof typeof titles, detail: string): Response {
  const body = { type: 'about:blank', title: titles[status], status, detail };
  return context.body(toJson(body), status, { 'content-type': 'application/problem+json' });
}
