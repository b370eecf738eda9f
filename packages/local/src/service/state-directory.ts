import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { LocalFailure } from '../local-failure.ts';

/** Holds data of requests, so only its owner may read it. */
const ownerOnly = 0o700;

/**
 * Makes a folder below the service's `.throughline/`, which git never sees.
 * @returns its absolute path.
 * @throws {LocalFailure} when it cannot be made or written to.
 */
export async function stateDirectory(serviceDirectory: string, name: string): Promise<string> {
  const state = path.join(serviceDirectory, '.throughline');
  const directory = path.join(state, name);
  try {
    await mkdir(directory, { recursive: true, mode: ownerOnly });
    // Made by an earlier version, or under another umask.
    await chmod(state, ownerOnly);
    await chmod(directory, ownerOnly);
    await writeFile(path.join(state, '.gitignore'), '*\n', { mode: 0o600 });
    return directory;
  } catch (error) {
    throw new LocalFailure(`${state} cannot be used for the state of local runs: ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EEXIST' || code === 'ENOTDIR') return 'there is a file of that name. Move or delete it.';
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'it is not writable. Change its permissions.';
  if (code === 'ENOSPC') return 'the disk is full.';
  return error instanceof Error ? error.message : String(error);
}

/**
 * @returns the service's folder that a file of its state belongs to; undefined for a file that is
 * elsewhere.
 */
export function serviceDirectoryOf(file: string): string | undefined {
  const at = path.resolve(file).lastIndexOf(`${path.sep}.throughline${path.sep}`);
  return at < 0 ? undefined : path.resolve(file).slice(0, at);
}
