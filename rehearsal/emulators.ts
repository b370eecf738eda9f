import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

/** Versions that the rehearsal was tried with. */
const packages = ['ministack==1.5.33', 'moto[server]==5.2.5', 'parliament==1.6.4'];

export interface Emulator {
  url: string;
  stop(): Promise<void>;
}

/**
 * Installs the emulators into a folder of their own.
 * @returns the folder of their programs, or undefined where Python is missing or cannot install
 *   them.
 */
export async function installEmulators(folder: string): Promise<string | undefined> {
  const programs = path.join(folder, 'bin');
  if (existsSync(path.join(programs, 'ministack'))) return programs;
  await mkdir(folder, { recursive: true });
  try {
    await promisify(execFile)('python3', ['-m', 'venv', folder]);
    await promisify(execFile)(path.join(programs, 'pip'), ['install', '--quiet', ...packages]);
    return programs;
  } catch (error) {
    console.log(`rehearsal: skipped, since Python could not install ${packages.join(', ')}: ${error}`);
    return undefined;
  }
}

/** Starts ministack: AWS's API, with functions that run on this Node. */
export async function startMinistack(programs: string, folder: string): Promise<Emulator> {
  const port = await freePort();
  const variables = { BIND_HOST: '127.0.0.1', GATEWAY_PORT: String(port), IOT_MTLS_ENABLED: '0' };
  return start(path.join(programs, 'ministack'), [], port, folder, variables);
}

/** Starts moto, which knows more of CloudFormation and runs no functions. */
export async function startMoto(programs: string, folder: string): Promise<Emulator> {
  const port = await freePort();
  const server = path.join(import.meta.dirname, 'moto_server.py');
  return start(path.join(programs, 'python'), [server, String(port)], port, folder, {});
}

async function start(program: string, args: string[], port: number, cwd: string, variables: Record<string, string>) {
  const log = openSync(path.join(cwd, `${path.basename(args[0] ?? program)}.log`), 'w');
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, PATH: `${path.dirname(process.execPath)}:${process.env.PATH}`, ...variables },
    stdio: ['ignore', log, log],
  });
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 300; attempt++) {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}: see the log in ${cwd}`);
    if (await answers(url)) return { url, stop: () => stop(child) };
    await wait(200);
  }
  await stop(child);
  throw new Error(`${program} did not answer within a minute: see the log in ${cwd}`);
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  );
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await Promise.race([once(child, 'exit'), wait(5_000).then(() => child.kill('SIGKILL'))]);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}
