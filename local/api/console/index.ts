import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { PortInUse } from '../../failure.ts';
import type { LocalService } from '../../service/model.ts';
import type { Store } from '../../store/index.ts';
import { consoleApp } from './app.ts';

export interface ConsoleOptions {
  /** 0 for any free one. */
  port: number;
  store: Pick<Store, 'trace' | 'traces' | 'orphans' | 'onTrace' | 'rejections'>;
  service: LocalService;
  /** What runs where, by name: `api`, `otlp`, …; shown as it is. */
  addresses: Record<string, string>;
}

export interface Console {
  port: number;
  /** Ends every open stream; resolves when the port is free. */
  stop(): Promise<void>;
}

/**
 * Starts the console on 127.0.0.1: its page, the JSON that `sls trace` and the page read, and the stream of traces as they end.
 * @throws PortInUse when something else has the port.
 */
export async function startConsole(options: ConsoleOptions): Promise<Console> {
  const stopping = new AbortController();
  const app = consoleApp({ ...options, stopping: stopping.signal, port: () => portOf(server) });
  const server = createAdaptorServer({ fetch: app.fetch, createServer }) as Server;
  await listen(server, options.port);
  return {
    port: portOf(server),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        stopping.abort();
        // A stream that has been ended is given a moment to say so; what is kept alive by a browser is not waited for.
        setTimeout(() => server.closeAllConnections(), 50);
        server.closeIdleConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new PortInUse('console', port) : error);
    });
    server.listen(port, '127.0.0.1', () => resolve());
  });
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo | null)?.port ?? 0;
}
