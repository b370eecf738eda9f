import { lstat, mkdir, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { glob } from 'tinyglobby';

const neverPackaged = ['**/.git/**', '.throughline/**', '.serverless/**'];

/**
 * @returns the files that `package.patterns` puts beside the bundles, relative to the service's
 * folder.
 */
export async function packagedFiles(patterns: string[], serviceDirectory: string): Promise<string[]> {
  const included = patterns.filter((pattern) => !pattern.startsWith('!'));
  if (included.length === 0) return [];
  const ignore = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1));
  const files = await glob({
    patterns: included,
    // "node_modules/**" among the exclusions must not undo a package that is included by name.
    ignore: [...ignore.filter((one) => !included.includes(one)), ...neverPackaged],
    cwd: serviceDirectory,
    dot: true,
  });
  return files.sort();
}

/**
 * Links the packaged files into the folder that stands for `/var/task`, so that a change of one is
 * there at once.
 */
export async function linkPackagedFiles(
  patterns: string[],
  serviceDirectory: string,
  taskRoot: string,
): Promise<string[]> {
  const files = await packagedFiles(patterns, serviceDirectory);
  for (const file of files) {
    const target = path.join(taskRoot, file);
    const existing = await lstat(target).catch(() => undefined);
    // A bundle of the same name is what would be deployed.
    if (existing && !existing.isSymbolicLink()) continue;
    await mkdir(path.dirname(target), { recursive: true });
    if (existing) await rm(target);
    await symlink(path.join(serviceDirectory, file), target);
  }
  return files;
}
