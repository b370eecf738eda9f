import { describe, expect, it } from 'vitest';
import type { GatewayResponse, LocalService } from '../../../src/service/model.ts';
import { gatewayUnderTest, lambdaFunction, localService, returns, send } from '../gateway-under-test.ts';

function serviceWith(...responses: Partial<GatewayResponse>[]): LocalService {
  const service = localService([lambdaFunction('home', ['GET /home'])]);
  service.gateway.responses = responses.map((response) => ({
    responseType: 'DEFAULT_4XX',
    parameters: {},
    templates: {},
    ...response,
  }));
  return service;
}

describe('an unknown path or method', () => {
  it.each([
    ['GET', '/nowhere'],
    ['POST', '/home'],
    ['HEAD', '/home'],
    ['OPTIONS', '/home'],
    ['OPTIONS', '*'],
    ['GET', '/home/more'],
    ['GET', '/%'],
    ['GET', '/Home'],
  ])('%s %s is a missing authentication token', async (method, path) => {
    const gateway = await gatewayUnderTest(serviceWith());
    const answer = await send(gateway, method, path);
    expect(answer.status).toBe(403);
    expect(answer.headers).toMatchObject({
      'x-amzn-errortype': 'MissingAuthenticationTokenException',
      'content-type': 'application/json',
    });
    expect(answer.text).toBe(method === 'HEAD' ? '' : '{"message":"Missing Authentication Token"}');
    expect(gateway.invocations).toEqual([]);
  });

  it('does not fall through from a path that lacks the method to a less specific one that has it', async () => {
    const service = localService([lambdaFunction('home', ['GET /home']), lambdaFunction('all', ['ANY /{proxy+}'])]);
    const gateway = await gatewayUnderTest(service);
    expect((await send(gateway, 'POST', '/home')).status).toBe(403);
    expect((await send(gateway, 'POST', '/other')).status).toBe(200);
  });
});

describe('a gateway response', () => {
  it('gives its type another status, body and headers', async () => {
    const gateway = await gatewayUnderTest(
      serviceWith({
        responseType: 'MISSING_AUTHENTICATION_TOKEN',
        statusCode: 404,
        parameters: { 'Cache-Control': "'no-store'", 'X-Request': 'context.requestId' },
        templates: {
          'application/problem+json':
            '{"title":$context.error.messageString,"detail":"$context.error.message","type":"$context.error.responseType","trace_id":"$context.xrayTraceId","at":"${context.path}","no":"$context.nothing"}',
        },
      }),
    );
    const answer = await send(gateway, 'GET', '/nowhere');
    expect(answer.status).toBe(404);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'x-request': answer.headers['x-amzn-requestid'],
    });
    const root = /Root=([^;]*)/.exec(String(answer.headers['x-amzn-trace-id']))?.[1];
    expect(JSON.parse(answer.text)).toEqual({
      title: 'Missing Authentication Token',
      detail: 'Missing Authentication Token',
      type: 'MISSING_AUTHENTICATION_TOKEN',
      trace_id: root,
      at: '/dev/nowhere',
      no: '',
    });
  });

  it('of DEFAULT_4XX or DEFAULT_5XX stands in for types that have none, with its status only where it says one', async () => {
    const service = serviceWith(
      { responseType: 'DEFAULT_4XX', parameters: { 'Access-Control-Allow-Origin': "'*'" } },
      { responseType: 'DEFAULT_5XX', statusCode: 503, templates: { 'text/plain': 'sorry' } },
      { responseType: 'THROTTLED', statusCode: 420 },
    );
    const gateway = await gatewayUnderTest(service, () => ({
      error: { kind: 'thrown', type: 'Error', message: 'no' },
    }));
    const missing = await send(gateway, 'GET', '/nowhere');
    expect([missing.status, missing.headers['access-control-allow-origin'], missing.text]).toEqual([
      403,
      '*',
      '{"message":"Missing Authentication Token"}',
    ]);
    const failed = await send(gateway, 'GET', '/home');
    expect([failed.status, failed.headers['content-type'], failed.text]).toEqual([503, 'text/plain', 'sorry']);
  });

  it('can name headers and query parameters of the request', async () => {
    const service = serviceWith({
      parameters: {
        'gatewayresponse.header.X-Origin': 'method.request.header.Origin',
        'X-Term': 'method.request.querystring.term',
        'X-None': 'method.request.header.Nothing',
        'X-Plain': 'plain',
      },
    });
    const gateway = await gatewayUnderTest(service);
    const answer = await send(gateway, 'GET', '/nowhere?term=a%0D%0Ab', ['Host', 'localhost', 'Origin', 'http://a']);
    expect(answer.headers).toMatchObject({ 'x-origin': 'http://a', 'x-term': 'ab', 'x-plain': 'plain' });
    expect(answer.headers['x-none']).toBeUndefined();
  });

  it('is chosen among its content types by the Accept header, JSON before others', async () => {
    const templates = { 'text/html': '<p>no</p>', 'application/json': '{}', 'text/plain': 'no' };
    const gateway = await gatewayUnderTest(serviceWith({ templates }));
    const typeFor = async (accept: string): Promise<unknown> =>
      (await send(gateway, 'GET', '/nowhere', { Accept: accept })).headers['content-type'];
    expect(await typeFor('text/plain;q=1, */*')).toBe('text/plain');
    expect(await typeFor('image/png')).toBe('application/json');
  });

  it('stays valid JSON whatever the client wrote into what it repeats', async () => {
    const templates = { 'application/json': '{"agent":"$context.identity.userAgent","$context.path.":1}' };
    const gateway = await gatewayUnderTest(serviceWith({ templates }));
    const answer = await send(gateway, 'GET', '/nowhere', { 'User-Agent': '","admin":"yes\\' });
    expect(JSON.parse(answer.text)).toEqual({ agent: '","admin":"yes\\', '/dev/nowhere.': 1 });
  });
});

describe('a function that fails', () => {
  it.each([
    ['thrown', 502],
    ['timeout', 502],
    ['crash', 502],
    ['init', 502],
    ['response-too-large', 502],
    ['throttled', 500],
    ['request-too-large', 413],
  ] as const)('by %s is answered %d', async (kind, status) => {
    const gateway = await gatewayUnderTest(serviceWith(), () => ({
      payload: '{"errorType":"Error","errorMessage":"secret"}',
      error: { kind, type: 'Error', message: 'secret' },
    }));
    const answer = await send(gateway, 'GET', '/home');
    expect(answer.status).toBe(status);
    expect(answer.text).toBe(status === 413 ? '{"message":"Request Too Long"}' : '{"message":"Internal server error"}');
  });

  it('to be invoked at all is answered 502 and named', async () => {
    const gateway = await gatewayUnderTest(serviceWith(), () =>
      Promise.reject(new Error('handlers/home.ts: no such file')),
    );
    expect((await send(gateway, 'GET', '/home')).status).toBe(502);
    expect(gateway.rejected).toEqual([
      { reason: 'A function could not be invoked.', detail: 'home: Error: handlers/home.ts: no such file' },
    ]);
  });

  it('to answer while the gateway waits is answered 504', async () => {
    const late = Promise.withResolvers<object>();
    const gateway = await gatewayUnderTest(serviceWith(), () => late.promise, { integrationTimeoutMilliseconds: 20 });
    const answer = await send(gateway, 'GET', '/home');
    expect([answer.status, answer.text]).toEqual([504, '{"message":"Endpoint request timed out"}']);
    expect(answer.headers['x-amzn-errortype']).toBe('InternalServerErrorException');
    late.resolve(returns({ statusCode: 200 }));
  });
});
