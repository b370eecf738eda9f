import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { TelemetrySink } from '../../../trace/records.ts';
import { takeDatagram } from './datagram.ts';

type FromThread =
  | { listening: number }
  | { failed: { message: string; code: string } }
  | { data: Uint8Array; ends: Uint32Array; dropped: number };

export interface DatagramReceiver {
  port: number;
  /** Takes what has arrived, then closes the socket. */
  stop(): Promise<void>;
}

/**
 * Receives segments as the X-Ray daemon does, on 127.0.0.1, on a thread of its own.
 * @param port 0 for any.
 * @throws Error with code EADDRINUSE when the port is taken.
 */
export async function receiveDatagrams(port: number, sink: TelemetrySink): Promise<DatagramReceiver> {
  const waiting = new Int32Array(new SharedArrayBuffer(4));
  const thread = new Worker(new URL('./udp-worker.js', import.meta.url), { workerData: { port, waiting } });
  const started = Promise.withResolvers<number>();
  const take = (message: FromThread) => {
    if ('listening' in message) return started.resolve(message.listening);
    if ('failed' in message) {
      const { message: text, code } = message.failed;
      sink.rejected('xray', 'the UDP socket failed', text);
      return started.reject(Object.assign(new Error(text), { code }));
    }
    const { data, ends, dropped } = message;
    if (dropped > 0) sink.rejected('xray', 'dropped, since too many were waiting to be read', `${dropped} datagrams`);
    Atomics.sub(waiting, 0, data.length);
    const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    let begin = 0;
    for (const end of ends) {
      takeDatagram(text.toString('utf8', begin, end), sink);
      begin = end;
    }
  };
  thread.on('message', take);
  thread.on('error', (error) => started.reject(error));
  try {
    const listening = await started.promise;
    return {
      port: listening,
      async stop() {
        const ended = once(thread, 'exit');
        thread.postMessage('stop');
        await ended;
      },
    };
  } catch (error) {
    await thread.terminate();
    throw error;
  }
}
