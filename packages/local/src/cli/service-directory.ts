import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { LocalFailure } from '../local-failure.ts';
import { newestRunRecord } from '../store/runs/run-record.ts';

const configurations = ['yml', 'yaml', 'json', 'js', 'cjs', 'mjs', 'ts'].map((ending) => `serverless.${ending}`);

/** A service lies at most so deep below the top of its repository. */
const deepest = 3;

/**
 * Finds the service that a command is about: in `cwd`, above it, or below it (the one that ran
 * last).
 * @param given the folder that the user named; it wins.
 * @throws LocalFailure when the folder that was named does not exist.
 */
export async function findServiceDirectory(cwd: string, given?: string): Promise<string> {
  if (given !== undefined) {
    const directory = path.resolve(cwd, given);
    if (existsSync(directory)) return directory;
    throw new LocalFailure(`--directory ${given}: folder not found.`);
  }
  for (let directory = cwd; ; directory = path.dirname(directory)) {
    if (isService(directory)) return directory;
    if (directory === path.dirname(directory)) break;
  }
  const below = await servicesBelow(cwd, deepest);
  return newest(below) ?? cwd;
}

function isService(directory: string): boolean {
  return hasRuns(directory) || configurations.some((name) => existsSync(path.join(directory, name)));
}

function hasRuns(directory: string): boolean {
  return existsSync(path.join(directory, '.throughline', 'runs'));
}

async function servicesBelow(directory: string, depth: number): Promise<{ directory: string; ran: number }[]> {
  if (hasRuns(directory)) return [{ directory, ran: await lastRan(directory) }];
  if (depth === 0) return [];
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory() && !/^\.|^node_modules$/.test(entry.name));
  const found = await Promise.all(folders.map(({ name }) => servicesBelow(path.join(directory, name), depth - 1)));
  return found.flat();
}

async function lastRan(directory: string): Promise<number> {
  if (await newestRunRecord(directory)) return Number.POSITIVE_INFINITY;
  return (await stat(path.join(directory, '.throughline', 'runs'))).mtimeMs;
}

function newest(services: { directory: string; ran: number }[]): string | undefined {
  return services.sort((one, other) => other.ran - one.ran)[0]?.directory;
}
