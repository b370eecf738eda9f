import { runScript } from '../script.ts';
import type { LocalService } from '../service/model.ts';

/**
 * Runs the scripts of `custom.build.layers`, each with its layer's folder as argument.
 * @throws {LocalFailure} when one is missing or fails.
 */
export async function buildLayers({ layerBuilds = [], directory }: LocalService): Promise<void> {
  for (const { key, script, path } of layerBuilds) {
    await runScript({ setting: `custom.build.layers.${key}`, file: script, directory, args: [path] });
  }
}
