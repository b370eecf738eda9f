import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type BuildContext, type BuildFailure, type BuildOptions, context, type OutputFile } from 'esbuild';
import { LocalFailure } from '../failure.ts';
import { type HandlerSource, handlerStem } from './sources.ts';

/** Bundles handlers written in TypeScript, one CommonJS file each. */
export interface Bundler {
  /**
   * Builds all, and writes what has changed since the last time.
   * @returns the keys of the functions whose code is new.
   * @throws {LocalFailure} naming the first place that does not build; what was written before stays.
   */
  build(): Promise<string[]>;
  /** Absolute paths of every file that went into the last build. */
  inputs(): Set<string>;
  stop(): Promise<void>;
}

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
  metafile: true,
  write: false,
} satisfies BuildOptions;

/** @param directory where the bundles go: a handler `a/b.handler` becomes `<directory>/a/b.cjs`. */
export async function createBundler(
  sources: HandlerSource[],
  directory: string,
  serviceDirectory: string,
): Promise<Bundler> {
  const keysOf = new Map<string, string[]>();
  const entryPoints: Record<string, string> = {};
  for (const { lambda, file } of sources) {
    const stem = path.normalize(handlerStem(lambda.handler));
    entryPoints[stem] = file;
    const output = path.join(directory, `${stem}.cjs`);
    keysOf.set(output, [...(keysOf.get(output) ?? []), lambda.key]);
  }
  const builder: BuildContext<typeof bundleOptions> = await context({
    ...bundleOptions,
    entryPoints,
    outdir: directory,
    absWorkingDir: serviceDirectory,
  });
  const hashes = new Map<string, string>();
  let inputs = new Set<string>(sources.map((source) => source.file));

  return {
    async build() {
      const result = await builder.rebuild().catch((failure: BuildFailure) => {
        throw new LocalFailure(describe(failure));
      });
      inputs = new Set(Object.keys(result.metafile.inputs).map((input) => path.resolve(serviceDirectory, input)));
      const changed = result.outputFiles.filter((file: OutputFile) => hashes.get(file.path) !== file.hash);
      for (const file of changed) {
        await mkdir(path.dirname(file.path), { recursive: true });
        await writeFile(file.path, file.contents);
        hashes.set(file.path, file.hash);
      }
      return changed.flatMap((file) => keysOf.get(file.path) ?? []);
    },
    inputs: () => inputs,
    stop: () => builder.dispose(),
  };
}

function describe(failure: BuildFailure): string {
  const [first] = failure.errors ?? [];
  if (!first) return failure.message;
  const place = first.location ? `${first.location.file}:${first.location.line}:${first.location.column + 1}: ` : '';
  const more = failure.errors.length > 1 ? ` (and ${failure.errors.length - 1} more)` : '';
  return `The handlers do not build: ${place}${first.text}${more}`;
}
