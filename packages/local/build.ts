/**
 * Builds `dist`, which is all of this package that its tarball holds: `npm pack` runs it as
 * `prepack`.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';
import { bundlePage } from './src/console/page-files.ts';

const root = import.meta.dirname;
const dist = path.join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
const compiler = path.join(path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
execFileSync(process.execPath, [compiler, '-p', path.join(root, 'tsconfig.build.json')], { stdio: 'inherit' });

// Workers, the runtime client and the page are JavaScript already, and keep their places among the
// compiled files.
cpSync(path.join(root, 'src'), dist, {
  recursive: true,
  filter: (file) => !/(?<!\.d)\.tsx?$|page\/tsconfig\.json$/.test(file),
});
// The page is one script; its sources stay out.
writeFileSync(path.join(dist, 'console/page/console.js'), await bundlePage());

// The entry is the one file in CommonJS that imports the package. It holds what `sls` needs at
// every start; a command's own modules stay outside, as ES modules that load when the command runs.
await build({
  entryPoints: [path.join(root, 'src/index.cjs')],
  outfile: path.join(dist, 'index.cjs'),
  bundle: true,
  platform: 'node',
  target: 'node18',
  format: 'cjs',
  packages: 'external',
  plugins: [
    {
      name: 'leave-dynamic-imports',
      setup({ onResolve }) {
        onResolve({ filter: /\.ts$/ }, ({ kind, path: name, resolveDir }) => {
          if (kind !== 'dynamic-import') return undefined;
          const place = path.relative(path.join(root, 'src'), path.resolve(resolveDir, name));
          return { path: `./${place.replace(/\.ts$/, '.js').split(path.sep).join('/')}`, external: true };
        });
      },
    },
  ],
});

const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const entries = Object.values<string | Record<string, string>>(manifest.exports).flatMap((entry) =>
  typeof entry === 'string' ? entry : [entry.types, entry.default].filter((one) => one !== undefined),
);
for (const entry of entries) {
  if (!existsSync(path.join(root, entry)))
    throw new Error(`package.json names ${entry}, which the build has not made.`);
}
for (const entry of Object.values<string>(manifest.bin ?? {})) chmodSync(path.join(root, entry), 0o755);

// The compiler rewrites imports alone: a path in a string would still name a .ts file, which is not
// there.
for (const file of globSync('**/*.{js,cjs}', { cwd: dist })) {
  const found = /(?:new URL\(|import\(|require\()\s*['"`][^'"`]*(?<!\.d)\.ts['"`]/.exec(
    readFileSync(path.join(dist, file), 'utf8'),
  );
  if (found) throw new Error(`dist/${file} still names a .ts file: ${found[0]}`);
}
