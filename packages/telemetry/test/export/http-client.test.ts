import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setDefaultCACertificates } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openPost, type PostResult, retryAfter } from '../../src/export/http-client.ts';
import { type BackEnd, startBackEnd } from '../harness/back-end.ts';
import { selfSignedCertificate } from '../harness/certificate.ts';

const post = (body = '["record"]') => ({ headers: { 'x-honeycomb-team': 'a-key' }, body });
/** After which a POST is given up that would never be answered. */
const limit = 200;
const patient = 30_000;

describe('a back end that speaks no HTTP as we know it', () => {
  let server: Server | undefined;
  const sockets: Socket[] = [];
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
  });

  async function answerOf(serve: (socket: Socket) => void, body?: string): Promise<PostResult> {
    server = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => {});
      serve(socket);
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return openPost(`http://127.0.0.1:${port}/`).send(post(body), limit);
  }
  const onceRead = (answer: (socket: Socket) => void) => (socket: Socket) => {
    socket.once('data', () => answer(socket));
  };
  const large = 'x'.repeat(8_000_000);

  it('and says nothing, has not answered', async () => {
    expect(await answerOf((socket) => socket.resume())).toEqual({
      kind: 'unanswered',
      reason: 'it did not answer in time',
    });
  });

  it('and closes without a word, has not answered', async () => {
    expect(await answerOf(onceRead((socket) => socket.end()))).toEqual({ kind: 'unanswered', reason: 'ECONNRESET' });
  });

  it.each([
    ['switches to another protocol', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'],
    ['hints at an answer for ever', 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'.repeat(500)],
    ['ends amid the head', 'HTTP/1.1 20'],
    ['states two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nabc'],
    ['answers without a head', 'hello\r\n\r\n'],
    ['has more in its head than is read', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}\r\n`],
  ])('and %s, has not answered', async (_title, bytes) => {
    expect(await answerOf(onceRead((socket) => socket.write(bytes)))).toMatchObject({ kind: 'unanswered' });
  });

  it('and reads nothing, cannot have had it: it may be sent again', async () => {
    expect(await answerOf((socket) => socket.pause(), large)).toMatchObject({ kind: 'unsent' });
  });

  it.each([
    ['and leaves the rest unread', (_socket: Socket) => {}],
    ['and resets the connection', (socket: Socket) => socket.resetAndDestroy()],
  ])('that answers before it has read all, %s, has answered', async (_title, then) => {
    const answer = await answerOf((socket) => {
      socket.once('data', () => {
        socket.pause();
        socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n', () => then(socket));
      });
    }, large);

    expect(answer).toMatchObject({ kind: 'answered', status: 413 });
  });

  it.each([
    ['comes too slowly', (_socket: Socket) => {}],
    ['is cut off', (socket: Socket) => socket.resetAndDestroy()],
  ])('whose answer has a status, and the rest of it %s, has answered with that status', async (_title, then) => {
    const head = 'HTTP/1.1 503 Unavailable\r\nContent-Length: 100\r\nRetry-After: 7\r\n\r\nabc';

    expect(await answerOf(onceRead((socket) => socket.write(head, () => then(socket))))).toEqual({
      kind: 'answered',
      status: 503,
      body: Buffer.from('abc'),
      retryAfterMilliseconds: 7_000,
    });
  });
});

describe('an address', () => {
  it.each([
    ['whose name is not found', 'http://collector.invalid/', /^(ENOTFOUND|EAI_AGAIN)$/],
    ['where nobody listens', 'http://127.0.0.1:1/', /^ECONNREFUSED$/],
    ['that is invalid', 'nonsense', /^Invalid URL$/],
    ['of another protocol', 'ftp://127.0.0.1/', /./],
  ])('%s has not been sent to', async (_title, url, reason) => {
    expect(await openPost(url).send(post(), patient)).toEqual({
      kind: 'unsent',
      reason: expect.stringMatching(reason),
    });
  });
});

describe('over TLS', () => {
  const answer = async (name: string, trusted: boolean): Promise<{ result: PostResult; deliveries: number }> => {
    const identity = selfSignedCertificate(name);
    setDefaultCACertificates(trusted ? [identity.cert] : []);
    const backEnd = await startBackEnd(identity);
    const outcome = {
      result: await openPost(backEnd.url).send(post(), patient),
      deliveries: backEnd.deliveries.length,
    };
    await backEnd.stop();
    return outcome;
  };

  it('a back end with a certificate for its name gets what is sent', async () => {
    expect(await answer('127.0.0.1', true)).toMatchObject({ result: { status: 200 }, deliveries: 1 });
  });

  it.each([
    ['for another name', 'elsewhere.test', true, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['that nobody vouches for', '127.0.0.1', false, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ])('one with a certificate %s gets nothing, and no key', async (_title, name, trusted, reason) => {
    expect(await answer(name, trusted)).toEqual({ result: { kind: 'unsent', reason }, deliveries: 0 });
  });
});

describe('over a pooled connection', () => {
  let backEnd: BackEnd;

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    backEnd = await startBackEnd();
    await openPost(backEnd.url).send(post('first'), patient);
  });
  afterEach(() => {
    vi.useRealTimers();
    return backEnd.stop();
  });

  const bodies = (): string[] => backEnd.deliveries.map(({ body }) => String(body));

  it.each(['reset', 'close'] as const)(
    'that the back end has dropped (%s), a POST goes out over a new one',
    async (how) => {
      backEnd.dropConnections(how);

      expect(await openPost(backEnd.url).send(post('second'), patient)).toMatchObject({ status: 200 });
      expect(bodies()).toEqual(['first', 'second']);
    },
  );

  it.each(['reset', 'close'] as const)(
    'that is taken ahead of time and then dropped by the back end (%s), a POST goes out over a new one',
    async (how) => {
      const opened = openPost(backEnd.url);
      backEnd.dropConnections(how);

      expect(await opened.send(post('second'), patient)).toMatchObject({ status: 200 });
      expect(bodies()).toEqual(['first', 'second']);
    },
  );

  it('a POST that the back end has read before it closed has not been answered, and is not sent again', async () => {
    await backEnd.behave('reset when read');

    expect(await openPost(backEnd.url).send(post('second'), patient)).toMatchObject({ kind: 'unanswered' });
    expect(bodies()).toEqual(['first', 'second']);
  });

  it.each([
    ['idle for half a minute, which a gateway may have forgotten,', 30_001],
    ['idle for a time that nobody knows, because the clock was set back,', -3_600_000],
  ])('%s no POST goes out: a new one is opened', async (_title, milliseconds) => {
    vi.setSystemTime(Date.now() + milliseconds);
    await openPost(backEnd.url).send(post('second'), patient);

    expect(backEnd.connections.ever).toBe(2);
  });

  it('idle for less than that a POST goes out', async () => {
    vi.setSystemTime(Date.now() + 29_000);
    await openPost(backEnd.url).send(post('second'), patient);

    expect(backEnd.connections.ever).toBe(1);
  });

  it('a POST that is given up, unanswered, is not sent again', async () => {
    await backEnd.behave('never answers');

    expect(await openPost(backEnd.url).send(post('second'), limit)).toMatchObject({ kind: 'unanswered' });
    await backEnd.behave('works');
    await openPost(backEnd.url).send(post('third'), patient);
    expect(bodies()).toEqual(['first', 'second', 'third']);
  });

  it('a POST that is closed before it is answered is not sent again', async () => {
    await backEnd.behave('never answers');
    const opened = openPost(backEnd.url);
    const result = opened.send(post('second'), patient);
    await backEnd.received(2);
    opened.close();

    expect(await result).toMatchObject({ kind: 'unanswered' });
    await backEnd.behave('works');
    await openPost(backEnd.url).send(post('third'), patient);
    expect(bodies()).toEqual(['first', 'second', 'third']);
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-11-22T12:00:00Z');

  it.each([
    ['3', 3_000],
    ['-7', 0],
    ['999999999', 300_000],
    ['Sun, 22 Nov 2026 12:00:10 GMT', 10_000],
    ['Sun, 22 Nov 2020 12:00:10 GMT', 0],
    ['soon', undefined],
    ['', undefined],
  ])('of "%s" is %s ms', (value, milliseconds) => {
    expect(retryAfter(value, now)).toBe(milliseconds);
  });
});
