import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import path from 'node:path';

/** A running `sls local` of this repository's service. */
export interface LocalProcess {
  api: string;
  console: string;
  pid: number;
  ended(): boolean;
  stop(): Promise<void>;
}

const root = path.resolve(import.meta.dirname, '..');
const everyPort = ['api', 'console', 'otlp', 'xray', 'dynamodb', 'lambda', 'grpc'];

/**
 * Starts `sls local` on free ports and waits until it is ready.
 * @param options of `sls local`, such as `--xray-port 2100`.
 * @throws with what it printed, when it ends before.
 */
export async function startLocal(options: string[] = []): Promise<LocalProcess> {
  const free = everyPort
    .filter((name) => !options.includes(`--${name}-port`))
    .flatMap((name) => [`--${name}-port`, '0']);
  const program = path.join(root, 'node_modules/serverless/bin/serverless.js');
  const child = spawn(process.execPath, [program, 'local', ...free, ...options], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      hasEnded = true;
      resolve();
    });
  });
  const ready = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-100_000);
      const line = /^ready .*$/m.exec(output)?.[0];
      if (line) resolve(line);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    ended.then(() => reject(new Error(`sls local ended before it was ready:\n${output}`)));
  });
  const [api = '', console = ''] = ready.match(/http:\/\/[\w.:]+/g) ?? [];
  return {
    api,
    console,
    pid: child.pid ?? 0,
    ended: () => hasEnded,
    stop: () => {
      child.kill('SIGINT');
      return ended;
    },
  };
}

/** @returns a port of loopback that is free now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
