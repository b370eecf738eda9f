import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { DuckDBInstance } from '@duckdb/node-api';

/**
 * The client that asked for a snapshot reads it at once and removes it; one that was left behind
 * goes after this long.
 */
const keptMilliseconds = 600_000;

/**
 * Copies a run that is going on into a file that another process can open, as of one moment. What
 * people's SQL does there cannot hold up the run, nor use its memory.
 * @param directory of the service: the file comes to lie in `.throughline/snapshots/`, for its
 *   owner alone.
 * @returns the file.
 */
export async function writeSnapshot(instance: DuckDBInstance, directory: string): Promise<string> {
  const folder = path.join(directory, '.throughline', 'snapshots');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  await removeOld(folder);
  const file = path.join(folder, `${randomUUID()}.duckdb`);
  const connection = await instance.connect();
  const name = `snapshot_${randomUUID().replaceAll('-', '')}`;
  try {
    const [row] = (await connection.runAndReadAll('SELECT current_database() AS name')).getRowObjects();
    await connection.run(`ATTACH '${file.replaceAll("'", "''")}' AS ${name}`);
    try {
      await connection.run(`COPY FROM DATABASE "${String(row?.name).replaceAll('"', '""')}" TO ${name}`);
    } finally {
      await connection.run(`DETACH ${name}`);
    }
    await chmod(file, 0o600);
    return file;
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    connection.closeSync();
  }
}

async function removeOld(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    const age = Date.now() - (await stat(file).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    if (age > keptMilliseconds) await rm(file, { force: true });
  }
}
