import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { glob } from 'tinyglobby';
import { ZipFile } from 'yazl';
import { patternsOf } from '../service/bundle-settings.ts';
import type { LocalService } from '../service/model.ts';
import type { ServerlessService } from '../service/serverless.ts';
import { bundleHandlers, bundleStem } from './bundle.ts';
import { chunkFilesOf, forgetChunks } from './chunks.ts';
import { findHandlerSource, type HandlerSource } from './sources.ts';
import { packagedFiles } from './task-root.ts';

/**
 * Any fixed time: the same bundle must give the same zip, or every deployment would look like a
 * change. Zip's own calendar begins in 1980.
 */
const fixedTime = new Date(Date.UTC(1980, 0, 1));

/**
 * Bundles every handler that is written in TypeScript and names its zip as the function's artefact,
 * which Serverless then deploys as it is. The zip holds the files of `package.patterns` and the
 * packages that stay outside the bundle too. Functions in JavaScript are left to Serverless's own
 * packaging.
 * @param directories absolute: where the bundles and where the zips go.
 * @returns the warnings of the build.
 * @throws {LocalFailure} when a handler is missing or does not build.
 */
export async function packageFunctions(
  service: LocalService,
  definitions: ServerlessService,
  directories: { bundles: string; artifacts: string },
): Promise<string[]> {
  const sources = service.functions
    .filter((lambda) => !definitions.functions?.[lambda.key]?.package?.artifact)
    .map((lambda) => findHandlerSource(lambda, service.directory))
    .filter((source) => source.kind === 'typescript');
  if (sources.length === 0) return [];
  // Files that an earlier build left here would end up in the zips.
  await rm(directories.bundles, { recursive: true, force: true });
  forgetChunks(directories.bundles);
  const warnings = await bundleHandlers(sources, directories.bundles, service.directory, service.bundle);
  const outside = await externalPackages(service.bundle?.external ?? [], service.directory);
  const assets = await assetsIn(directories.bundles);
  for (const source of sources) {
    const definition = definitions.functions?.[source.lambda.key];
    if (!definition) continue;
    const patterns = [...patternsOf(definitions.package), ...patternsOf(definition.package)];
    const beside = [...(await packagedFiles(patterns, service.directory)), ...outside];
    const artifact = path.join(directories.artifacts, `${source.lambda.key}.zip`);
    const files = new Map(beside.map((file) => [file, path.join(service.directory, file)]));
    const bundles = bundleFiles(source, directories.bundles);
    const chunks = bundles.map((file) =>
      chunkFilesOf(path.join(directories.bundles, file), service.bundle?.chunks ?? {}),
    );
    for (const file of [...assets, ...bundles, ...(await Promise.all(chunks)).flat()]) {
      files.set(file, path.join(directories.bundles, file));
    }
    await zip(files, artifact);
    definition.package = { ...definition.package, individually: true, artifact };
  }
  return warnings;
}

function bundleFiles(source: HandlerSource, bundles: string): string[] {
  const stem = bundleStem(source).split(path.sep).join('/');
  return [`${stem}.js`, `${stem}.mjs`].filter((file) => existsSync(path.join(bundles, file)));
}

/** @returns the native modules that esbuild has copied beside the bundles. */
async function assetsIn(bundles: string): Promise<string[]> {
  return glob({ patterns: ['**/*.node'], cwd: bundles, dot: true });
}

/**
 * @returns the files of the packages named `external` and of all that they depend on, relative to
 * the service's folder.
 */
async function externalPackages(external: string[], serviceDirectory: string): Promise<string[]> {
  const folders = new Set<string>();
  const waiting = external.filter((name) => !name.includes('*')).map((name) => ({ name, from: serviceDirectory }));
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const folder = packageFolder(next.name, next.from, serviceDirectory);
    // Lambda's runtime brings some; others are optional.
    if (!folder || folders.has(folder)) continue;
    folders.add(folder);
    const manifest = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
    const needed = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
    waiting.push(...needed.map((name) => ({ name, from: folder })));
  }
  const relative = [...folders].map((folder) => path.relative(serviceDirectory, folder).split(path.sep).join('/'));
  if (relative.length === 0) return [];
  return glob({
    patterns: relative.map((folder) => `${folder}/**`),
    ignore: relative.map((folder) => `${folder}/node_modules/**`),
    cwd: serviceDirectory,
    dot: true,
  });
}

/**
 * Node's own search, upwards from `from`; outside the service's folder there is no place in the zip
 * for it.
 */
function packageFolder(name: string, from: string, serviceDirectory: string): string | undefined {
  for (let folder = from; folder.startsWith(serviceDirectory); folder = path.dirname(folder)) {
    const candidate = path.join(folder, 'node_modules', name);
    if (existsSync(path.join(candidate, 'package.json'))) return candidate;
  }
  return undefined;
}

async function zip(files: Map<string, string>, target: string): Promise<void> {
  await mkdir(path.dirname(target), { recursive: true });
  const archive = new ZipFile();
  for (const [name, source] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    archive.addFile(source, name, { mtime: fixedTime, mode: 0o100644 });
  }
  archive.end();
  await pipeline(archive.outputStream, createWriteStream(target));
}
