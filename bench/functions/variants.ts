import { execFile } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { bundleHandlers } from 'serverless-throughline/testing';
import { parse } from 'yaml';
import { open } from 'yauzl-promise';
import { buildLayer } from '../../packages/telemetry/layer/build.ts';
import { functionOf } from '../../packages/telemetry/test/harness/lambda-harness.ts';

/** A build of `home`, and what is set where it runs. */
export interface Variant {
  name: string;
  taskRoot: string;
  layer?: string;
  variables?: Record<string, string>;
  /** Bytes, of what is deployed. */
  zipBytes?: number;
}

type Settings = Parameters<typeof bundleHandlers>[3];

const root = path.resolve(import.meta.dirname, '../..');
const rollbarToken = { ROLLBAR_ACCESS_TOKEN: 'x'.repeat(32) };

/** @returns the service's own settings for esbuild. */
export function serviceSettings(): NonNullable<Settings> {
  const { custom } = parse(readFileSync(path.join(root, 'serverless.yml'), 'utf8')) as {
    custom: { build: { esbuild: NonNullable<Settings> } };
  };
  return custom.build.esbuild;
}

/**
 * Builds every variant below `directory`. What is called "home" is unpacked from the zip that
 * `sls package` makes.
 */
export async function buildVariants(directory: string): Promise<Variant[]> {
  const plain: Settings = { mainFields: ['module', 'main'] };
  const layer = path.join(directory, 'layer');
  await buildLayer(layer);
  const product = await packaged(path.join(directory, 'product'));
  const build = async (name: string, handler: string, face: string | undefined, settings: Settings) => {
    const taskRoot = path.join(directory, name);
    await bundle(handler, taskRoot, face ? withFace(face, settings) : settings);
    return { name, taskRoot };
  };
  return [
    await build('bare', 'bench/functions/bare.ts', undefined, plain),
    await build('without telemetry, built plainly', 'handlers/home.ts', 'without-telemetry.ts', plain),
    await build('without telemetry, built as home', 'handlers/home.ts', 'without-telemetry.ts', serviceSettings()),
    { name: 'home', ...product, layer, variables: rollbarToken },
    { name: 'home, without the layer', ...product, variables: rollbarToken },
    await build('Powertools', 'bench/functions/home-with-powertools.ts', 'with-powertools.ts', plain),
    {
      ...(await build(
        'Powertools and Rollbar',
        'bench/functions/home-with-powertools-and-rollbar.ts',
        'with-powertools.ts',
        plain,
      )),
      variables: rollbarToken,
    },
  ];
}

/** The service imports this file in the place of its telemetry. */
function withFace(file: string, settings: Settings): Settings {
  const alias = { ...settings?.alias, '@throughline/telemetry': path.join(import.meta.dirname, file) };
  return { ...settings, alias };
}

/** Bundles a file of this repository as `handlers/home.js` below `directory`. */
export async function bundle(file: string, directory: string, settings: Settings): Promise<void> {
  const lambda = { ...functionOf({}, ''), key: 'home', handler: 'handlers/home.handler' };
  const source = { kind: 'typescript', lambda, file: path.join(root, file) } as const;
  await bundleHandlers([source], directory, root, settings);
}

/** Packages the service as for a deployment, and unpacks the zip of `home`. */
export async function packaged(directory: string): Promise<{ taskRoot: string; zipBytes: number }> {
  const serverless = path.join(root, 'node_modules/serverless/bin/serverless.js');
  const artifacts = path.join(directory, 'artifacts');
  const environment = { ...process.env, AWS_EC2_METADATA_DISABLED: 'true', SLS_TELEMETRY_DISABLED: '1' };
  await promisify(execFile)(process.execPath, [serverless, 'package', '--package', artifacts], {
    cwd: root,
    env: environment,
  });
  const zip = path.join(artifacts, 'home.zip');
  const taskRoot = path.join(directory, 'task');
  const archive = await open(zip);
  for await (const entry of archive) {
    const target = path.join(taskRoot, entry.filename);
    await mkdir(path.dirname(target), { recursive: true });
    await pipeline(await entry.openReadStream(), createWriteStream(target));
  }
  await archive.close();
  return { taskRoot, zipBytes: (await stat(zip)).size };
}
