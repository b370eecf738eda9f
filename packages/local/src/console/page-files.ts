import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const page = new URL('./page/', import.meta.url);
const source = new URL('main.tsx', page);

/** The page's files by path: nothing else on the disk can be asked for. */
const files: Record<string, { name: string; type: string }> = {
  '/': { name: 'index.html', type: 'text/html' },
  '/ask': { name: 'ask/ask.html', type: 'text/html' },
  '/ask.css': { name: 'ask/ask.css', type: 'text/css' },
  '/ask.js': { name: 'ask/ask.js', type: 'text/javascript' },
  '/icon.svg': { name: 'icon.svg', type: 'image/svg+xml' },
  '/console.css': { name: 'styles/console.css', type: 'text/css' },
  '/waterfall.css': { name: 'styles/waterfall.css', type: 'text/css' },
  '/details.css': { name: 'styles/details.css', type: 'text/css' },
  '/views.css': { name: 'styles/views.css', type: 'text/css' },
  '/console.js': { name: 'console.js', type: 'text/javascript' },
};

export const pagePaths = Object.keys(files);

/**
 * @returns a file of the page; its script is bundled on the way in the repository, and was bundled
 * before in a tarball.
 */
export async function pageFile(path: string): Promise<{ body: Uint8Array<ArrayBuffer>; type: string } | undefined> {
  const file = files[path];
  if (!file) return undefined;
  const isSource = file.name === 'console.js' && existsSync(source);
  const body = isSource ? await bundlePage() : await readFile(new URL(file.name, page));
  return { body: new Uint8Array(body), type: `${file.type}; charset=utf-8` };
}

/** @returns the page's script as one file. */
export async function bundlePage(): Promise<Uint8Array> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(source)],
    bundle: true,
    format: 'esm',
    target: 'es2023',
    minify: true,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    write: false,
    logLevel: 'silent',
  });
  const [script] = outputFiles;
  if (!script) throw new Error('esbuild made no file of the page.');
  return script.contents;
}
