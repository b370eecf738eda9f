import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer, type Server as NetServer } from 'node:net';
import { PortInUse } from '../local-failure.ts';

/**
 * How long an idle connection stays open. Senders keep theirs for 30 s (OpenTelemetry, Rollbar) to
 * 300 s (OkHttp): a server that closes first resets a request that is on its way.
 */
export const idleLimitMilliseconds = 600_000;

export interface ListenOptions {
  /** 0 for any free port. */
  port: number;
  /** The key in `custom.local.ports`: with it a busy port becomes `PortInUse`. */
  name?: string;
  /** How long an idle connection stays open; 0 for ever. */
  keepAliveMilliseconds?: number;
}

/**
 * Opens a server on 127.0.0.1.
 * @returns the port.
 * @throws {PortInUse} when the port is busy and has a `name`; else the error with code EADDRINUSE.
 */
export async function listen(server: Server, options: ListenOptions): Promise<number> {
  server.keepAliveTimeout = options.keepAliveMilliseconds ?? idleLimitMilliseconds;
  return bind(server, options);
}

async function bind(server: NetServer, { port, name }: ListenOptions): Promise<number> {
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
  } catch (error) {
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    throw isTaken && name !== undefined ? new PortInUse(name, port) : error;
  }
  return boundPort(server);
}

/** @returns the port that a server listens on; 0 while it does not. */
export function boundPort(server: NetServer): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Closes a server and cuts its connections. Resolves when the port is free. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/**
 * Checks that all ports are free before anything is built or seeded, so that a forgotten run is
 * reported at once. A port that is taken a moment later is reported when it is opened.
 * @throws {PortInUse} for the first busy port.
 */
export async function refuseTakenPorts(ports: Record<string, number>): Promise<void> {
  for (const [name, port] of Object.entries(ports)) {
    const server = createServer();
    await bind(server, { port, name });
    server.close();
    await once(server, 'close');
  }
}
