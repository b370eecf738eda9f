import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Where a run listens: written beside its store when all is up, removed when it ends. */
export interface RunRecord {
  pid: number;
  /** ISO 8601. */
  startedAt: string;
  /** By name: `api`, `console`, `otlp`, … */
  addresses: Record<string, string>;
}

/**
 * Writes the record of this process's run, readable by its owner alone.
 * @param storeFile the run's store, beside which the record lies.
 * @returns what removes it.
 */
export async function writeRunRecord(
  storeFile: string,
  addresses: Record<string, string>,
): Promise<() => Promise<void>> {
  const file = recordFile(storeFile);
  const record: RunRecord = { pid: process.pid, startedAt: new Date().toISOString(), addresses };
  // A reader never sees half of it.
  await writeFile(`${file}.new`, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return () => rm(file, { force: true });
}

/** @returns the path of the record beside `storeFile`. */
export function recordFile(storeFile: string): string {
  return storeFile.replace(/\.duckdb$/, '.json');
}

/** @returns the record of the newest run of a service whose process is alive, or undefined. */
export async function newestRunRecord(serviceDirectory: string): Promise<RunRecord | undefined> {
  const directory = path.join(serviceDirectory, '.throughline', 'runs');
  const names = await readdir(directory).catch(() => []);
  for (const name of names
    .filter((entry) => entry.endsWith('.json'))
    .sort()
    .reverse()) {
    const record = await read(path.join(directory, name));
    if (record && isAlive(record.pid)) return record;
  }
  return undefined;
}

async function read(file: string): Promise<RunRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(file, 'utf8')) as Partial<RunRecord> | null;
    const fits = typeof record?.pid === 'number' && typeof record.addresses === 'object' && record.addresses !== null;
    return fits ? (record as RunRecord) : undefined;
  } catch {
    // The run has ended meanwhile, or something else wrote the file.
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
