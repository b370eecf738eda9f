import { connect } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PortInUse } from '../../src/local-failure.ts';
import { gatewayUnderTest, lambdaFunction, localService, returns, send, sendRaw } from './gateway-under-test.ts';

const service = localService([lambdaFunction('home', ['GET /home', 'POST /home'])]);
const megabyte = 1_000_000;

describe('the gateway', () => {
  it('answers a request by the function of its route', async () => {
    const gateway = await gatewayUnderTest(service, () => returns({ statusCode: 201, body: 'made' }));
    const answer = await fetch(`${gateway.url}/home`);
    expect([answer.status, await answer.text()]).toEqual([201, 'made']);
    expect(gateway.invocations.map(({ functionKey }) => functionKey)).toEqual(['home']);
  });

  it('tells of each request when it is answered', async () => {
    const gateway = await gatewayUnderTest(service, () => ({ coldStart: true, ...returns({ statusCode: 200 }) }));
    await send(gateway, 'GET', '/home?secret=1');
    await send(gateway, 'GET', '/nowhere');
    expect(gateway.lines).toEqual([
      {
        time: expect.any(Number),
        method: 'GET',
        path: '/home',
        query: 'secret=1',
        status: 200,
        durationMilliseconds: expect.any(Number),
        coldStart: true,
        traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
        functionKey: 'home',
      },
      expect.objectContaining({ path: '/nowhere', status: 403, coldStart: false }),
    ]);
    expect(gateway.lines[1]).not.toHaveProperty('functionKey');
  });

  it('names the port that something else has', async () => {
    const gateway = await gatewayUnderTest(service);
    await expect(gatewayUnderTest(service, undefined, { port: gateway.port })).rejects.toThrow(PortInUse);
  });

  it('has the same API id at every start', async () => {
    const first = await gatewayUnderTest(service);
    const second = await gatewayUnderTest(service);
    await send(first, 'GET', '/home');
    await send(second, 'GET', '/home');
    expect(first.invocations[0]?.event.requestContext.apiId).toBe(second.invocations[0]?.event.requestContext.apiId);
  });

  it('serves requests at the same time, each with its own trace', async () => {
    const gateway = await gatewayUnderTest(service, async () => returns({ statusCode: 200 }));
    await Promise.all(Array.from({ length: 50 }, () => send(gateway, 'GET', '/home')));
    expect(new Set(gateway.segments.map(({ trace_id }) => trace_id)).size).toBe(50);
    expect(gateway.segments).toHaveLength(100);
  });
});

describe('the Host header', () => {
  it.each(['127.0.0.1:3000', 'localhost', 'LOCALHOST:80', '[::1]:3000'])('may be %s', async (host) => {
    const gateway = await gatewayUnderTest(service);
    expect((await send(gateway, 'GET', '/home', ['Host', host])).status).toBe(200);
  });

  it.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:3000', '10.0.0.1', 'localhost@evil'])(
    'is refused when it is %s, without a trace or an invocation',
    async (host) => {
      const gateway = await gatewayUnderTest(service);
      const answer = await send(gateway, 'GET', '/home', ['Host', host]);
      expect([answer.status, answer.text]).toEqual([403, '{"message":"Forbidden"}']);
      expect([gateway.invocations, gateway.segments]).toEqual([[], []]);
      expect(gateway.rejected).toEqual([{ reason: 'The Host header is not of this machine.', detail: host }]);
    },
  );
});

describe('a body', () => {
  const post = (gateway: { port: number }, length: number, headers: Record<string, string> = {}) =>
    send(gateway, 'POST', '/home', { 'Content-Type': 'text/plain', ...headers }, Buffer.alloc(length, 'a'));

  it('of 5.9 MB reaches the function whole', async () => {
    const gateway = await gatewayUnderTest(service);
    expect((await post(gateway, 5.9 * megabyte)).status).toBe(200);
    expect(gateway.invocations[0]?.event.body).toHaveLength(5.9 * megabyte);
  });

  it.each([
    ['6.3 MB', 6.3 * megabyte, 'Request Too Long'],
    ['10.6 MB', 10.6 * megabyte, 'HTTP content length exceeded 10485760 bytes.'],
  ])('of %s is answered 413, without invoking anything', async (_, length, message) => {
    const gateway = await gatewayUnderTest(service);
    const answer = await post(gateway, length);
    expect([answer.status, JSON.parse(answer.text)]).toEqual([413, { message }]);
    expect(gateway.invocations).toEqual([]);
    expect(gateway.segments.at(-1)).toMatchObject({ error: true, http: { response: { status: 413 } } });
  });

  it('that is within the limit is answered 413 when its event is not', async () => {
    const gateway = await gatewayUnderTest(service);
    const answer = await send(gateway, 'POST', '/home', {}, Buffer.alloc(3.2 * megabyte, '"'));
    expect([answer.status, gateway.invocations]).toEqual([413, []]);
  });

  it('is answered 413 from its announced length, before any of it is sent', async () => {
    const gateway = await gatewayUnderTest(service);
    const head = 'POST /home HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 7000000\r\n\r\n';
    const received = await sendRaw(gateway, head, /Request Too Long/);
    expect(received).toMatch(/^HTTP\/1\.1 413 /);
    expect(received).not.toContain('100 Continue');
  });

  it('is asked for when the client waits to be asked', async () => {
    const gateway = await gatewayUnderTest(service);
    const socket = connect(gateway.port, '127.0.0.1').setEncoding('latin1');
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.write('POST /home HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
    await expect.poll(() => received).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write('{}');
    await expect.poll(() => received).toContain('HTTP/1.1 200 OK');
    expect(gateway.invocations[0]?.event.body).toBe('{}');
    socket.destroy();
  });

  it('is not asked for where no route wants it', async () => {
    const gateway = await gatewayUnderTest(service);
    const head = 'POST /nowhere HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n';
    expect(await sendRaw(gateway, head, /Token/)).toMatch(/^HTTP\/1\.1 403 /);
  });

  it('in chunks is put together', async () => {
    const gateway = await gatewayUnderTest(service);
    const chunks = '3\r\nabc\r\n4;extension=1\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n';
    await sendRaw(
      gateway,
      `POST /home HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`,
    );
    expect(gateway.invocations[0]?.event.body).toBe('abcdefg');
  });

  it('in chunks is answered 413 as soon as it is too long, not when it ends', async () => {
    const gateway = await gatewayUnderTest(service);
    const head = 'POST /home HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n';
    const chunk = `100000\r\n${'a'.repeat(0x100000)}\r\n`;
    expect(await sendRaw(gateway, head + chunk.repeat(7), /Request Too Long/)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('that nobody read closes the connection, after a client that sends it whole has its answer', async () => {
    const gateway = await gatewayUnderTest(service);
    const socket = connect(gateway.port, '127.0.0.1').setEncoding('latin1').pause();
    const failed = new Promise((_, reject) => socket.once('error', reject));
    const length = 12 * megabyte;
    const head = `POST /home HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${length}\r\n\r\n`;
    const written = new Promise((resolve) => socket.write(head + 'a'.repeat(length), resolve));
    await Promise.race([written, failed]);
    let received = '';
    socket.on('data', (data) => {
      received += data;
    });
    socket.resume();
    await Promise.race([new Promise((resolve) => socket.once('close', resolve)), failed]);
    expect(received).toMatch(/^HTTP\/1\.1 413 .*\r\nConnection: close\r\n.*10485760 bytes\."}$/s);
  });

  it('in chunks is answered 413, and a client that sends on can read that', async () => {
    const gateway = await gatewayUnderTest(service);
    const answer = await send(
      gateway,
      'POST',
      '/home',
      { 'Transfer-Encoding': 'chunked' },
      Buffer.alloc(8 * megabyte, 'a'),
    );
    expect([answer.status, gateway.invocations]).toEqual([413, []]);
  });
});

describe('a request', () => {
  it('with more than 10,240 bytes of request line and header values is answered 431', async () => {
    const gateway = await gatewayUnderTest(service);
    const fits = await send(gateway, 'GET', '/home', { 'X-Long': 'a'.repeat(10_000) });
    const over = await send(gateway, 'GET', '/home', { 'X-Long': 'a'.repeat(10_240) });
    const path = await send(gateway, 'GET', `/home?${'a'.repeat(10_240)}`);
    const wayOver = await send(gateway, 'GET', '/home', { 'X-Long': 'a'.repeat(100_000) });
    expect([fits, over, path, wayOver].map(({ status }) => status)).toEqual([200, 431, 431, 431]);
    expect(gateway.invocations).toHaveLength(1);
  });

  it.each([
    ['no HTTP', 'hello\r\n\r\n'],
    ['two lengths', 'POST /home HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'a length and chunks',
      'POST /home HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a header without a name', 'GET /home HTTP/1.1\r\nHost: localhost\r\n: x\r\n\r\n'],
    ['no Host', 'GET /home HTTP/1.1\r\n\r\n'],
  ])('that has %s is answered 400 and reaches no function', async (_, text) => {
    const gateway = await gatewayUnderTest(service);
    expect(await sendRaw(gateway, text)).toMatch(/^HTTP\/1\.1 400 Bad Request/);
    expect(gateway.invocations).toEqual([]);
  });

  it.each([
    ['is cut off by the end of what the client sends', 'Content-Length: 10\r\n\r\n123', 0],
    ['has an invalid chunk', 'Transfer-Encoding: chunked\r\n\r\nzz\r\n', 1],
  ])('whose body %s is answered 400, and its segment ends', async (_, rest, mistakes) => {
    const gateway = await gatewayUnderTest(service);
    const socket = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true }).setEncoding('latin1');
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.end(`POST /home HTTP/1.1\r\nHost: localhost\r\n${rest}`);
    await new Promise((resolve) => socket.once('close', resolve));
    expect(received).toMatch(/^HTTP\/1\.1 400 Bad Request.*{"message":"Bad Request"}$/s);
    expect(received.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(gateway.segments).toMatchObject([
      { in_progress: true },
      { error: true, http: { response: { status: 400 } } },
    ]);
    expect([gateway.invocations.length, gateway.rejected.length]).toEqual([0, mistakes]);
  });

  it('that came before a malformed one on the same connection is answered first', async () => {
    const gateway = await gatewayUnderTest(service, async () => returns({ statusCode: 200, body: 'first' }));
    const received = await sendRaw(gateway, 'GET /home HTTP/1.1\r\nHost: localhost\r\n\r\nnonsense\r\n\r\n');
    expect(received).toMatch(/^HTTP\/1\.1 200 OK.*firstHTTP\/1\.1 400 Bad Request/s);
    expect(gateway.rejected).toMatchObject([{ reason: 'A request was not valid HTTP.' }]);
  });

  it('is answered in its turn when several are sent at once', async () => {
    const release = Promise.withResolvers<void>();
    const gateway = await gatewayUnderTest(service, async ({ event }) => {
      const n = event.queryStringParameters?.n;
      if (n === '1') await release.promise;
      else release.resolve();
      return returns({ statusCode: 200, body: `<${n}>` });
    });
    const one = (n: number, more = ''): string => `GET /home?n=${n} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
    const received = await sendRaw(gateway, one(1) + one(2) + one(3, 'Connection: close\r\n'));
    expect(received.match(/<\d>/g)).toEqual(['<1>', '<2>', '<3>']);
  });

  it('may be any bytes: the next one is served all the same', async () => {
    const gateway = await gatewayUnderTest(service);
    const line = fc.constantFrom(
      'GET ',
      '/home',
      '?a=%',
      ' HTTP/1.1',
      '\r\n',
      'Host: localhost',
      ': ',
      '\0',
      '\xff',
      ' ',
    );
    const bytes = fc.array(fc.oneof(line, fc.string({ unit: 'binary-ascii', maxLength: 8 })), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(bytes, async (pieces) => {
        const socket = connect(gateway.port, '127.0.0.1').on('error', () => {});
        socket.resume().end(pieces.join(''), 'latin1');
        await new Promise((resolve) => socket.once('close', resolve));
      }),
      { numRuns: 200 },
    );
    expect((await send(gateway, 'GET', '/home')).status).toBe(200);
  });

  it('may name the whole URL, as to a proxy', async () => {
    const gateway = await gatewayUnderTest(service);
    expect((await send(gateway, 'GET', 'http://127.0.0.1/home?a=1')).status).toBe(200);
    expect(gateway.invocations[0]?.event).toMatchObject({ path: '/home', queryStringParameters: { a: '1' } });
  });

  it('after another on a kept connection is served too', async () => {
    const gateway = await gatewayUnderTest(service);
    const one = 'POST /home HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\na';
    const last = 'GET /home HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
    expect((await sendRaw(gateway, one + one + last)).match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3);
  });
});

describe('stopping', () => {
  it('ends kept connections and refuses new ones', async () => {
    const gateway = await gatewayUnderTest(service);
    const socket = connect(gateway.port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write('GET /home HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    await gateway.stop();
    await closed;
    await expect(send(gateway, 'GET', '/home')).rejects.toThrow('ECONNREFUSED');
  });

  it('answers 503 to what still waits for a function, and ends its segment', async () => {
    const invoked = Promise.withResolvers<void>();
    const gateway = await gatewayUnderTest(service, () => {
      invoked.resolve();
      return new Promise(() => {});
    });
    const answer = send(gateway, 'GET', '/home');
    await invoked.promise;
    await gateway.stop();
    expect((await answer).status).toBe(503);
    expect(gateway.segments.at(-1)).toMatchObject({ fault: true, http: { response: { status: 503 } } });
  });

  it('does not wait for a client that never ends its body', async () => {
    const gateway = await gatewayUnderTest(service);
    const socket = connect(gateway.port, '127.0.0.1').on('error', () => {});
    socket.write('POST /home HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n1');
    await expect.poll(() => gateway.segments.length).toBe(1);
    await gateway.stop();
    expect(gateway.segments).toHaveLength(2);
    socket.destroy();
  });
});
