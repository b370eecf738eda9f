import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerlessHttpEvent } from '../../../src/service/events/serverless-events.ts';
import { send } from '../gateway-under-test.ts';
import { type ServiceUnderTest, serviceUnderTest } from '../service-under-test.ts';

const code = `
exports.echo = async (event) => event;
exports.fail = async (event) => { throw new Error(event.query.message); };
exports.proxy = async (event) => ({ statusCode: 200, headers: { 'content-type': 'text/plain' }, body: event.body ?? 'x'.repeat(50) });
exports.sleep = () => new Promise((resolve) => setTimeout(resolve, 60_000));
exports.encoded = async () => ({ statusCode: 200, headers: { 'content-encoding': 'br' }, body: 'y'.repeat(50) });
exports.context = async (event) => ({ statusCode: 200, body: JSON.stringify([event.stageVariables, event.requestContext.operationName]) });
`;

const schema = {
  $schema: 'http://json-schema.org/draft-04/schema#',
  type: 'object',
  required: ['n'],
  properties: { n: { type: 'number', minimum: 1, exclusiveMinimum: true } },
};
let backEnd: Server;
let shop: ServiceUnderTest;

beforeAll(async () => {
  backEnd = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      response.writeHead(request.url?.startsWith('/gone') ? 404 : 200, {
        'X-Back': 'end',
        'Content-Type': 'text/x-back',
      });
      response.end(
        JSON.stringify({
          method: request.method,
          url: request.url,
          body,
          trace: request.headers['x-amzn-trace-id'],
          given: request.headers['x-given'],
        }),
      );
    });
  });
  await new Promise<void>((resolve) => backEnd.listen(0, '127.0.0.1', resolve));
  const uri = `http://127.0.0.1:${(backEnd.address() as AddressInfo).port}`;
  const event = (path: string, more: Partial<ServerlessHttpEvent>) => ({ http: { method: 'any', path, ...more } });
  const mapped = [
    event('default/{id}', { integration: 'lambda' }),
    event('template/{id}', {
      integration: 'lambda',
      request: {
        template: {
          'application/json':
            '{ "id": "$input.params(\'id\')", "n": $input.json(\'$.n\'), "missing": "$context.authorizer.nobody", "who": "$stageVariables.who" }',
        },
      },
      response: {
        headers: { 'Content-Type': "'text/plain'", 'X-Id': 'integration.response.body.id' },
        template:
          "#set($it = $input.path('$'))$it.id/$it.n#if($it.n > 1)#set($context.responseOverride.status = 418)#end",
      },
    }),
  ];
  shop = await serviceUnderTest(
    () => ({
      provider: {
        name: 'aws',
        tracing: { apiGateway: true },
        apiGateway: { minimumCompressionSize: 10, request: { schemas: { order: { schema } } } },
      },
      custom: { stageVariables: { who: 'me' } },
      functions: {
        echo: { handler: 'index.echo', events: mapped },
        fail: { handler: 'index.fail', events: [event('fail', { integration: 'lambda' })] },
        proxy: {
          handler: 'index.proxy',
          events: [
            event('proxy', {}),
            event('order', {
              request: {
                schemas: { 'application/json': 'order' },
                parameters: { querystrings: { q: true, o: false }, headers: { 'X-Need': { required: true } } },
              },
            }),
          ],
        },
        sleep: {
          handler: 'index.sleep',
          events: [event('slow', { timeoutInMillis: 200 }), event('later', { async: true })],
        },
        encoded: { handler: 'index.encoded', events: [event('encoded', {})] },
        context: { handler: 'index.context', events: [event('context', { operationId: 'op' })] },
        other: {
          handler: 'index.echo',
          events: [
            event('mock', {
              integration: 'mock',
              request: { template: { 'application/json': '{"statusCode": 201}' } },
              response: {
                headers: { 'X-A': "'b'" },
                statusCodes: { 200: { pattern: '' }, 201: { pattern: '201', template: '{"made": true}' } },
              },
            }),
            event('empty-mock', { integration: 'mock' }),
            event('http/{proxy+}', {
              integration: 'http-proxy',
              request: { uri: `${uri}/{proxy}`, parameters: { paths: { proxy: true } } },
            }),
            event('http', {
              integration: 'http',
              request: {
                uri: `${uri}/gone`,
                parameters: { headers: { 'X-Given': false } },
                template: { 'application/json': '{"wrapped": $input.json("$")}' },
              },
              response: {
                headers: { 'X-From': 'integration.response.header.X-Back' },
                statusCodes: { 200: { pattern: '' }, 410: { pattern: '404' } },
              },
            }),
            event('nobody', { integration: 'http-proxy', request: { uri: 'http://127.0.0.1:9/' } }),
          ],
        },
        python: { runtime: 'python3.12', handler: 'p.main', events: [event('closed', {})] },
        all: { handler: 'index.proxy', events: [event('{proxy+}', {})] },
      },
    }),
    code,
  );
});
afterAll(async () => {
  await shop?.stop();
  backEnd?.close();
});

const json = { 'content-type': 'application/json' };

describe('integration: lambda', () => {
  it('sends the event that Serverless describes where there is no template', async () => {
    const answer = await send(shop, 'POST', '/default/7?q=1', { ...json, 'X-Quote': `it's "so"` }, '{"a":[1]}');
    expect(JSON.parse(answer.text)).toMatchObject({
      body: { a: [1] },
      method: 'POST',
      stage: 'dev',
      principalId: '',
      cognitoPoolClaims: { sub: '' },
      headers: { 'X-Quote': `it's "so"` },
      query: { q: '1' },
      path: { id: '7' },
      identity: { sourceIp: '127.0.0.1' },
      stageVariables: { who: 'me' },
      requestPath: '/default/{id}',
    });
    expect(answer.headers['content-type']).toBe('application/json');
  });

  it('makes an object of a form, and an empty one of no body', async () => {
    const form = await send(
      shop,
      'POST',
      '/default/7',
      { 'content-type': 'application/x-www-form-urlencoded' },
      "a=1+2&b=%22it's%22&c",
    );
    expect(JSON.parse(form.text).body).toEqual({ a: '1 2', b: `"it's"`, c: '' });
    expect(JSON.parse((await send(shop, 'GET', '/default/7')).text).body).toEqual({});
  });

  it('refuses a media type without a template', async () => {
    expect((await send(shop, 'POST', '/default/7', { 'content-type': 'text/plain' }, 'x')).status).toBe(415);
  });

  it('maps request and answer by templates, headers and overrides', async () => {
    const answer = await send(shop, 'POST', '/template/7', json, '{"n":1}');
    expect([answer.status, answer.text]).toEqual([200, '7/1']);
    expect(answer.headers).toMatchObject({ 'content-type': 'text/plain', 'x-id': '7' });
    expect((await send(shop, 'POST', '/template/7', json, '{"n":2}')).status).toBe(418);
  });

  it.each([
    ['[404] no such thing', 404],
    ['no such thing', 200],
  ])('chooses the answer by the error message: %s', async (message, status) => {
    const answer = await send(shop, 'GET', `/fail?message=${encodeURIComponent(message)}`);
    expect([answer.status, JSON.parse(answer.text).errorMessage]).toEqual([status, message]);
  });

  it('answers at once with async, while the function runs on', async () => {
    const answer = await send(shop, 'POST', '/later', json, '{}');
    expect([answer.status, answer.text]).toEqual([200, '']);
  });
});

describe('integration: mock', () => {
  it('answers by the status that its template says, without any function', async () => {
    const answer = await send(shop, 'GET', '/mock');
    expect([answer.status, answer.text, answer.headers['x-a']]).toEqual([201, '{"made": true}', 'b']);
  });

  it('fails without a template, as on AWS', async () => {
    expect((await send(shop, 'GET', '/empty-mock')).status).toBe(500);
  });
});

describe('integration: http-proxy', () => {
  it('sends the request on as it came, as a subsegment of the stage, and the answer back', async () => {
    const answer = await send(shop, 'PUT', '/http/a/b?q=%20', json, '{"a":1}');
    const seen = JSON.parse(answer.text);
    expect(seen).toMatchObject({ method: 'PUT', url: '/a/b?q=%20', body: '{"a":1}' });
    expect(answer.headers).toMatchObject({ 'x-back': 'end', 'content-type': 'text/x-back' });
    const stage = shop.segments.findLast(
      ({ origin, in_progress }) => origin === 'AWS::ApiGateway::Stage' && !in_progress,
    );
    expect(stage?.subsegments?.[0]).toMatchObject({ namespace: 'remote', http: { response: { status: 200 } } });
    expect(seen.trace).toContain(`Parent=${stage?.subsegments?.[0]?.id}`);
  });

  it('answers 500 where nobody listens', async () => {
    expect((await send(shop, 'GET', '/nobody')).status).toBe(500);
  });
});

describe('integration: http', () => {
  it('maps request and answer', async () => {
    const answer = await send(shop, 'POST', '/http', { ...json, 'X-Given': 'yes' }, '{"a":1}');
    expect([answer.status, answer.headers['x-from']]).toEqual([410, 'end']);
    expect(JSON.parse(answer.text)).toMatchObject({ method: 'POST', body: '{"wrapped": {"a":1}}', given: 'yes' });
  });
});

describe('timeoutInMillis', () => {
  it('ends the wait for the function with 504', async () => {
    const answer = await send(shop, 'GET', '/slow');
    expect([answer.status, answer.text]).toEqual([504, '{"message":"Endpoint request timed out"}']);
  });
});

describe('minimumCompressionSize', () => {
  it('compresses answers of that size and more for clients that take it', async () => {
    const answer = await send(shop, 'GET', '/proxy', { 'accept-encoding': 'br, gzip;q=0.5' });
    expect(answer.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(answer.body).toString()).toBe('x'.repeat(50));
  });

  it.each([
    ['a client that takes none', 'GET', '/proxy', 'gzip;q=0', undefined],
    ['a smaller answer', 'POST', '/proxy', 'gzip', undefined],
    ['an answer that is encoded already', 'GET', '/encoded', 'gzip', 'br'],
  ])('leaves alone %s', async (_, method, path, accept, encoding) => {
    const answer = await send(
      shop,
      method,
      path,
      { 'accept-encoding': accept },
      method === 'POST' ? 'small' : undefined,
    );
    expect(answer.headers['content-encoding']).toBe(encoding);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ])('inflates a %s body before the function sees it', async (encoding, compress) => {
    const answer = await send(shop, 'POST', '/proxy', { ...json, 'content-encoding': encoding }, compress('größe 1'));
    expect(answer.text).toBe('größe 1');
  });

  it.each([
    ['an encoding that it does not know', 'br', 'x', 415],
    ['a body that is not what it says', 'gzip', 'x', 400],
    ['a body that inflates beyond 10 MB', 'gzip', gzipSync(Buffer.alloc(11_000_000)), 413],
  ])('refuses %s', async (_, encoding, body, status) => {
    expect((await send(shop, 'POST', '/proxy', { 'content-encoding': encoding }, body)).status).toBe(status);
  });
});

describe('request validation', () => {
  it.each([
    ['', {}, '{"n":2}', 'Missing required request parameters: [X-Need, q]'],
    ['?q=1', { 'x-need': '' }, '{}', 'Invalid request body'],
    ['?q=1', { 'x-need': '' }, '{"n":1}', 'Invalid request body'],
    ['?q=1', { 'x-need': '' }, 'no JSON', 'Invalid request body'],
    ['?q=1', { 'x-need': '' }, '', 'Invalid request body'],
  ])('refuses %s %o %s', async (query, headers, body, message) => {
    const answer = await send(shop, 'POST', `/order${query}`, { ...json, ...headers }, body);
    expect([answer.status, JSON.parse(answer.text).message]).toEqual([400, message]);
  });

  it('lets a valid request pass, and a body of a type without a schema', async () => {
    expect((await send(shop, 'POST', '/order?q=1', { ...json, 'x-need': '' }, '{"n":2}')).status).toBe(200);
    expect((await send(shop, 'POST', '/order?q=1', { 'content-type': 'text/plain', 'x-need': '' }, 'x')).status).toBe(
      200,
    );
  });
});

describe('the event of a proxy integration', () => {
  it('has the stage variables and the name of the operation', async () => {
    expect(JSON.parse((await send(shop, 'GET', '/context')).text)).toEqual([{ who: 'me' }, 'op']);
  });
});

describe('a route whose function does not run here', () => {
  it('answers 502 instead of falling to a less specific route', async () => {
    expect((await send(shop, 'GET', '/closed')).status).toBe(502);
  });
});
