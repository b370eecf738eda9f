import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';

/**
 * Packages that are bundled into a file of their own, below `node_modules` of the task root, and the
 * module that stands there for each: the package itself, or one that exports a part of it. Node
 * finds them by their names from wherever the bundle is, and reads them when they are first
 * imported. esbuild splits ES modules alone.
 */
export type Chunks = Readonly<Record<string, string>>;

/** Leaves these packages out of a bundle. */
export function leaveOutside(names: readonly string[]): Plugin {
  return {
    name: 'chunks',
    setup({ onResolve }) {
      if (names.length === 0) return;
      onResolve({ filter: /^[^./#]/ }, ({ path: name, kind }) =>
        names.includes(name) && kind !== 'entry-point' ? { path: name, external: true } : undefined,
      );
    },
  };
}

/** What was built in this process, by folder: packages change only when they are installed. */
const built = new Set<string>();

/**
 * Builds the file of each package below `directory`, once in a process.
 * @param options esbuild's, as the bundles are built, without what is special about a handler.
 * @throws esbuild's failure, for a package that is not installed.
 */
export async function buildChunks(chunks: Chunks, directory: string, options: BuildOptions): Promise<void> {
  const missing = Object.entries(chunks).filter(([name]) => !built.has(path.join(directory, fileOf(name))));
  await Promise.all(missing.map(([name, module]) => buildChunk(name, module, directory, options)));
}

async function buildChunk(name: string, module: string, directory: string, options: BuildOptions): Promise<void> {
  const target = path.join(directory, fileOf(name));
  const { outputFiles } = await build({
    ...options,
    format: 'cjs',
    entryPoints: { [fileOf(name).replace(/\.js$/, '')]: module },
    outdir: directory,
    write: false,
  });
  await mkdir(path.dirname(target), { recursive: true });
  for (const { path: file, contents } of outputFiles) {
    // A function that starts meanwhile finds the old file or the new one.
    await writeFile(`${file}.new`, contents);
    await rename(`${file}.new`, file);
  }
  await writeFile(path.join(path.dirname(target), 'package.json'), '{ "main": "index.js" }\n');
  built.add(target);
}

/** Forgets what was built in a folder that has been removed. */
export function forgetChunks(directory: string): void {
  for (const file of built) if (file.startsWith(directory + path.sep)) built.delete(file);
}

/** @returns the files of those chunks that a bundle loads, relative to the task root. */
export async function chunkFilesOf(bundle: string, chunks: Chunks): Promise<string[]> {
  const text = await readFile(bundle, 'utf8');
  // esbuild prints them in these ways, minified or not, and a name in any other text as it is there.
  const loads = new Set([...text.matchAll(/\b(?:(?:require|import)\(|from\s*)"([^"]+)"/g)].map(([, name]) => name));
  const used = Object.keys(chunks).filter((name) => loads.has(name));
  return used.flatMap((name) => [fileOf(name), `${path.posix.dirname(fileOf(name))}/package.json`]);
}

function fileOf(name: string): string {
  return `node_modules/${name}/index.js`;
}
