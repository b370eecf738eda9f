import type { Trace, TraceNode } from 'serverless-throughline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Api } from '../fixtures/cruddur/api.ts';
import { overHttp } from '../fixtures/cruddur/over-http.ts';
import { routes } from '../fixtures/cruddur/proxy-event.ts';
import { expectProblem } from './contract/caller.ts';
import { contract } from './contract/index.ts';

describe('the API over HTTP, as sls local runs it', () => {
  let running: Promise<Api & { console: string }> | undefined;
  const start = () => {
    running ??= overHttp();
    return running;
  };

  describe('the gateway', () => {
    let api: Api & { console: string };
    beforeAll(async () => {
      api = await start();
    });
    const preflight = (path: string, origin: string) =>
      api.send('OPTIONS', path, { headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' } });

    it.each(routes.map(({ method, resource }) => [method, resource] as const))(
      'answers the preflight of %s %s to the origins of the front end, and to no other',
      async (method, resource) => {
        const path = resource.replace('{id}', '@worf').replace('{uuid}', 'x');
        for (const origin of ['http://127.0.0.1:4000', 'http://localhost:4000', api.console]) {
          const { status, headers } = await preflight(path, origin);
          expect(status).toBe(200);
          expect(headers['access-control-allow-origin']).toBe(origin);
          expect(headers['access-control-allow-methods']?.split(',')).toContain(method);
          expect(headers['access-control-allow-headers']?.toLowerCase().split(/, ?/)).toEqual(
            expect.arrayContaining([
              'content-type',
              'authorization',
              'idempotency-key',
              'traceparent',
              'tracestate',
              'x-amzn-trace-id',
            ]),
          );
        }
        const foreign = await preflight(path, 'http://evil.example');
        expect(foreign.headers['access-control-allow-origin']).not.toBe('http://evil.example');
        expect(foreign.headers['access-control-allow-origin']).not.toBe('*');
      },
    );
    it("allows the console's origin on any --console-port", async () => {
      const { headers } = await api.send('GET', '/api/health-check', { headers: { Origin: api.console } });
      expect(headers['access-control-allow-origin']).toBe(api.console);
    });
    it.each([
      ['GET', '/'],
      ['GET', '/api'],
      ['GET', '/api/activities'],
      ['GET', '/nowhere'],
      ['DELETE', '/api/activities/home'],
      ['POST', '/api/activities/home'],
      ['PUT', '/api/messages'],
      ['HEAD', '/api/activities'],
      ['GET', '/API/activities/home'],
    ])('answers 404 to %s %s, which is not a route', async (method, path) => {
      const answer = await api.send(method, path);
      if (method === 'HEAD') expect(answer.status).toBe(404);
      else await expectProblem(answer, 404);
    });
    it('forbids sniffing and caching of its own responses', async () => {
      expect((await api.send('GET', '/nowhere')).headers).toMatchObject({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'strict-transport-security': 'max-age=63072000',
        'x-content-type-options': 'nosniff',
      });
    });
    it('prefers a static path to a path variable', async () => {
      expect((await api.send('GET', '/api/activities/search')).text).toBe('["search_term_blank"]');
      expect((await api.send('GET', '/api/activities/searching')).text).toBe('["activity_uuid_invalid"]');
    });
    it("names the trace in the response header and in the function's problem document", async () => {
      const answer = await api.send('GET', '/api/users/@nobody/short');
      const root = /Root=1-([0-9a-f]{8})-([0-9a-f]{24})/.exec(answer.headers['x-amzn-trace-id'] ?? '');
      expect(root).not.toBeNull();
      expect(JSON.parse(answer.text).trace_id).toBe(`${root?.[1]}${root?.[2]}`);
    });
  });

  describe('the trace of a request', () => {
    const flatten = (nodes: TraceNode[]): TraceNode[] => nodes.flatMap((node) => [node, ...flatten(node.children)]);
    const cases: [string, string, string, unknown, string, number][] = [
      ['GET', '/api/activities/home?limit=2', '/api/activities/home', undefined, 'home-activities', 2],
      ['GET', '/api/activities/@worf', '/api/activities/{id}', undefined, 'show-activities', 1],
      ['GET', '/api/messages/@bayko', '/api/messages/{id}', undefined, 'messages', 14],
      ['POST', '/api/activities', '/api/activities', { message: 'traced', ttl: '1-hour' }, 'create-activity', 1],
    ];
    it.each(cases)('of %s %s has one span for its work, with route, user and length', async (...given) => {
      const [method, path, route, body, name, length] = given;
      const { console, send } = await start();
      const answer = await send(method, path, { body });
      const root = /Root=([0-9a-f-]+)/.exec(answer.headers['x-amzn-trace-id'] ?? '')?.[1];
      const spans = async () => {
        const found = await fetch(`${console}/api/traces/${root}`);
        return found.ok ? flatten(((await found.json()) as Trace).roots) : [];
      };
      const capabilities = async () => (await spans()).filter((node) => node.name === name && !node.inProgress);
      await expect.poll(capabilities, { timeout: 10_000 }).toHaveLength(1);
      const [capability] = await capabilities();
      expect(capability?.annotations).toEqual({
        http_route: route,
        app_user_id: 'andrewbrown',
        app_now: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        app_result_length: length,
      });
      const tables = capability?.children.map(({ name, aws }) => [name, aws?.table_name ?? aws?.table_names]);
      expect(new Set(tables?.map((table) => JSON.stringify(table)))).toContain('["DynamoDB","cruddur-dev"]');
      expect(tables?.length).toBeGreaterThanOrEqual(2);
    });
  });

  contract(async () => ({ ...(await start()), stop: async () => {} }));

  afterAll(async () => (await running)?.stop());
});
