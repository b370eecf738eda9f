import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { LocalFailure } from './failure.ts';

export interface Script {
  /** Where serverless.yml names it, for the words of a failure: `custom.local.seed`. */
  setting: string;
  /** Relative to `directory`; TypeScript runs as it is. */
  file: string;
  /** The service's folder. */
  directory: string;
  args?: string[];
  /** All the variables that it gets, beside PATH. */
  environment?: Record<string, string>;
}

/**
 * Runs a script of the service once, on the same Node, and waits for its end.
 * @throws {LocalFailure} when it is missing or ends with anything but 0; the error that it printed is in the message.
 */
export async function runScript({ setting, file, directory, args = [], environment = {} }: Script): Promise<void> {
  const script = path.resolve(directory, file);
  if (!existsSync(script)) throw new LocalFailure(`${setting} is "${file}", but there is no such file.`);
  const child = spawn(process.execPath, [script, ...args], {
    cwd: directory,
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...ending) => resolve(ending));
  });
  if (code === 0) return;
  // A stack begins with the place and ends with Node's version: the error itself is the line that names one.
  const lines = Buffer.concat(said)
    .toString()
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  const at = lines.findIndex((line) => /^(\w+)?(Error|Exception)\b.*:/.test(line));
  const named = lines[at] ?? lines.at(-1) ?? '';
  // esbuild says that it failed, and the place on the next line.
  const reason = named.endsWith(':') ? `${named} ${lines[at + 1] ?? ''}` : named;
  throw new LocalFailure(`${setting}: ${file} failed (${signal ?? `exit ${code}`}): ${reason}`);
}
