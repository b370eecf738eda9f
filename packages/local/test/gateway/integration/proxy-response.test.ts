import { describe, expect, it } from 'vitest';
import { gatewayUnderTest, lambdaFunction, localService, returns, send } from '../gateway-under-test.ts';

const functions = [lambdaFunction('any', ['ANY /'])];

async function answerTo(value: unknown, headers: string[] = ['Host', 'localhost'], binaryMediaTypes: string[] = []) {
  const service = localService(functions);
  service.gateway.binaryMediaTypes = binaryMediaTypes;
  const gateway = await gatewayUnderTest(service, () => returns(value));
  return { answer: await send(gateway, 'GET', '/', headers), gateway };
}

describe('what a function returns', () => {
  it('is the status, headers and body of the answer', async () => {
    const { answer } = await answerTo({ statusCode: 418, headers: { 'X-Tea': 'yes' }, body: 'sh☕rt' });
    expect([answer.status, answer.headers['x-tea'], answer.text]).toEqual([418, 'yes', 'sh☕rt']);
    expect(answer.headers['content-length']).toBe('7');
  });

  it('is JSON unless it says otherwise', async () => {
    expect((await answerTo({ statusCode: 200 })).answer.headers['content-type']).toBe('application/json');
    const { answer } = await answerTo({ statusCode: 200, headers: { 'content-type': 'text/html' } });
    expect(answer.headers['content-type']).toBe('text/html');
  });

  it('may be an empty object, a status in digits, null in place of headers, a boolean as a header', async () => {
    expect((await answerTo({})).answer).toMatchObject({ status: 200, text: '' });
    expect((await answerTo({ statusCode: '202' })).answer.status).toBe(202);
    const { answer } = await answerTo({ headers: null, multiValueHeaders: null, body: null, statusCode: 200 });
    expect(answer.status).toBe(200);
    expect((await answerTo({ headers: { 'x-on': true } })).answer.headers['x-on']).toBe('true');
  });

  it('has its headers and multiValueHeaders merged, each pair once', async () => {
    const { answer } = await answerTo({
      statusCode: 200,
      headers: { 'X-One': 'a', 'Set-Cookie': 'b=2' },
      multiValueHeaders: { 'x-one': ['a', 'b'], 'Set-Cookie': ['a=1', 'b=2'] },
    });
    expect(answer.headers['x-one']).toBe('a, b');
    expect(answer.headers['set-cookie']?.toSorted()).toEqual(['a=1', 'b=2']);
  });

  it('has the headers that the gateway writes itself remapped', async () => {
    const { answer } = await answerTo({
      statusCode: 200,
      headers: {
        Date: 'yesterday',
        Server: 'mine',
        'Content-Length': '999',
        connection: 'close',
        'WWW-Authenticate': 'Basic',
        'Transfer-Encoding': 'chunked',
      },
      body: 'four',
    });
    expect(answer.headers).toMatchObject({
      'x-amzn-remapped-date': 'yesterday',
      'x-amzn-remapped-server': 'mine',
      'x-amzn-remapped-content-length': '999',
      'x-amzn-remapped-connection': 'close',
      'x-amzn-remapped-www-authenticate': 'Basic',
      'content-length': '4',
    });
    expect(answer.headers['www-authenticate']).toBeUndefined();
    expect(answer.headers['transfer-encoding']).toBeUndefined();
  });

  it('comes with the ids of the request and the trace, and cannot replace them', async () => {
    const { answer, gateway } = await answerTo({ statusCode: 200, headers: { 'x-amzn-trace-id': 'mine' } });
    const { requestContext } = gateway.invocations[0]?.event ?? {};
    expect(answer.headers['x-amzn-requestid']).toBe(requestContext?.requestId);
    expect(answer.headers['x-amz-apigw-id']).toBe(requestContext?.extendedRequestId);
    expect(answer.headers['x-amzn-trace-id']).toMatch(
      /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=1$/,
    );
  });

  it('has no body for 204 and 304, nor for HEAD', async () => {
    for (const statusCode of [204, 304]) {
      const { answer } = await answerTo({ statusCode, body: 'gone' });
      expect([answer.status, answer.text, answer.headers['content-length']]).toEqual([statusCode, '', undefined]);
    }
    const gateway = await gatewayUnderTest(localService(functions), () => returns({ statusCode: 200, body: 'four' }));
    const head = await send(gateway, 'HEAD', '/');
    expect([head.status, head.text, head.headers['content-length']]).toEqual([200, '', '4']);
  });

  it('is decoded from Base64 where binaryMediaTypes cover what the client accepts', async () => {
    const value = { statusCode: 200, headers: { 'Content-Type': 'image/png' }, body: 'AP8=', isBase64Encoded: true };
    const accepting = ['Host', 'localhost', 'Accept', 'image/png,*/*'];
    expect((await answerTo(value, accepting, ['image/png'])).answer.body).toEqual(Buffer.from([0, 255]));
    expect((await answerTo(value, ['Host', 'localhost'], ['*/*'])).answer.body).toEqual(Buffer.from([0, 255]));
  });

  it('stays Base64 where they do not, as on AWS', async () => {
    const value = { statusCode: 200, body: 'AP8=', isBase64Encoded: true };
    expect((await answerTo(value, ['Host', 'localhost', 'Accept', 'image/png'], [])).answer.text).toBe('AP8=');
    expect((await answerTo(value, ['Host', 'localhost', 'Accept', '*/*'], ['image/png'])).answer.text).toBe('AP8=');
  });

  it('is answered 500 where it should be Base64 and is not', async () => {
    const value = { statusCode: 200, body: 'no base64!', isBase64Encoded: true };
    expect((await answerTo(value, ['Host', 'localhost'], ['*/*'])).answer.status).toBe(500);
  });

  it.each([
    ['null', null],
    ['a string', 'hello'],
    ['an array', [1]],
    ['a field that it cannot have', { statusCode: 200, message: 'hello' }],
    ['a status that is not a number', { statusCode: 'fine' }],
    ['a status with a fraction', { statusCode: 200.5 }],
    ['an invalid status', { statusCode: 99 }],
    ['a status that is only informational', { statusCode: 100 }],
    ['a body that is an object', { statusCode: 200, body: { a: 1 } }],
    ['headers that are a list', { statusCode: 200, headers: ['a'] }],
    ['a header that is a number', { statusCode: 200, headers: { a: 1 } }],
    ['many values where one belongs', { statusCode: 200, multiValueHeaders: { a: 'b' } }],
    ['a header that would begin another', { statusCode: 200, headers: { a: 'b\r\nx-evil: 1' } }],
    ['an invalid header name', { statusCode: 200, headers: { 'a b': 'c' } }],
    ['isBase64Encoded that is not a boolean', { statusCode: 200, isBase64Encoded: 'yes' }],
  ])('is answered 502 when it is %s', async (_, value) => {
    const { answer, gateway } = await answerTo(value);
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.text)).toEqual({ message: 'Internal server error' });
    expect(answer.headers['x-amzn-errortype']).toBe('InternalServerErrorException');
    expect(gateway.rejected).toMatchObject([{ reason: 'A function returned a malformed proxy response.' }]);
  });

  it('keeps the names of multiValueHeaders, and their values before those of headers', async () => {
    const { answer } = await answerTo({
      headers: { 'test-multi': 'solo' },
      multiValueHeaders: { 'Test-Multi': ['multi'] },
    });
    const pairs = answer.rawHeaders.flatMap((text, index) =>
      /^test-multi$/i.test(text) ? [[text, answer.rawHeaders[index + 1]]] : [],
    );
    expect(pairs).toEqual([
      ['Test-Multi', 'multi'],
      ['Test-Multi', 'solo'],
    ]);
  });
});
