import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { config } from '../config.ts';
import { LocalFailure } from '../local-failure.ts';
import type { LocalService } from './model.ts';

/**
 * Runs the script of `custom.local.seed` once.
 * @param file relative to `directory`, the service's folder.
 * @throws {LocalFailure} when the file is missing or the script fails.
 */
export function runSeed(file: string, directory: string, environment: Record<string, string>): Promise<void> {
  return runScript({ setting: 'custom.local.seed', file, directory, environment });
}

/**
 * Runs the scripts of `custom.build.layers`, each with its layer's folder as the argument.
 * @throws {LocalFailure} when a file is missing or a script fails.
 */
export async function buildLayers({ layerBuilds = [], directory }: LocalService): Promise<void> {
  for (const { key, script, path: folder } of layerBuilds) {
    await runScript({ setting: `custom.build.layers.${key}`, file: script, directory, args: [folder] });
  }
}

interface Script {
  /** The setting in serverless.yml that names the script; error messages begin with it. */
  setting: string;
  /** Relative to `directory`. Node runs TypeScript without a build. */
  file: string;
  /** The service's folder. */
  directory: string;
  args?: string[];
  /** Passed to the script, with PATH. Nothing else of this process's environment is. */
  environment?: Record<string, string>;
}

/**
 * Runs a script with this Node and its export conditions, and waits until it exits.
 * @throws {LocalFailure} when the file is missing or the exit code is not 0; the message holds
 *   the error that the script printed.
 */
async function runScript({ setting, file, directory, args = [], environment = {} }: Script): Promise<void> {
  const script = path.resolve(directory, file);
  if (!existsSync(script)) throw new LocalFailure(`${setting} is "${file}", but that file does not exist.`);
  const child = spawn(
    process.execPath,
    [...config.conditions().map((name) => `--conditions=${name}`), script, ...args],
    {
      cwd: directory,
      env: { PATH: config.path(), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const output: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...ending) => resolve(ending));
  });
  if (code === 0) return;
  // An uncaught error prints the place first and Node's version last; the error's own line is
  // between them.
  const lines = Buffer.concat(output)
    .toString()
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  const at = lines.findIndex((line) => /^(\w+)?(Error|Exception)\b.*:/.test(line));
  const named = lines[at] ?? lines.at(-1) ?? '';
  // esbuild prints "Build failed with 1 error:" and the place on the next line.
  const reason = named.endsWith(':') ? `${named} ${lines[at + 1] ?? ''}` : named;
  throw new LocalFailure(`${setting}: ${file} failed (${signal ?? `exit ${code}`}): ${reason}`);
}
