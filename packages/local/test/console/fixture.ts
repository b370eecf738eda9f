import type { ConsoleContent } from '../../src/console/app.ts';
import { startConsole } from '../../src/console/server.ts';
import type { LocalFunction, LocalService } from '../../src/service/model.ts';
import { spansInto } from '../../src/services/otlp/spans-into.ts';
import { openStore } from '../../src/store/index.ts';
import type { SegmentDocument } from '../../src/trace/records.ts';

export function serviceIn(directory: string): LocalService {
  return {
    name: 'shop',
    stage: 'dev',
    region: 'eu-west-1',
    directory,
    functions: [],
    gateway: { name: 'dev-shop', tracing: true, binaryMediaTypes: [], responses: [] },
    tables: [],
    samplingRules: [],
    settings: { ports: { api: 0, console: 0, otlp: 0, grpc: 0, xray: 0, dynamodb: 0, lambda: 0 }, environment: {} },
  };
}

/** A store in memory and its console on a free port, for the API of `more`. */
export async function startFixture(
  directory = '/nowhere/shop',
  more: { api?: string; functions?: LocalFunction[]; buildFailures?: ConsoleContent['buildFailures'] } = {},
) {
  const store = await openStore({ file: ':memory:' });
  const { api = 'http://127.0.0.1:3000', functions = [], buildFailures } = more;
  const server = await startConsole({
    port: 0,
    store,
    service: { ...serviceIn(directory), functions },
    addresses: { api },
    takeSpans: spansInto(store),
    ...(buildFailures && { buildFailures }),
  });
  return {
    store,
    port: server.port,
    url: `http://127.0.0.1:${server.port}`,
    async stop() {
      await server.stop();
      await store.close();
    },
  };
}

let made = 0;

/** @returns a new X-Ray root, and its 32 hex digits. */
export function newTrace(): { root: string; id: string } {
  made += 1;
  const rest = made.toString(16).padStart(24, '0');
  return { root: `1-6561dad1-${rest}`, id: `6561dad1${rest}` };
}

/** @returns a stage segment that has ended, 20 ms long unless said. */
export function segment(root: string, more: Partial<SegmentDocument> = {}): SegmentDocument {
  const start = Date.now() / 1000 - 60;
  return {
    name: 'dev-shop/dev',
    id: '1111111111111111',
    trace_id: root,
    start_time: start,
    end_time: start + 0.02,
    origin: 'AWS::ApiGateway::Stage',
    http: { request: { method: 'GET', url: 'http://127.0.0.1:3000/orders' }, response: { status: 200 } },
    ...more,
  };
}

/** @returns a function of the service with routes, such as `GET /orders`. */
export function functionWith(key: string, ...routes: string[]): LocalFunction {
  return {
    key,
    name: `shop-dev-${key}`,
    handler: `${key}.handler`,
    runtime: 'nodejs24.x',
    memoryMegabytes: 128,
    timeoutSeconds: 6,
    environment: {},
    tracing: 'Active',
    layers: [],
    routes: routes.map((route) => {
      const [method = '', path = ''] = route.split(' ');
      return { method, path };
    }),
  };
}
