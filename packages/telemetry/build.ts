/**
 * Builds `dist`, which is all of this package that its tarball holds: `npm pack` runs it as
 * `prepack`.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';
import { buildLayer } from './layer/build.ts';

const root = import.meta.dirname;
const dist = path.join(root, 'dist');

rmSync(dist, { recursive: true, force: true });

// ES modules file by file, so that a bundler leaves out those that nothing imports.
const compiler = path.join(path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
execFileSync(process.execPath, [compiler, '-p', path.join(root, 'tsconfig.build.json')], { stdio: 'inherit' });

// The compiler rewrites the imports of code alone.
const types = globSync('**/*.d.ts', { cwd: dist });
for (const file of types) {
  const text = readFileSync(path.join(dist, file), 'utf8');
  writeFileSync(path.join(dist, file), text.replaceAll(/(from '\.[^']*)\.ts'/g, "$1.js'"));
}

// CommonJS, each entry in one file. The folder's own manifest makes both the code and the types CommonJS. Middy
// can only be imported, so the one function of it that this package needs goes along.
const { dependencies, peerDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Record<
  string,
  Record<string, string>
>;
const external = Object.keys({ ...dependencies, ...peerDependencies }).filter((name) => name !== '@middy/core');
const commonjs = path.join(dist, 'commonjs');
await build({
  entryPoints: ['src/index.ts', 'src/context/storage-namespaces.ts'].map((file) => path.join(root, file)),
  outbase: path.join(root, 'src'),
  outdir: commonjs,
  bundle: true,
  platform: 'node',
  target: 'node22',
  format: 'cjs',
  external,
  conditions: ['import'],
});
for (const file of types) cpSync(path.join(dist, file), path.join(commonjs, file));
writeFileSync(path.join(commonjs, 'package.json'), '{ "type": "commonjs", "sideEffects": false }\n');

await buildLayer(path.join(dist, 'layer'));

interface Target {
  types: string;
  default: string;
}

const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, string | { import: Target; require: Target }>;
};
for (const entry of Object.values(exports)) {
  if (typeof entry === 'string') continue;
  for (const file of [entry.import, entry.require].flatMap((target) => Object.values<string>({ ...target }))) {
    if (!existsSync(path.join(root, file)))
      throw new Error(`package.json names ${file}, which the build has not made.`);
  }
}
