import type { APIGatewayProxyEvent } from 'aws-lambda';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commonLogTime } from '../../../src/gateway/gateway-request.ts';
import { gatewayUnderTest, lambdaFunction, localService, send } from '../gateway-under-test.ts';

const functions = [
  lambdaFunction('files', ['ANY /files/{proxy+}']),
  lambdaFunction('item', ['GET /items/{id}', 'POST /items/{id}']),
  lambdaFunction('items', ['GET /items']),
];
const service = localService(functions);

async function eventOf(...parameters: [method: string, path: string, headers?: string[], body?: Buffer | string]) {
  const gateway = await gatewayUnderTest(service);
  await send(gateway, ...parameters);
  const event = gateway.invocations[0]?.event;
  if (!event) throw new Error('The function was not invoked.');
  return { event, gateway };
}

describe('the proxy event', () => {
  it('has the fields of a REST API and no others', async () => {
    const { event } = await eventOf('GET', '/items/7?term=x', ['Host', '127.0.0.1:3000', 'User-Agent', 'test/1']);
    // Recorded from AWS (edge-optimized REST API, Lambda proxy integration, July 2024), less
    // CloudFront's headers.
    expect(Object.keys(event).sort()).toEqual([
      'body',
      'headers',
      'httpMethod',
      'isBase64Encoded',
      'multiValueHeaders',
      'multiValueQueryStringParameters',
      'path',
      'pathParameters',
      'queryStringParameters',
      'requestContext',
      'resource',
      'stageVariables',
    ]);
    expect(Object.keys(event.requestContext).sort()).toEqual([
      'accountId',
      'apiId',
      'deploymentId',
      'domainName',
      'domainPrefix',
      'extendedRequestId',
      'httpMethod',
      'identity',
      'path',
      'protocol',
      'requestId',
      'requestTime',
      'requestTimeEpoch',
      'resourceId',
      'resourcePath',
      'stage',
    ]);
    expect(Object.keys(event.requestContext.identity).sort()).toEqual([
      'accessKey',
      'accountId',
      'caller',
      'cognitoAuthenticationProvider',
      'cognitoAuthenticationType',
      'cognitoIdentityId',
      'cognitoIdentityPoolId',
      'principalOrgId',
      'sourceIp',
      'user',
      'userAgent',
      'userArn',
    ]);
  });

  it('says what was asked, of which resource, and by whom', async () => {
    const { event, gateway } = await eventOf('GET', '/items/7', ['Host', '127.0.0.1:3000', 'User-Agent', 'test/1']);
    const expected: Partial<APIGatewayProxyEvent> = {
      resource: '/items/{id}',
      path: '/items/7',
      httpMethod: 'GET',
      pathParameters: { id: '7' },
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
      stageVariables: null,
      body: null,
      isBase64Encoded: false,
    };
    expect(event).toMatchObject(expected);
    const { requestContext } = event;
    expect(requestContext).toMatchObject({
      accountId: '123456789012',
      stage: 'dev',
      path: '/dev/items/7',
      resourcePath: '/items/{id}',
      httpMethod: 'GET',
      protocol: 'HTTP/1.1',
      domainName: '127.0.0.1:3000',
      identity: { sourceIp: '127.0.0.1', userAgent: 'test/1', user: null },
    });
    expect(requestContext.apiId).toMatch(/^[a-z0-9]{10}$/);
    expect(requestContext.domainPrefix).toBe(requestContext.apiId);
    expect(requestContext.resourceId).toMatch(/^[a-z0-9]{6}$/);
    expect(requestContext.requestId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(requestContext.extendedRequestId).toMatch(/^[A-Za-z0-9+/]{15}=$/);
    expect(requestContext.requestTime).toBe(commonLogTime(requestContext.requestTimeEpoch));
    expect(requestContext.requestTimeEpoch).toBe(gateway.lines[0]?.time);
  });

  it('writes the request time in the common log format', () => {
    expect(commonLogTime(Date.UTC(2026, 10, 2, 5, 4, 9))).toBe('02/Nov/2026:05:04:09 +0000');
  });

  it('has path parameters of null where the resource has no variable', async () => {
    expect((await eventOf('GET', '/items')).event.pathParameters).toBeNull();
  });

  it('leaves path and path variables as the client encoded them, as REST APIs do', async () => {
    const { event } = await eventOf('GET', '/files/user/test%2Balias@gmail.com/a%2Fb/%');
    expect(event.path).toBe('/files/user/test%2Balias@gmail.com/a%2Fb/%');
    expect(event.pathParameters).toEqual({ proxy: 'user/test%2Balias@gmail.com/a%2Fb/%' });
    expect(event.requestContext.path).toBe('/dev/files/user/test%2Balias@gmail.com/a%2Fb/%');
  });

  it('keeps a slash at the end of the path and leaves it out of the variable', async () => {
    const { event } = await eventOf('GET', '/files/a/');
    expect([event.path, event.pathParameters]).toEqual(['/files/a/', { proxy: 'a' }]);
  });

  it('has no stage in the path of a URL that began with it', async () => {
    const { event } = await eventOf('GET', '/dev/items/7');
    expect([event.path, event.requestContext.path]).toEqual(['/items/7', '/dev/items/7']);
  });

  it('decodes query parameters, and of a repeated one shows the last and all', async () => {
    const { event } = await eventOf('GET', '/items?a=1&b=x+y%2Bz&a=%40two&flag&=empty&c=%&d=1;e=2&');
    expect(event.queryStringParameters).toEqual({
      a: '@two',
      b: 'x y+z',
      flag: '',
      '': 'empty',
      c: '%',
      d: '1',
      e: '2',
    });
    expect(event.multiValueQueryStringParameters).toMatchObject({ a: ['1', '@two'], b: ['x y+z'] });
  });

  it('takes a question mark with nothing after it as no query', async () => {
    expect((await eventOf('GET', '/items?')).event.queryStringParameters).toBeNull();
  });

  it('has __proto__ and constructor as query parameters like any other', async () => {
    const gateway = await gatewayUnderTest(service);
    await send(gateway, 'GET', '/items?__proto__=a&constructor=b&__proto__=c');
    const payload = gateway.invocations[0]?.payload ?? '';
    expect(payload).toContain('"queryStringParameters":{"__proto__":"c","constructor":"b"}');
    expect(payload).toContain('"multiValueQueryStringParameters":{"__proto__":["a","c"],"constructor":["b"]}');
  });

  it('makes a JSON event of any query that a client can send', async () => {
    const gateway = await gatewayUnderTest(service);
    const query = fc.string({ unit: fc.constantFrom(...'ab%=&;+?/0f2"\\{}|<>'), maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(query, async (text) => {
        expect((await send(gateway, 'GET', `/items?${text}`)).status).toBe(200);
      }),
      { numRuns: 100 },
    );
  });

  it('keeps header names as the client wrote them, but for those that AWS rewrites', async () => {
    const { event } = await eventOf('GET', '/items', [
      'host',
      'localhost',
      'aUTHORIZATION',
      'Bearer x',
      'user-agent',
      'test',
      'x-lower',
      '1',
      'X-MiXeD',
      '2',
    ]);
    expect(event.headers).toMatchObject({
      Host: 'localhost',
      Authorization: 'Bearer x',
      'User-Agent': 'test',
      'x-lower': '1',
      'X-MiXeD': '2',
    });
  });

  it('shows the last value of a repeated header and all of them', async () => {
    const { event } = await eventOf('GET', '/items', [
      'Host',
      'localhost',
      'X-Many',
      'one',
      'x-many',
      'two',
      'Cookie',
      'a=1',
    ]);
    expect(event.headers['X-Many']).toBe('two');
    expect(event.multiValueHeaders['X-Many']).toEqual(['one', 'two']);
    expect(event.multiValueHeaders.Cookie).toEqual(['a=1']);
  });

  it('leaves out the headers of the connection', async () => {
    const { event } = await eventOf(
      'POST',
      '/items/1',
      ['Host', 'localhost', 'Connection', 'close', 'TE', 'trailers', 'Content-Length', '2'],
      '{}',
    );
    expect(Object.keys(event.headers).sort()).toEqual([
      'Host',
      'X-Amzn-Trace-Id',
      'X-Forwarded-For',
      'X-Forwarded-Port',
      'X-Forwarded-Proto',
    ]);
  });

  it('says who forwarded it, after those before', async () => {
    const { event, gateway } = await eventOf('GET', '/items', ['Host', 'localhost', 'x-forwarded-for', '203.0.113.9']);
    expect(event.headers).toMatchObject({
      'X-Forwarded-For': '203.0.113.9, 127.0.0.1',
      'X-Forwarded-Port': String(gateway.port),
      'X-Forwarded-Proto': 'http',
    });
    expect(event.headers['x-forwarded-for']).toBeUndefined();
    expect(event.requestContext.identity.sourceIp).toBe('127.0.0.1');
  });

  it('has a body as text, whatever its type', async () => {
    const { event } = await eventOf(
      'POST',
      '/items/1',
      ['Host', 'localhost', 'Content-Type', 'image/png'],
      '{"ü":"☃"}',
    );
    expect([event.body, event.isBase64Encoded]).toEqual(['{"ü":"☃"}', false]);
  });

  it.each([
    ['image/png', ['image/png'], true],
    ['image/png; q=1', ['image/*'], true],
    ['text/plain', ['*/*'], true],
    ['text/plain', ['image/*'], false],
    [undefined, ['application/json'], true],
  ])(
    'encodes a body of type %s in Base64 when binaryMediaTypes are %s: %s',
    async (type, binaryMediaTypes, encoded) => {
      const binary = localService(functions, { gateway: { ...service.gateway, binaryMediaTypes } });
      const gateway = await gatewayUnderTest(binary);
      const bytes = Buffer.from([0, 255, 254, 65]);
      await send(gateway, 'POST', '/items/1', ['Host', 'localhost', ...(type ? ['Content-Type', type] : [])], bytes);
      const event = gateway.invocations[0]?.event;
      expect(event?.isBase64Encoded).toBe(encoded);
      expect(event?.body).toBe(bytes.toString(encoded ? 'base64' : 'utf8'));
    },
  );
});
