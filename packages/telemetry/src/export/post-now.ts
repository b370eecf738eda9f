import { readSync, writeSync } from 'node:fs';
import net from 'node:net';
import { suppressTracing } from '../context/suppress-tracing.ts';

/** Between two looks for the answer: the API is on this machine, and answers within one or two. */
const napMilliseconds = 0.5;
const napping = new Int32Array(new SharedArrayBuffer(4));

/** The head of an HTTP response. */
export interface Head {
  status: number;
  /** By their names in lower case. */
  headers: ReadonlyMap<string, string>;
}

/**
 * Posts to an API of this machine and stops the thread until the head of the answer is there. For a
 * module that is being loaded: a request that it begins in the usual way leaves only when the event
 * loop turns, and by then Lambda's INIT is over. Another thread that makes the request takes 46 to
 * 73 ms of INIT; this takes about one.
 * @param request all of it, as it goes over the wire.
 * @param limitMilliseconds for how long the thread may stand still.
 * @param late is given a head that comes after that.
 * @returns undefined when nothing has come in time, or the connection fails.
 */
export function postNow(
  address: { host: string; port: number },
  request: string,
  limitMilliseconds: number,
  late: (head: Head) => void,
): Head | undefined {
  const socket = suppressTracing(() => connectNow(address));
  socket.on('error', () => {}).unref();
  // The file descriptor has no public name; where there is none (Windows), there is no Lambda.
  const fd = (socket as { _handle?: { fd?: number } })._handle?.fd ?? -1;
  const limit = performance.now() + limitMilliseconds;
  try {
    if (fd < 0) throw new Error('This platform has no file descriptors of sockets.');
    retrying(limit, () => writeSync(fd, request));
    let text = '';
    const buffer = Buffer.alloc(4_096);
    for (let head: Head | undefined; performance.now() < limit; ) {
      const count = retrying(limit, () => readSync(fd, buffer));
      if (!count) break;
      text += buffer.toString('latin1', 0, count);
      head = parseHead(text);
      if (!head) continue;
      socket.destroy();
      return head;
    }
    if (performance.now() < limit) throw new Error('The connection was closed.');
    waitFor(socket, text, late);
  } catch {
    socket.destroy();
  }
  return undefined;
}

/**
 * `connect` begins in the next tick for an address, but at once for a name whose `lookup` calls
 * back at once.
 */
function connectNow({ host, port }: { host: string; port: number }): net.Socket {
  return net.connect({
    host: 'lambda',
    port,
    autoSelectFamily: false,
    lookup: (_name, _options, callback) => callback(null, host, net.isIP(host)),
  });
}

/** @returns what `attempt` returns, or undefined when it would block until the limit. */
function retrying<T>(limit: number, attempt: () => T): T | undefined {
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      if (performance.now() >= limit) return undefined;
      Atomics.wait(napping, 0, 0, napMilliseconds);
    }
  }
}

/** From here on the event loop reads, for as long as it takes. */
function waitFor(socket: net.Socket, received: string, late: (head: Head) => void): void {
  let text = received;
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
    const head = parseHead(text);
    if (!head) return;
    socket.destroy();
    late(head);
  });
}

/** Node's own parser is not to be had without its sockets. @returns undefined for half a head. */
function parseHead(text: string): Head | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return { status: Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? 0), headers: new Map(headers) };
}
