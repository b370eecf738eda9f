import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { type Head, postNow } from '../../src/export/post-now.ts';

/** A server on another thread: this one stands still while it waits. */
const server = `
const { parentPort, workerData: pieces } = require('node:worker_threads');
require('node:net').createServer((socket) => {
  socket.once('data', async (data) => {
    parentPort.postMessage(data.toString());
    for (const piece of pieces) {
      if (piece === 'close') return socket.destroy();
      await new Promise((resolve) => setTimeout(resolve, typeof piece === 'number' ? piece : 5));
      if (typeof piece === 'string') socket.write(piece);
    }
  });
}).listen(0, '127.0.0.1', function () { parentPort.postMessage(this.address().port); });
`;

const request = 'POST /path HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}';
const never = (): void => {
  throw new Error('Nothing comes late.');
};

describe('a post that stops the thread', () => {
  let worker: Worker | undefined;
  afterEach(() => worker?.terminate());

  async function serve(...pieces: (string | number)[]): Promise<{ host: string; port: number }> {
    worker = new Worker(server, { eval: true, workerData: pieces });
    const [port] = await once(worker, 'message');
    return { host: '127.0.0.1', port };
  }

  it('returns the status and the headers, also of a head that comes in pieces', async () => {
    const address = await serve('HTTP/1.1 2', '00 OK\r\nLambda-Extension-Identifier: an', '-id\r\nX: y\r\n', '\r\n{}');
    const head = postNow(address, request, 10_000, never);

    expect(head?.status).toBe(200);
    expect([...(head?.headers ?? [])]).toEqual([
      ['lambda-extension-identifier', 'an-id'],
      ['x', 'y'],
    ]);
    expect(await once(worker as Worker, 'message')).toEqual([request]);
  });

  it('returns nothing when the connection is refused', async () => {
    const closed = net.createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');

    expect(postNow({ host: '127.0.0.1', port }, request, 10_000, never)).toBe(undefined);
  });

  it('returns nothing when the connection is closed without an answer', async () => {
    expect(postNow(await serve('HTTP/1.1 200', 'close'), request, 10_000, never)).toBe(undefined);
  });

  it('hands over a head that comes after the limit, in pieces too', async () => {
    const address = await serve('HTTP/1.1 2', 300, '02 Accepted\r\n', '\r\n');
    const late = Promise.withResolvers<Head>();

    expect(postNow(address, request, 100, late.resolve)).toBe(undefined);
    expect((await late.promise).status).toBe(202);
  });
});
