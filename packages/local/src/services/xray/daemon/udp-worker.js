// The thread that does nothing but empty the UDP socket: the kernel's buffer holds some tens of
// milliseconds of a burst, and the main thread may be busy for longer. It is JavaScript, because a
// worker below node_modules would not have its types stripped.
import { createSocket } from 'node:dgram';
import { parentPort, workerData } from 'node:worker_threads';

/**
 * @type {{ port: number, waiting: Int32Array }}
 * `waiting[0]`: bytes that were handed over and not yet taken; the main thread subtracts.
 */
const { port, waiting } = workerData;

/** The kernel grants less where its own limit is lower. */
const receiveBuffers = [8 << 20, 2 << 20, 512 << 10];
const handOverEveryMilliseconds = 5;
const handOverAtBytes = 256 << 10;
/** Datagrams that may wait for the main thread; beyond that the newest are dropped and counted. */
const mostWaitingBytes = 128 << 20;

const socket = createSocket('udp4');
/** @type {Buffer[]} */
let datagrams = [];
let bytes = 0;
let dropped = 0;
let received = 0;
/** @type {NodeJS.Timeout | undefined} */
let timer;

function handOver() {
  clearTimeout(timer);
  timer = undefined;
  if (datagrams.length === 0 && dropped === 0) return;
  const data = new Uint8Array(bytes);
  const ends = new Uint32Array(datagrams.length);
  let at = 0;
  for (const [index, datagram] of datagrams.entries()) {
    data.set(datagram, at);
    at += datagram.length;
    ends[index] = at;
  }
  Atomics.add(waiting, 0, bytes);
  parentPort?.postMessage({ data, ends, dropped }, [data.buffer, ends.buffer]);
  datagrams = [];
  bytes = 0;
  dropped = 0;
}

socket.on('message', (datagram) => {
  received++;
  if (Atomics.load(waiting, 0) + bytes > mostWaitingBytes) {
    dropped++;
  } else {
    datagrams.push(datagram);
    bytes += datagram.length;
    if (bytes >= handOverAtBytes) return handOver();
  }
  timer ??= setTimeout(handOver, handOverEveryMilliseconds);
});

socket.on('error', ({ message, code }) => {
  parentPort?.postMessage({ failed: { message, code } });
  socket.close();
});

socket.bind(port, '127.0.0.1', () => {
  for (const size of receiveBuffers) {
    try {
      socket.setRecvBufferSize(size);
      break;
    } catch {
      // Some systems refuse what others would cut down.
    }
  }
  parentPort?.postMessage({ listening: socket.address().port });
});

// Take the datagrams that the kernel already holds before the socket closes: until a turn of the
// event loop has brought nothing more.
parentPort?.on('message', () => {
  let seen = -1;
  const look = () => {
    if (received !== seen) {
      seen = received;
      setImmediate(look);
      return;
    }
    handOver();
    socket.close(() => parentPort?.close());
  };
  setImmediate(look);
});
