import { close, listen } from '../../http/listen.ts';
import type { LocalService } from '../../service/model.ts';
import type { Store } from '../../store/index.ts';
import type { TelemetrySink } from '../../trace/records.ts';
import { type DatagramReceiver, receiveDatagrams } from './daemon/udp.ts';
import { createXrayServer } from './server.ts';

export interface XrayOptions {
  /** For UDP and TCP, as the daemon has it; 0 for any that is free for both. */
  port: number;
  /** Where segments go. */
  sink: TelemetrySink;
  /** Where the read API reads. */
  store: Store;
  /** Whose sampling rules are answered; without it X-Ray's default rule alone. */
  service?: LocalService;
}

export interface Xray {
  port: number;
  /** Takes what has arrived, then closes both sockets. */
  stop(): Promise<void>;
}

/** A port that is free for TCP may be taken for UDP: where any will do, so many are tried. */
const mostTries = 20;

/**
 * Starts what stands at 127.0.0.1:2000 in place of the X-Ray daemon and of X-Ray itself: segments
 * by UDP, the X-Ray API by TCP.
 * @throws Error with code EADDRINUSE when the port is taken.
 */
export async function startXray(options: XrayOptions): Promise<Xray> {
  for (let tries = 1; ; tries++) {
    try {
      return await startBoth(options);
    } catch (error) {
      const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
      if (!taken || options.port !== 0 || tries === mostTries) throw error;
    }
  }
}

async function startBoth({ port, sink, store, service }: XrayOptions): Promise<Xray> {
  const server = createXrayServer({ sink, store, ...(service && { service }) });
  const bound = await listen(server, { port });
  let receiver: DatagramReceiver;
  try {
    receiver = await receiveDatagrams(bound, sink);
  } catch (error) {
    await close(server);
    throw error;
  }
  return {
    port: bound,
    async stop() {
      await Promise.all([receiver.stop(), close(server)]);
    },
  };
}
