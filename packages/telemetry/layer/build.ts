import { chmod, copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

/**
 * Loaded by `--import`: Node waits for it before it loads the runtime, and so does Lambda's INIT.
 */
const preload = `import { createRequire } from 'node:module';
await createRequire(import.meta.url)('./register.cjs').ready;
`;

/**
 * Writes the layer as it is unpacked to /opt: `otel-handler`, and what it loads.
 * @param outDirectory is made if it is missing; what an earlier build left is replaced.
 */
export async function buildLayer(outDirectory: string): Promise<void> {
  const target = path.join(outDirectory, 'throughline');
  await mkdir(target, { recursive: true });
  await build({
    entryPoints: [path.join(import.meta.dirname, 'register.ts')],
    outfile: path.join(target, 'register.cjs'),
    bundle: true,
    minify: true,
    // Rollbar quotes the line of each frame of a stack: a layer of one line would go with every
    // report, twice.
    lineLimit: 200,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    // The ES modules of these packages can be shaken down to what is used.
    mainFields: ['module', 'main'],
    conditions: ['import'],
    // Functions have a second version for other layers; here one is enough.
    alias: { '@opentelemetry/api-1.9': '@opentelemetry/api' },
    logLevel: 'error',
  });
  await writeFile(path.join(target, 'register.mjs'), preload);
  // A file that only an earlier version wrote would be deployed with this one.
  for (const name of await readdir(target)) {
    if (!/^register\.[cm]js$/.test(name)) await rm(path.join(target, name), { recursive: true });
  }
  const wrapper = path.join(outDirectory, 'otel-handler');
  await copyFile(path.join(import.meta.dirname, 'otel-handler'), wrapper);
  await chmod(wrapper, 0o755);
}

// `custom.build.layers` of serverless.yml runs this file with the layer's folder as its argument.
if (import.meta.main) await buildLayer(path.resolve(process.argv[2] ?? '.build/layer'));
