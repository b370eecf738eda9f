import { once } from 'node:events';
import { createServer } from 'node:net';
import { PortInUse } from './failure.ts';

/**
 * Looks whether the ports are free before anything is built or seeded: who has forgotten a running one is told at once.
 * @throws {PortInUse} for the first that is taken. One that is taken a moment later is found when it is opened.
 */
export async function refuseTakenPorts(ports: Record<string, number>): Promise<void> {
  for (const [name, port] of Object.entries(ports)) {
    const server = createServer();
    try {
      await once(server.listen(port, '127.0.0.1'), 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw new PortInUse(name, port);
      throw error;
    }
    server.close();
    await once(server, 'close');
  }
}
