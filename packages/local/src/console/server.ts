import { createServer, type Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import { boundPort, listen } from '../http/listen.ts';
import { type ConsoleContent, consoleApp } from './app.ts';

export interface ConsoleOptions extends ConsoleContent {
  /** 0 for any free port. */
  port: number;
}

export interface Console {
  port: number;
  /** Ends every open stream; resolves when the port is free. */
  stop(): Promise<void>;
}

/**
 * Starts the console on 127.0.0.1: its page, the JSON that `sls trace` and the page read, and the
 * stream of traces as they end.
 * @throws PortInUse when something else has the port.
 */
export async function startConsole(options: ConsoleOptions): Promise<Console> {
  const stopping = new AbortController();
  const app = consoleApp({ ...options, stopping: stopping.signal, port: () => boundPort(server) });
  const server = createAdaptorServer({ fetch: app.fetch, createServer }) as Server;
  return {
    port: await listen(server, { port: options.port, name: 'console' }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        stopping.abort();
        // An ended stream gets a moment to say so; a connection that a browser keeps alive is not
        // waited for.
        setTimeout(() => server.closeAllConnections(), 50);
        server.closeIdleConnections();
      }),
  };
}
