import { createSign, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from './gateway-under-test.ts';
import { type ServiceUnderTest, serviceUnderTest } from './service-under-test.ts';

const code = `
exports.echo = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });
exports.plain = async (event) => ({ said: event.rawPath });
exports.text = async () => 'just text';
exports.full = async () => ({ statusCode: '201', headers: { 'X-A': 1, 'content-type': 'image/png' }, cookies: ['a=1', 'b=2; Path=/'], body: 'AAEC', isBase64Encoded: true });
exports.wrong = async () => ({ statusCode: 200, body: { not: 'text' } });
exports.fail = async () => { throw new Error('no'); };
exports.v1 = async (event) => ({ statusCode: 200, multiValueHeaders: { 'set-cookie': ['a=1', 'b=2'] }, body: JSON.stringify(event) });
let asked = 0;
exports.simple = async (event) => { asked += 1; if (event.headers.authorization === 'unauthorized') throw new Error('Unauthorized'); if (event.headers.authorization === 'broken') throw new Error('x'); return { isAuthorized: event.headers.authorization === 'allow' || event.headers.authorization === 'cached', context: { asked, list: ['a'], arn: event.routeArn } }; };
exports.policy = async (event) => ({ principalId: 'u1', context: { token: event.authorizationToken }, policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect: event.authorizationToken === 'allow' ? 'Allow' : 'Deny', Resource: event.methodArn }] } });
exports.stream = awslambda.streamifyResponse(async (event, stream) => {
  const out = awslambda.HttpResponseStream.from(stream, { statusCode: 202, headers: { 'X-Stream': 'yes' }, cookies: ['s=1'] });
  out.write('one '); out.write('two'); out.end();
});
`;

const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const issuer = 'https://issuer.example/';
const seconds = () => Math.floor(Date.now() / 1000);

function bearer(claims: object, alg = 'RS256') {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const text = `${encode({ alg, kid: 'k1' })}.${encode({ iss: issuer, sub: 'u1', aud: 'app', exp: seconds() + 60, ...claims })}`;
  return {
    authorization: `Bearer ${text}.${createSign('RSA-SHA256').update(text).sign(keys.privateKey, 'base64url')}`,
  };
}

let shop: ServiceUnderTest;
beforeAll(async () => {
  shop = await serviceUnderTest((directory) => {
    const jwk = { ...keys.publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'RS256' };
    writeFileSync(path.join(directory, 'keys.json'), JSON.stringify({ keys: [jwk] }));
    const on = (...routes: string[]) => routes.map((httpApi) => ({ httpApi }));
    const guarded = (route: string, authorizer: string | object) => ({
      httpApi: { method: 'get', path: route, authorizer },
    });
    return {
      provider: {
        name: 'aws',
        tracing: { apiGateway: true, lambda: true },
        httpApi: {
          cors: {
            allowedOrigins: ['https://shop.example'],
            allowCredentials: true,
            exposedResponseHeaders: ['x-a'],
            maxAge: 60,
          },
          authorizers: {
            jwt: { type: 'jwt', identitySource: '$request.header.Authorization', issuerUrl: issuer, audience: ['app'] },
            simple: {
              type: 'request',
              functionName: 'simple',
              enableSimpleResponses: true,
              resultTtlInSeconds: 60,
              identitySource: '$request.header.Authorization',
            },
            policy: {
              type: 'request',
              functionName: 'policy',
              payloadVersion: '1.0',
              identitySource: ['$request.header.Authorization'],
            },
            remote: { type: 'request', functionArn: 'arn:aws:lambda:eu-central-1:999999999999:function:other' },
          },
        },
      },
      custom: { local: { authorizers: { jwt: { keys: 'keys.json' } } } },
      functions: {
        echo: {
          handler: 'index.echo',
          events: [
            ...on('GET /items/{id}', 'POST /items', 'ANY /files/{proxy+}', '*'),
            guarded('/jwt', 'jwt'),
            guarded('/scoped', { name: 'jwt', scopes: ['read', 'write'] }),
            guarded('/simple', 'simple'),
            guarded('/remote', 'remote'),
            guarded('/iam', { type: 'aws_iam' }),
          ],
        },
        special: { handler: 'index.plain', events: on('GET /items/special') },
        text: { handler: 'index.text', events: on('GET /text') },
        full: { handler: 'index.full', events: on('GET /full') },
        wrong: { handler: 'index.wrong', events: on('GET /wrong') },
        fail: { handler: 'index.fail', events: on('GET /fail') },
        v1: {
          handler: 'index.v1',
          httpApi: { payload: '1.0' },
          events: [...on('GET /v1/{id}'), guarded('/policy', 'policy')],
        },
        simple: { handler: 'index.simple' },
        policy: { handler: 'index.policy' },
      },
    };
  }, code);
});
afterAll(() => shop?.stop());

const get = async (name: string, headers: Record<string, string> = {}) => {
  const answer = await send(shop, 'GET', name, headers);
  return { ...answer, json: () => JSON.parse(answer.text) };
};

describe('an HTTP API', () => {
  it('sends an event of format 2.0', async () => {
    const answer = await get('/items/a%20b?x=1&x=2&y=%20', { 'X-Mixed': 'Case', Cookie: 'a=1; b=2' });
    const event = answer.json();
    expect(event).toMatchObject({
      version: '2.0',
      routeKey: 'GET /items/{id}',
      rawPath: '/items/a%20b',
      rawQueryString: 'x=1&x=2&y=%20',
      cookies: ['a=1', 'b=2'],
      queryStringParameters: { x: '1,2', y: ' ' },
      pathParameters: { id: 'a b' },
      headers: { 'x-mixed': 'Case', 'x-forwarded-proto': 'http' },
      requestContext: { http: { method: 'GET', path: '/items/a%20b', sourceIp: '127.0.0.1' }, stage: '$default' },
      isBase64Encoded: false,
    });
    expect(event).not.toHaveProperty('body');
    expect(event.headers).not.toHaveProperty('cookie');
    expect(event.headers['x-amzn-trace-id']).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/);
    expect(answer.headers['apigw-requestid']).toMatch(/=$/);
    expect(answer.headers).not.toHaveProperty('x-amzn-trace-id');
  });

  it.each([
    ['application/json', '{}', false],
    ['text/plain; charset=utf-8', 'ü', false],
    ['application/x-www-form-urlencoded', 'a=1', true],
    ['multipart/form-data; boundary=x', '--x--', true],
    ['image/png', 'PNG', true],
  ])('hands a body of type %s on as text or Base64', async (type, body, isBase64Encoded) => {
    const event = JSON.parse((await send(shop, 'POST', '/items', { 'content-type': type }, body)).text);
    expect(event).toMatchObject({
      body: isBase64Encoded ? Buffer.from(body).toString('base64') : body,
      isBase64Encoded,
    });
  });

  it('sends an event of format 1.0 where the function asks for it', async () => {
    const answer = await get('/v1/7?x=1&x=2');
    expect(answer.json()).toMatchObject({
      version: '1.0',
      resource: '/v1/{id}',
      path: '/v1/7',
      httpMethod: 'GET',
      queryStringParameters: { x: '2' },
      multiValueQueryStringParameters: { x: ['1', '2'] },
      pathParameters: { id: '7' },
      requestContext: { resourcePath: '/v1/{id}', stage: '$default' },
      body: null,
    });
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
  });

  it('chooses the most specific route that has the method, then $default', async () => {
    expect((await get('/items/special')).json()).toEqual({ said: '/items/special' });
    expect(JSON.parse((await send(shop, 'PUT', '/files/a/b')).text).pathParameters).toEqual({ proxy: 'a/b' });
    expect(JSON.parse((await send(shop, 'PUT', '/items/1')).text).routeKey).toBe('$default');
    expect((await get('/items/1/')).json().routeKey).toBe('$default');
  });

  it('makes an answer of whatever a function returns', async () => {
    expect([(await get('/text')).text, (await get('/text')).headers['content-type']]).toEqual([
      'just text',
      'application/json',
    ]);
    const full = await get('/full');
    expect([full.status, [...full.body], full.headers['x-a'], full.headers['set-cookie']]).toEqual([
      201,
      [0, 1, 2],
      '1',
      ['a=1', 'b=2; Path=/'],
    ]);
  });

  it.each(['/wrong', '/fail'])('answers 500 for %s', async (name) => {
    const answer = await get(name);
    expect([answer.status, answer.text]).toEqual([500, '{"message":"Internal Server Error"}']);
  });

  it('sends nothing to X-Ray: the tree begins at the function', async () => {
    const before = shop.segments.length;
    await get('/text');
    await expect
      .poll(() => shop.segments.slice(before).some((one) => one.origin === 'AWS::Lambda::Function' && !one.in_progress))
      .toBe(true);
    const segments = shop.segments.slice(before);
    expect(segments.map(({ origin }) => origin)).not.toContain('AWS::ApiGateway::Stage');
    expect(segments.find(({ origin }) => origin === 'AWS::Lambda')).not.toHaveProperty('parent_id');
  });
});

describe('CORS of an HTTP API', () => {
  const preflight = (origin: string) =>
    send(shop, 'OPTIONS', '/items/1', { origin, 'access-control-request-method': 'GET' });

  it('answers a preflight itself', async () => {
    const answer = await preflight('https://shop.example');
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': 'https://shop.example',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '60',
    });
  });

  it('says nothing to a page that may not call', async () => {
    const answer = await preflight('https://evil.example');
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([204, undefined]);
  });

  it('is on the answers of functions, too', async () => {
    expect((await get('/text', { origin: 'https://shop.example' })).headers).toMatchObject({
      'access-control-allow-origin': 'https://shop.example',
      'access-control-expose-headers': 'x-a',
    });
  });
});

describe('a JWT authorizer', () => {
  it('lets a valid token pass, with its claims as text', async () => {
    const { authorizer } = (await get('/jwt', bearer({ groups: ['a', 'b'], n: 1 }))).json().requestContext;
    expect(authorizer.jwt).toMatchObject({ claims: { sub: 'u1', groups: '[a b]', n: '1' }, scopes: null });
  });

  it('takes client_id where there is no aud', async () => {
    expect((await get('/jwt', bearer({ aud: undefined, client_id: 'app' }))).status).toBe(200);
  });

  it.each([
    ['no token', {}],
    ['another audience', bearer({ aud: 'other' })],
    ['another issuer', bearer({ iss: 'https://evil.example/' })],
    ['an expired token', bearer({ exp: seconds() - 5 })],
    ['an algorithm of shared secrets', bearer({}, 'HS256')],
    ['no JWT at all', { authorization: 'Bearer x' }],
  ])('refuses %s', async (_, headers) => {
    const answer = await get('/jwt', headers as Record<string, string>);
    expect([answer.status, answer.text]).toEqual([401, '{"message":"Unauthorized"}']);
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
  });

  it('needs one of the scopes', async () => {
    const { authorizer } = (await get('/scoped', bearer({ scope: 'read openid' }))).json().requestContext;
    expect(authorizer.jwt.scopes).toEqual(['read', 'openid']);
    expect((await get('/scoped', bearer({ scp: ['write'] }))).status).toBe(200);
    expect((await get('/scoped', bearer({ scope: 'openid' }))).status).toBe(403);
    expect((await get('/scoped', bearer({}))).status).toBe(403);
  });
});

describe('a Lambda authorizer of an HTTP API', () => {
  it('may answer simply, and hands its context on as it is', async () => {
    const { authorizer } = (await get('/simple', { authorization: 'allow' })).json().requestContext;
    expect(authorizer.lambda).toMatchObject({ list: ['a'] });
    expect(authorizer.lambda.arn).toMatch(/\/\$default\/GET\/simple$/);
  });

  it.each([
    ['no identity source', {}, 401],
    ['Unauthorized', { authorization: 'unauthorized' }, 401],
    ['a refusal', { authorization: 'no' }, 403],
    ['a failure', { authorization: 'broken' }, 500],
  ])('answers %s with its status', async (_, headers, status) => {
    expect((await get('/simple', headers as Record<string, string>)).status).toBe(status);
  });

  it('is asked once while its answer is remembered', async () => {
    const asked = async () =>
      (await get('/simple', { authorization: 'cached' })).json().requestContext.authorizer.lambda.asked;
    expect(await asked()).toBe(await asked());
  });

  it('may answer by a policy, in format 1.0', async () => {
    expect((await get('/policy', { authorization: 'allow' })).json().requestContext.authorizer).toEqual({
      token: 'allow',
      principalId: 'u1',
    });
    expect((await get('/policy', { authorization: 'no' })).status).toBe(403);
  });

  it.each([
    ['/remote', 500],
    ['/iam', 403],
  ])('refuses what cannot be checked here: %s', async (name, status) => {
    expect((await get(name, { authorization: 'allow' })).status).toBe(status);
    expect(shop.warnings.filter((text) => text.includes(`GET ${name}`))).toHaveLength(1);
  });
});

describe('the URL of a function', () => {
  let urls: ServiceUnderTest;
  beforeAll(async () => {
    urls = await serviceUnderTest(
      () => ({
        provider: { name: 'aws', tracing: { lambda: true } },
        functions: {
          echo: { handler: 'index.echo', url: { cors: true } },
          guarded: { handler: 'index.echo', url: { authorizer: 'aws_iam' } },
          fail: { handler: 'index.fail', url: true },
          stream: { handler: 'index.stream', url: { invokeMode: 'RESPONSE_STREAM' } },
          rest: {
            handler: 'index.v1',
            events: [{ http: 'GET /rest' }, { http: 'ANY /both/{proxy+}' }, { httpApi: 'GET /both/{id}' }],
          },
        },
      }),
      code,
    );
  });
  afterAll(() => urls?.stop());

  it('is a path of the gateway, which the event does not show', async () => {
    const answer = await send(urls, 'DELETE', '/lambda-url/echo/a/b?q=1');
    expect(JSON.parse(answer.text)).toMatchObject({
      version: '2.0',
      routeKey: '$default',
      rawPath: '/a/b',
      rawQueryString: 'q=1',
      requestContext: { accountId: 'anonymous', http: { method: 'DELETE', path: '/a/b' } },
    });
    expect(answer.headers['x-amzn-trace-id']).toMatch(/^Root=1-/);
    expect(JSON.parse((await send(urls, 'GET', '/lambda-url/echo')).text).rawPath).toBe('/');
  });

  it('is a host of its own, too', async () => {
    const answer = await send(urls, 'GET', '/rest', { host: 'echo.lambda-url.localhost:3000' });
    expect(JSON.parse(answer.text)).toMatchObject({
      rawPath: '/rest',
      requestContext: { domainName: 'echo.lambda-url.localhost:3000' },
    });
    expect((await send(urls, 'GET', '/rest', { host: 'other.lambda-url.localhost' })).status).toBe(403);
  });

  it('answers 502 where the function fails, and 403 without the signature that it asks for', async () => {
    const failed = await send(urls, 'GET', '/lambda-url/fail/');
    expect([failed.status, failed.text]).toEqual([502, 'Internal Server Error']);
    expect((await send(urls, 'GET', '/lambda-url/guarded/')).status).toBe(403);
  });

  it('answers a preflight by its CORS settings', async () => {
    const headers = { origin: 'https://a.example', 'access-control-request-method': 'PUT' };
    const answer = await send(urls, 'OPTIONS', '/lambda-url/echo/', headers);
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, '*']);
  });

  it('has a streamed answer as a whole, and the start says so', async () => {
    const answer = await send(urls, 'GET', '/lambda-url/stream/');
    expect([answer.status, answer.text, answer.headers['x-stream'], answer.headers['set-cookie']]).toEqual([
      202,
      'one two',
      'yes',
      ['s=1'],
    ]);
    expect(urls.warnings).toContainEqual(expect.stringMatching(/stream.*as a whole/));
  });

  it('leaves REST and HTTP API their paths: the more specific route wins', async () => {
    expect(JSON.parse((await send(urls, 'GET', '/rest')).text).resource).toBe('/rest');
    expect(JSON.parse((await send(urls, 'GET', '/both/1')).text).version).toBe('2.0');
    expect(JSON.parse((await send(urls, 'PUT', '/both/1')).text).resource).toBe('/both/{proxy+}');
    expect((await send(urls, 'GET', '/nowhere')).status).toBe(403);
  });
});
