import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { LocalFailure } from '../../local-failure.ts';
import { stateDirectory } from '../../service/state-directory.ts';
import { openStore, type Store } from '../index.ts';
import { recordFile } from './run-record.ts';

/** Runs that are kept, the present one among them. */
const runsKept = 10;

/**
 * Files of this process. Trying to open one to see whether it is in use would, on POSIX, undo this
 * process's own lock on it.
 */
const ownFiles = new Set<string>();

function runsDirectory(serviceDirectory: string): string {
  return join(serviceDirectory, '.throughline', 'runs');
}

/** Ends the name of a run that holds invocations of `sls invoke local` and nothing else. */
const invocationsSuffix = '-invoke';

/** ISO 8601 with what no file name may hold replaced; sorted by name, runs are sorted by time. */
function fileName(time: Date, suffix = ''): string {
  return `${time.toISOString().replaceAll(':', '-')}${suffix}.duckdb`;
}

/** Clocks of two processes of one machine agree; a run of another machine may be a little ahead. */
const skewMilliseconds = 60_000;

/**
 * @returns whether a run is dated later than now: a wrong clock wrote it, and it would hide every
 * new run.
 */
function isFuture(file: string, now: number): boolean {
  const [date, time] = basename(file, '.duckdb').replace(invocationsSuffix, '').split('T');
  const at = Date.parse(`${date}T${time?.replaceAll('-', ':')}`);
  return at > now + skewMilliseconds;
}

/**
 * Lists the files of all runs that are kept.
 * @returns the latest first, after them those that are dated in the future; empty when nothing
 *   was ever run.
 */
export async function runs(serviceDirectory: string, now: Date = new Date()): Promise<string[]> {
  const directory = runsDirectory(serviceDirectory);
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw new LocalFailure(`The runs in ${directory} cannot be read: ${error.message}`);
  });
  const files = names.filter((name) => name.endsWith('.duckdb')).map((name) => join(directory, name));
  const latestFirst = files.sort().reverse();
  const future = latestFirst.filter((file) => isFuture(file, now.getTime()));
  return [...latestFirst.filter((file) => !future.includes(file)), ...future];
}

/** @returns the file of the latest run, ended or not, or undefined when there was none. */
export async function latestRun(serviceDirectory: string): Promise<string | undefined> {
  return (await runs(serviceDirectory))[0];
}

export interface OpenedRun {
  store: Store;
  file: string;
  /** A sentence for each newer run that could not be read. */
  skipped: string[];
}

/**
 * Opens the newest run that can be read: not one that is corrupt, of another version, dated in the
 * future, or still open in another process.
 * @returns undefined when no run was kept.
 * @throws {LocalFailure} with the reasons when no run can be read.
 */
export async function openNewestRun(serviceDirectory: string): Promise<OpenedRun | undefined> {
  const files = await runs(serviceDirectory);
  const now = Date.now();
  const skipped = files
    .filter((file) => isFuture(file, now))
    .map((file) => `Left out ${file}: it is dated in the future.`);
  const present = files.filter((file) => !isFuture(file, now));
  for (const file of present.length > 0 ? present : files) {
    try {
      return { store: await readable(file), file, skipped };
    } catch (error) {
      skipped.push(`Left out: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (files.length === 0) return undefined;
  throw new LocalFailure(`No run that was kept can be read. ${skipped.join(' ')}`);
}

/** Reads something of it too: a file that is damaged further in opens without an error. */
async function readable(file: string): Promise<Store> {
  const store = await openStore({ file, readOnly: true });
  try {
    await store.traces({ limit: 1 });
    await store.orphans();
    return store;
  } catch (error) {
    await store.close();
    throw new LocalFailure(`${file} is damaged: ${error instanceof Error ? error.message.split('\n')[0] : error}`);
  }
}

/**
 * Makes room for a new run: the last ten are kept, and whatever another process still has open.
 * @param serviceDirectory the folder that holds serverless.yml.
 * @returns the path for the store of the new run, in a folder that exists.
 */
export async function newRun(serviceDirectory: string, now: Date = new Date(), suffix = ''): Promise<string> {
  const directory = await stateDirectory(serviceDirectory, 'runs');
  const file = join(directory, fileName(now, suffix));
  ownFiles.add(file);
  for (const old of (await runs(serviceDirectory, now)).filter((run) => run !== file).slice(runsKept - 1)) {
    if (await inUse(old)) continue;
    await rm(old, { force: true });
    await rm(`${old}.wal`, { force: true });
    await rm(recordFile(old), { force: true });
  }
  return file;
}

/**
 * Opens the run that an invocation without `sls local` writes to. Invocations one after another
 * share a run, so that ten of them do not push out every other run that is kept.
 */
export async function openInvocationRun(serviceDirectory: string): Promise<Store> {
  const latest = await latestRun(serviceDirectory);
  if (latest !== undefined && basename(latest, '.duckdb').endsWith(invocationsSuffix)) {
    try {
      return await openStore({ file: latest });
    } catch (error) {
      // Another invocation has it open, or it is damaged or of another version.
      if (!(error instanceof LocalFailure)) throw error;
    }
  }
  return openStore({ file: await newRun(serviceDirectory, new Date(), invocationsSuffix) });
}

async function inUse(file: string): Promise<boolean> {
  if (ownFiles.has(file)) return true;
  try {
    (await DuckDBInstance.create(file)).closeSync();
    return false;
  } catch (error) {
    // Nobody uses a file that is not a database; DuckDB's lock is the only sign of use.
    return error instanceof Error && /lock/i.test(error.message);
  }
}
