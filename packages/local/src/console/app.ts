import { type Context, Hono } from 'hono';
import { ExplainedTraces } from '../explain/explained-traces.ts';
import { foreignReason } from '../http/loopback.ts';
import { unknownTraffic } from '../http/unknown-traffic.ts';
import type { LocalService } from '../service/model.ts';
import type { Store } from '../store/index.ts';
import { ReadTimeout } from '../store/read-connections.ts';
import { InvalidQuery, readQuery } from '../trace/query.ts';
import { toJson } from '../trace/to-json.ts';
import { normalTraceId } from '../trace/trace-id.ts';
import { pageFile, pagePaths } from './page-files.ts';
import { addQueryRoutes } from './query-routes.ts';
import { addSendRoutes, type TakeSpans } from './send/routes.ts';
import { traceStream } from './stream.ts';

/** The console's data sources and settings. */
export interface ConsoleContent {
  store: Pick<Store, 'trace' | 'traces' | 'orphans' | 'onTrace' | 'rejections' | 'rejected' | 'ask' | 'snapshot'>;
  service: LocalService;
  /** Addresses by name: `api`, `otlp`, …; shown unchanged. */
  addresses: Record<string, string>;
  /** The functions that do not build at the moment. */
  buildFailures?(): { functionKey: string; message: string }[];
  /** Takes the spans of the page's own requests. */
  takeSpans?: TakeSpans;
}

export interface ConsoleAppOptions extends ConsoleContent {
  /** Known once the server listens. */
  port(): number;
  /** Aborted when open streams are to end. */
  stopping: AbortSignal;
}

const headers = {
  // The page shows untrusted text: nothing but its own files may run, style, load or be called from
  // it.
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
  const explained = new ExplainedTraces(store);
  const app = new Hono();
  app.use(async (context, next) => {
    const own = ['127.0.0.1', 'localhost', '[::1]'].map((host) => `http://${host}:${options.port()}`);
    const reason = foreignReason({ headers: context.req.raw.headers }, { origins: own });
    if (reason) context.res = problem(context, 403, reason);
    else await next();
    for (const [name, value] of Object.entries(headers)) context.res.headers.set(name, value);
  });
  for (const path of pagePaths) {
    app.get(path, async (context) => {
      const file = await pageFile(path);
      return file ? context.body(file.body, 200, { 'content-type': file.type }) : context.notFound();
    });
  }
  app.get('/api/status', (context) => {
    const { name, stage, region, directory } = service;
    const status = {
      product: 'throughline',
      service: { name, stage, region },
      directory,
      addresses,
      rejections: store.rejections(),
      buildFailures: options.buildFailures?.() ?? [],
    };
    return json(context, status);
  });
  app.get('/api/orphans', async (context) =>
    json(context, { ...(await store.orphans()), rejections: store.rejections() }),
  );
  app.get('/api/traces', async (context) =>
    json(context, await explained.traces(readQuery(new URL(context.req.url).searchParams))),
  );
  app.get('/api/traces/stream', (context) => traceStream(context, store, explained, options.stopping));
  app.get('/api/traces/:id', async (context) => {
    const asked = context.req.param('id');
    const id = normalTraceId(asked);
    if (id === undefined) {
      return problem(context, 404, 'A trace id is 32 hexadecimal digits, or 1-, 8 digits, -, 24 digits.');
    }
    const trace = await explained.trace(id);
    return trace ? json(context, trace) : problem(context, 404, `Nothing has been received of trace ${id}.`);
  });
  addQueryRoutes(app, store, service.directory);
  addSendRoutes(app, service, addresses, options.takeSpans);
  app.notFound((context) => {
    const { method, path } = context.req;
    if (method !== 'GET' && method !== 'HEAD') {
      const headers = { 'content-type': context.req.header('content-type') };
      store.rejected('unknown', unknownTraffic(path, headers), `${method} ${path} at the console's port`);
    }
    return problem(context, 404, 'There is nothing here.');
  });
  app.onError((error, context) => {
    if (error instanceof InvalidQuery) return problem(context, 400, error.message);
    if (error instanceof ReadTimeout) return problem(context, 503, error.message);
    return problem(context, 500, 'The trace could not be read.');
  });
  return app;
}

function json(context: Context, value: unknown): Response {
  return context.body(toJson(value), 200, { 'content-type': 'application/json' });
}

const titles = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

function problem(context: Context, status: keyof typeof titles, detail: string): Response {
  const body = { type: 'about:blank', title: titles[status], status, detail };
  return context.body(toJson(body), status, { 'content-type': 'application/problem+json' });
}
