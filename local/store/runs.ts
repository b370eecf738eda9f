import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

/** So many runs are kept, the present one among them. */
const RUNS_KEPT = 10;

/** Files of this process. Trying to open one to see whether it is in use would, on POSIX, undo this process's own lock on it. */
const ownFiles = new Set<string>();

function runsDirectory(serviceDirectory: string): string {
  return join(serviceDirectory, '.throughline', 'runs');
}

/** ISO 8601 with what no file name may hold replaced; sorted by name, runs are sorted by time. */
function fileName(time: Date): string {
  return `${time.toISOString().replaceAll(':', '-')}.duckdb`;
}

/** @returns the files of all runs that are kept, the latest first; empty when nothing was ever run. */
export async function runs(serviceDirectory: string): Promise<string[]> {
  const directory = runsDirectory(serviceDirectory);
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const files = names.filter((name) => name.endsWith('.duckdb')).sort();
  return files.reverse().map((name) => join(directory, name));
}

/** @returns the file of the latest run, ended or not, or undefined when there was none. */
export async function latestRun(serviceDirectory: string): Promise<string | undefined> {
  return (await runs(serviceDirectory))[0];
}

/**
 * Makes room for a new run: the last ten are kept, and whatever another process still has open.
 * @param serviceDirectory the folder that holds serverless.yml.
 * @returns the path for the store of the new run, in a folder that exists.
 */
export async function newRun(serviceDirectory: string, now: Date = new Date()): Promise<string> {
  const directory = runsDirectory(serviceDirectory);
  await mkdir(directory, { recursive: true });
  const file = join(directory, fileName(now));
  ownFiles.add(file);
  for (const old of (await runs(serviceDirectory)).filter((run) => run !== file).slice(RUNS_KEPT - 1)) {
    if (await inUse(old)) continue;
    await rm(old, { force: true });
    await rm(`${old}.wal`, { force: true });
  }
  return file;
}

async function inUse(file: string): Promise<boolean> {
  if (ownFiles.has(file)) return true;
  try {
    (await DuckDBInstance.create(file)).closeSync();
    return false;
  } catch (error) {
    // A file that is no database is in nobody's use; DuckDB's lock is the only sign that one is.
    return error instanceof Error && /lock/i.test(error.message);
  }
}
