import { chmod } from 'node:fs/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { LocalFailure } from '../local-failure.ts';
import { schemaStatements, schemaVersion } from './schema.ts';

/**
 * DuckDB makes checkpoints on its own at this size, within a write: the writer makes them before.
 */
const never = '4GB';

/**
 * Of pages of the file that DuckDB keeps in memory, and of its operators, which spill to disk beyond
 * it. By default it takes four fifths of the machine's memory, so that a run grows as its file does.
 */
const memory = '512MB';

/**
 * Opens the file of a run, and makes its tables where it is new.
 * @param file path of a DuckDB file, or `:memory:`.
 * @throws {LocalFailure} when the file belongs to another process, is not a database, or has another
 *   schema version.
 */
export async function openDatabase(file: string, readOnly: boolean): Promise<DuckDBInstance> {
  const instance = await create(file, readOnly);
  try {
    const connection = await instance.connect();
    if (!readOnly) {
      for (const sql of schemaStatements()) await connection.run(sql);
      await protect(file);
    }
    const found = await connection.runAndReadAll('SELECT version FROM schema').catch(() => undefined);
    const version = found?.getRowObjects()[0]?.version;
    connection.closeSync();
    if (version === schemaVersion) return instance;
    throw new LocalFailure(
      `${file} has schema version ${version ?? 'none'}; this version of Throughline reads ${schemaVersion}.`,
    );
  } catch (error) {
    instance.closeSync();
    throw error instanceof LocalFailure ? error : unreadable(file, error);
  }
}

async function create(file: string, readOnly: boolean): Promise<DuckDBInstance> {
  try {
    return await DuckDBInstance.create(file, {
      access_mode: readOnly ? 'READ_ONLY' : 'READ_WRITE',
      checkpoint_threshold: never,
      // Rows of `:memory:` are nowhere else.
      ...(file !== ':memory:' && { memory_limit: memory }),
    });
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, error: unknown): LocalFailure {
  const message = error instanceof Error ? error.message : String(error);
  if (/lock/i.test(message)) {
    return new LocalFailure(
      `${file} is open in another process: its run has not ended. Name its console with --console-port.`,
    );
  }
  return new LocalFailure(`${file} cannot be opened as a store of traces: ${message.split('\n')[0]}`);
}

/** Makes a run's files readable by their owner alone; DuckDB makes them by the process's umask. */
export async function protect(file: string): Promise<void> {
  if (file === ':memory:') return;
  // The log comes and goes with checkpoints.
  for (const each of [file, `${file}.wal`]) await chmod(each, 0o600).catch(() => {});
}
