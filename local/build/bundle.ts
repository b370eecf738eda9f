import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { type BuildFailure, type BuildOptions, build } from 'esbuild';
import { LocalFailure } from '../failure.ts';
import { type HandlerSource, handlerStem } from './sources.ts';

/**
 * How every handler is bundled.
 * CommonJS, because `sls invoke local` cannot load `.mjs` and the X-Ray SDK dies in an ESM bundle ("Dynamic require of util is not supported");
 * not minified, because that saves no time at a cold start and a stack trace is read by people; no source map beside it, because Node would
 * pay for it at each cold start.
 */
const bundleOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  mainFields: ['module', 'main'],
  legalComments: 'none',
  // OpenTelemetry's instrumentation redefines the handler's property, and esbuild's getters can't be redefined (opentelemetry-lambda #1781).
  footer: { js: 'module.exports = { ...module.exports };' },
  logLevel: 'silent',
} satisfies BuildOptions;

/**
 * Bundles handlers written in TypeScript, one CommonJS file each: a handler `a/b.handler` becomes `<directory>/a/b.cjs`. A function that is
 * started meanwhile finds the old file or the new one, never half of it.
 * @throws {LocalFailure} naming the first place that does not build; what was written before stays.
 */
export async function bundleHandlers(
  sources: HandlerSource[],
  directory: string,
  serviceDirectory: string,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  const staging = await mkdtemp(`${directory}.`);
  try {
    await build({
      ...bundleOptions,
      entryPoints: entryPoints(sources),
      outdir: staging,
      absWorkingDir: serviceDirectory,
    }).catch((failure: BuildFailure) => {
      throw buildFailure(failure);
    });
    for (const stem of new Set(sources.map(bundleStem))) {
      const target = path.join(directory, `${stem}.cjs`);
      await mkdir(path.dirname(target), { recursive: true });
      await rename(path.join(staging, `${stem}.cjs`), target);
    }
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** @returns esbuild's entry points: the path of each bundle, without its ending, to the file that it begins with. */
export function entryPoints(sources: HandlerSource[]): Record<string, string> {
  return Object.fromEntries(sources.map((source) => [bundleStem(source), source.file]));
}

function bundleStem({ lambda }: HandlerSource): string {
  return path.normalize(handlerStem(lambda.handler));
}

/** @returns one sentence that names the first place of what esbuild says. */
export function buildFailure(failure: BuildFailure): LocalFailure {
  const [first] = failure.errors ?? [];
  if (!first) return new LocalFailure(failure.message);
  const place = first.location ? `${first.location.file}:${first.location.line}:${first.location.column + 1}: ` : '';
  const more = failure.errors.length > 1 ? ` (and ${failure.errors.length - 1} more)` : '';
  return new LocalFailure(`The handlers do not build: ${place}${first.text}${more}`);
}
