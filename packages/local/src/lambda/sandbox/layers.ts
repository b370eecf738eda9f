import { access, constants, cp, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LocalFunction } from '../../service/model.ts';
import { mapLayerPaths } from './variables.ts';

/** A function with its layers laid out, ready to be started. */
export interface LayeredFunction {
  lambda: LocalFunction;
  /** The folder that stands for /opt; absent where there is no layer that can be run here. */
  layerRoot?: string;
  /** Absolute paths of the executables in the layers' `extensions/` folders. */
  extensions: string[];
  /** One sentence for each setting that could not be honoured. */
  warnings: string[];
  /** Removes what was written for it. */
  remove(): Promise<void>;
}

/**
 * Lays the directory layers of a function over each other, later ones over earlier ones, as Lambda
 * does in /opt. A single layer is used where it is. A layer by ARN cannot be fetched: it is left
 * out with a warning, and so is an AWS_LAMBDA_EXEC_WRAPPER that is in none of the folders and must
 * have been meant to come from it.
 * @throws where a layer's folder cannot be read, naming the layer and the path.
 */
export async function layOut(lambda: LocalFunction): Promise<LayeredFunction> {
  const folders: string[] = [];
  const arns: string[] = [];
  for (const layer of lambda.layers) {
    if (layer.kind === 'arn') {
      arns.push(layer.arn);
    } else if (await isDirectory(layer.path)) {
      folders.push(layer.path);
    } else {
      throw new Error(`The layer ${layer.key} of ${lambda.key} has no folder ${layer.path}`);
    }
  }
  // NODE_OPTIONS is split at spaces, so a folder whose path has some cannot stand for /opt.
  const asItIs = folders.length <= 1 && !/\s/.test(folders[0] ?? '');
  const merged = asItIs ? undefined : await merge(folders);
  const layerRoot = merged ?? folders[0];
  const warnings = arns.map(
    (arn) => `The layer ${arn} of ${lambda.key} is left out: a layer by ARN cannot be fetched to run here.`,
  );

  let environment = lambda.environment;
  const wrapper = environment.AWS_LAMBDA_EXEC_WRAPPER;
  if (
    wrapper?.startsWith('/opt/') &&
    arns.length > 0 &&
    !(await isExecutable(mapLayerPaths(wrapper, layerRoot ?? '/opt')))
  ) {
    const { AWS_LAMBDA_EXEC_WRAPPER: _dropped, ...rest } = environment;
    environment = rest;
    warnings.push(
      `AWS_LAMBDA_EXEC_WRAPPER=${wrapper} of ${lambda.key} is left out: it would come from a layer by ARN.`,
    );
  }
  return {
    lambda: { ...lambda, environment },
    layerRoot,
    extensions: layerRoot ? await executablesIn(join(layerRoot, 'extensions')) : [],
    warnings,
    remove: async () => {
      if (merged) await rm(merged, { recursive: true, force: true });
    },
  };
}

async function merge(folders: string[]): Promise<string> {
  const target = await mkdtemp(join(tmpdir(), 'lambda-layers-'));
  // Copied, not linked: Node looks for a package's dependencies beside the file that a link leads
  // to.
  for (const folder of folders) await cp(folder, target, { recursive: true, mode: constants.COPYFILE_FICLONE });
  return target;
}

async function executablesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const paths = names.sort().map((name) => join(folder, name));
  const executable = await Promise.all(
    paths.map(async (path) => !(await isDirectory(path)) && (await isExecutable(path))),
  );
  return paths.filter((_path, index) => executable[index]);
}

async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
