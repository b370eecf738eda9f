import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { LocalFailure } from '../../local-failure.ts';
import { newestRunRecord } from '../../store/runs/run-record.ts';
import { get } from './console-source.ts';

/**
 * A run that a command reads: one that is going on, by its console, or the store of one that has
 * ended.
 */
export type FoundRun = { console: string } | { file: string; skipped: string[] };

export interface RunLocation {
  /** The folder that holds serverless.yml. */
  serviceDirectory: string;
  /**
   * A kept run: its store's path, its name or the beginning of it, or a number, 1 being the newest.
   */
  run?: string;
  consoleUrl?: string;
}

/**
 * Finds the run that is going on for this service, or else the newest that was kept; or the kept
 * run that is named.
 * @throws LocalFailure when there is none.
 */
export async function findRun({ serviceDirectory, run, consoleUrl }: RunLocation): Promise<FoundRun> {
  if (run !== undefined) return { file: await keptRun(serviceDirectory, run), skipped: [] };
  const url = consoleUrl ?? (await newestRunRecord(serviceDirectory))?.addresses.console;
  if (url !== undefined) {
    const status = await get<{ product?: string; directory: string }>(new URL('/api/status', url)).catch(
      () => undefined,
    );
    if (status?.product === 'throughline' && (await isSame(status.directory, serviceDirectory)))
      return { console: url };
    if (consoleUrl !== undefined) throw new LocalFailure(`No console of ${serviceDirectory} answers at ${consoleUrl}.`);
  }
  const { openNewestRun } = await import('../../store/runs/runs.ts');
  const newest = await openNewestRun(serviceDirectory);
  if (newest !== undefined) {
    // Each reader opens it in its own way.
    await newest.store.close();
    return { file: newest.file, skipped: newest.skipped };
  }
  throw new LocalFailure(
    `${serviceDirectory} has no run yet: nothing runs, and no run has been kept. Start one with "npx sls local".`,
  );
}

/**
 * @returns the store's path of the run that `--run` names. @throws LocalFailure when there is none.
 */
export async function keptRun(serviceDirectory: string, run: string): Promise<string> {
  if (run.endsWith('.duckdb') && run.includes(path.sep)) return path.resolve(run);
  const { runs } = await import('../../store/runs/runs.ts');
  const files = await runs(serviceDirectory);
  const names = files.map((file) => path.basename(file, '.duckdb'));
  const number = /^\d{1,2}$/.test(run) ? Number(run) : undefined;
  if (number !== undefined) {
    const file = files[number - 1];
    if (file !== undefined) return file;
    throw new LocalFailure(`--run ${run}: ${files.length} runs are kept, 1 being the newest.`);
  }
  const wanted = path.basename(run, '.duckdb');
  const found = files.filter((_, at) => wanted !== '' && names[at]?.startsWith(wanted));
  if (found.length === 1 && found[0] !== undefined) return found[0];
  const reason = found.length > 1 ? `names ${found.length} runs` : 'is not a kept run';
  const kept = names.length > 0 ? ` Kept: ${names.join(', ')}.` : ' No run has been kept.';
  throw new LocalFailure(`--run ${JSON.stringify(run)} ${reason}.${kept}`);
}

async function isSame(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([one, other].map((folder) => realpath(folder).catch(() => folder)));
  return first === second;
}
