import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** @returns the absolute path of a folder below the service's `.throughline/`, made where it was missing, and never seen by git. */
export async function stateDirectory(serviceDirectory: string, name: string): Promise<string> {
  const state = path.join(serviceDirectory, '.throughline');
  const directory = path.join(state, name);
  await mkdir(directory, { recursive: true });
  await writeFile(path.join(state, '.gitignore'), '*\n');
  return directory;
}
