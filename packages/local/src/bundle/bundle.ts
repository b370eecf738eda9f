import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type BuildFailure, type BuildOptions, build, type Message } from 'esbuild';
import { config } from '../config.ts';
import { LocalFailure } from '../local-failure.ts';
import type { BundleSettings } from '../service/model.ts';
import { buildChunks, leaveOutside } from './chunks.ts';
import { decoratorMetadata } from './decorator-metadata.ts';
import { missingPackages } from './missing-packages.ts';
import { type HandlerSource, handlerStem } from './sources.ts';

/**
 * How every handler is bundled. Not minified unless the service asks for it, because people read
 * the stack traces. The source map stands beside the bundle: debuggers and `source-map/` read it;
 * Node, which would pay for it at each cold start, does not.
 */
const bundleOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  // esbuild itself adds `module` only where no condition is given.
  conditions: ['module', ...config.conditions()],
  loader: { '.node': 'copy' },
  legalComments: 'none',
  sourcemap: 'linked',
  logLevel: 'silent',
} satisfies BuildOptions;

type Format = { extension: '.js' | '.mjs'; options: BuildOptions };

/**
 * CommonJS where possible: `sls invoke local` cannot load `.mjs`, and OpenTelemetry patches what is
 * required. OpenTelemetry redefines the handler's property, and esbuild's getters can't be
 * redefined (opentelemetry-lambda #1781).
 */
const commonJs: Format = {
  extension: '.js',
  options: {
    format: 'cjs',
    define: {
      'import.meta.url': 'importMetaUrl',
      'import.meta.filename': '__filename',
      'import.meta.dirname': '__dirname',
    },
    banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
    footer: { js: 'module.exports = { ...module.exports };' },
  },
};

/**
 * For top-level await alone. CommonJS dependencies in it still call `require` and read `__dirname`.
 */
const esModule: Format = {
  extension: '.mjs',
  options: {
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    banner: {
      js: [
        "import { createRequire as throughlineCreateRequire } from 'node:module';",
        'globalThis.require ??= throughlineCreateRequire(import.meta.url);',
        'globalThis.__filename ??= import.meta.filename; globalThis.__dirname ??= import.meta.dirname;',
      ].join(' '),
    },
  },
};

/**
 * Bundles handlers written in TypeScript, one file each: a handler `a/b.handler` becomes
 * `<directory>/a/b.js`, or `b.mjs` where its sources use top-level await. A function that starts
 * meanwhile finds the old file or the new one, never half of it.
 * @returns esbuild's warnings, one line each with file, line and column.
 * @throws {LocalFailure} naming the first place that does not build, with the lines around it;
 *   the earlier output stays.
 */
export async function bundleHandlers(
  sources: HandlerSource[],
  directory: string,
  serviceDirectory: string,
  settings: BundleSettings = {},
): Promise<string[]> {
  try {
    return await write(sources, commonJs, directory, serviceDirectory, settings);
  } catch (error) {
    const failure = error as BuildFailure;
    if (!failure.errors?.some(({ text }) => text.startsWith('Top-level await'))) throw buildFailure(failure);
  }
  const [only, ...others] = sources;
  if (only && others.length === 0) {
    return write([only], esModule, directory, serviceDirectory, settings).catch((error: BuildFailure) => {
      throw buildFailure(error);
    });
  }
  const warnings = sources.map((source) => bundleHandlers([source], directory, serviceDirectory, settings));
  return [...new Set((await Promise.all(warnings)).flat())];
}

async function write(
  sources: HandlerSource[],
  format: Format,
  directory: string,
  serviceDirectory: string,
  settings: BundleSettings,
): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  const staging = await mkdtemp(`${directory}.`);
  try {
    const options = optionsOf(settings, serviceDirectory);
    await buildChunks(settings.chunks ?? {}, directory, { ...options, absWorkingDir: serviceDirectory });
    const { warnings, outputFiles } = await build({
      ...options,
      ...format.options,
      plugins: [leaveOutside(Object.keys(settings.chunks ?? {})), ...options.plugins],
      define: { ...settings.define, ...format.options.define },
      entryPoints: entryPoints(sources),
      outdir: staging,
      absWorkingDir: serviceDirectory,
      write: false,
    });
    const stems = new Set(sources.map(bundleStem));
    for (const { path: file, contents } of outputFiles) {
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, contents);
      const name = path.relative(staging, file);
      // The bundles come last, when their maps and assets are in place.
      if (!stems.has(name.replace(/\.m?js$/, ''))) await moveInto(directory, staging, name);
    }
    for (const stem of stems) {
      await moveInto(directory, staging, stem + format.extension);
      const other = format === esModule ? commonJs : esModule;
      for (const end of ['', '.map']) await rm(path.join(directory, stem + other.extension + end), { force: true });
    }
    // The service's package.json may say "module", and it would be the next one above.
    await writeFile(path.join(directory, 'package.json'), '{ "type": "commonjs" }\n');
    return warnings.map(sentence);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function moveInto(directory: string, staging: string, name: string): Promise<void> {
  const target = path.join(directory, name);
  await mkdir(path.dirname(target), { recursive: true });
  await rename(path.join(staging, name), target);
}

function optionsOf({ chunks: _, ...settings }: BundleSettings, serviceDirectory: string) {
  return {
    ...bundleOptions,
    ...settings,
    loader: { ...bundleOptions.loader, ...settings.loader },
    plugins: [missingPackages(serviceDirectory), decoratorMetadata(serviceDirectory)],
  } satisfies BuildOptions;
}

/**
 * @returns esbuild's entry points: the path of each bundle, without its extension, to its first
 * source.
 */
export function entryPoints(sources: HandlerSource[]): Record<string, string> {
  return Object.fromEntries(sources.map((source) => [bundleStem(source), source.file]));
}

/** @returns the path of a handler's bundle below the task root, without its extension. */
export function bundleStem({ lambda }: Pick<HandlerSource, 'lambda'>): string {
  return path.normalize(handlerStem(lambda.handler));
}

/** @returns a failure whose first line names the first place, and whose other lines show it. */
export function buildFailure(failure: BuildFailure): LocalFailure {
  const [first] = failure.errors ?? [];
  if (!first) return new LocalFailure(failure.message);
  const more = failure.errors.length > 1 ? ` (and ${failure.errors.length - 1} more)` : '';
  return new LocalFailure(`The handlers do not build: ${sentence(first)}${more}${codeFrame(first)}`);
}

function sentence({ location, text }: Message): string {
  return location ? `${location.file}:${location.line}:${location.column + 1}: ${text}` : text;
}

/** The line itself, and a mark below the place in it. */
function codeFrame({ location }: Message): string {
  if (!location) return '';
  const { line, column, length, lineText } = location;
  // A line of a generated file may be megabytes long.
  if (lineText.length > 200) return '';
  const number = `${line} | `;
  return `\n  ${number}${lineText}\n  ${' '.repeat(number.length + column)}${'^'.repeat(Math.max(1, length))}`;
}
