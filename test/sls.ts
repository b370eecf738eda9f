import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** The folder of this project. */
export const projectDirectory = path.resolve(import.meta.dirname, '..');

const serverless = path.join(projectDirectory, 'node_modules', 'serverless', 'bin', 'serverless.js');

/** Nobody's ports: every test gets free ones. */
export const freePorts = ['api', 'console', 'otlp', 'grpc', 'xray', 'dynamodb', 'lambda'].flatMap((name) => [
  `--${name}-port`,
  '0',
]);

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunningLocal {
  api: string;
  console: string;
  /** The line that begins with `ready`. */
  ready: string;
  process: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Sends SIGINT, as Ctrl-C does, and waits for the end. */
  stop(): Promise<Ended>;
}

/** No credentials and no configuration of the machine: what a new user has. */
function environment(extra: Record<string, string>): NodeJS.ProcessEnv {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'NODE_OPTIONS'].flatMap((name) =>
    process.env[name] ? [[name, process.env[name]]] : [],
  );
  return { ...Object.fromEntries(kept), AWS_EC2_METADATA_DISABLED: 'true', SLS_TELEMETRY_DISABLED: '1', ...extra };
}

function spawnSls(directory: string, args: string[], extra: Record<string, string>) {
  const child = spawn(process.execPath, [serverless, ...args], {
    cwd: directory,
    env: environment(extra),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, ...output }));
  });
  return { child, output, ended };
}

/** Runs one `sls` command to its end. */
export function sls(directory: string, args: string[], extra: Record<string, string> = {}): Promise<Ended> {
  return spawnSls(directory, args, extra).ended;
}

/**
 * Starts `sls local` and waits for its `ready`; throws with all that it printed when it ends
 * before.
 */
export async function startSlsLocal(
  directory: string,
  args: string[] = freePorts,
  extra: Record<string, string> = {},
): Promise<RunningLocal> {
  const { child, output, ended } = spawnSls(directory, ['local', ...args], extra);
  const ready = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', () => {
      const line = /^ready .*$/m.exec(output.stdout)?.[0];
      if (line) resolve(line);
    });
    ended.then((end) => reject(new Error(`sls local ended before it was ready: ${JSON.stringify(end)}`)), reject);
  });
  const [api = '', console = ''] = ready.match(/http:\/\/[\w.:]+/g) ?? [];
  return {
    api,
    console,
    ready,
    process: child,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    stop() {
      child.kill('SIGINT');
      return ended;
    },
  };
}

/**
 * A copy of a service in a folder of its own, in which the plugin is installed as in somebody
 * else's project.
 */
export function copyService(from: string): { directory: string; remove(): void } {
  const directory = mkdtempSync(path.join(tmpdir(), 'throughline-service-'));
  cpSync(from, directory, { recursive: true });
  const modules = path.join(directory, 'node_modules');
  mkdirSync(modules);
  symlinkSync(path.join(projectDirectory, 'packages', 'local'), path.join(modules, 'serverless-throughline'));
  symlinkSync(path.join(projectDirectory, 'node_modules', '@aws-sdk'), path.join(modules, '@aws-sdk'));
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
