import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { LocalFailure } from '../../failure.ts';

/**
 * Runs the service's seed script once, on the same Node, and waits for its end.
 * @param script relative to `directory`; TypeScript runs as it is.
 * @throws {LocalFailure} when it is missing or ends with anything but 0; what it said last is in the message.
 */
export async function runSeed(script: string, directory: string, environment: Record<string, string>): Promise<void> {
  const file = path.resolve(directory, script);
  if (!existsSync(file)) throw new LocalFailure(`custom.local.seed is "${script}", but there is no such file.`);
  const child = spawn(process.execPath, [file], {
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
  const lines = Buffer.concat(said).toString().split('\n').map((line) => line.trim());
  const reason = lines.find((line) => /^(\w+)?(Error|Exception)\b.*:/.test(line)) ?? lines.filter(Boolean).at(-1) ?? '';
  throw new LocalFailure(`The seed script ${script} failed (${signal ?? `exit ${code}`}): ${reason}`);
}
