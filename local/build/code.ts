import path from 'node:path';
import { watch } from 'chokidar';
import { LocalFailure } from '../failure.ts';
import type { LocalFunction, LocalService } from '../service/model.ts';
import { stateDirectory } from '../state-directory.ts';
import { createBundler } from './bundle.ts';
import { findHandlerSource } from './sources.ts';

/** The code of a service's functions, kept up to date with its sources. */
export interface Code {
  /** Where Lambda loads a function from: its bundle's folder, or the service's own when it is JavaScript. */
  directoryOf(lambda: LocalFunction): string;
  stop(): Promise<void>;
}

export type CodeChange = { keys: string[] } | { failure: string };

/** Never sources of a function, and large or busy enough to matter to a watcher. */
const notSources = new Set(['node_modules', '.git', '.throughline', '.serverless', '.build', 'coverage']);

/** Editors write a file in several steps; what comes within this time is one change. */
const settleMilliseconds = 50;

/**
 * Bundles the service's TypeScript handlers and watches the sources of all of them.
 * @param onChange after each change that matters: the functions with new code, or the sentence that says why it does not build, in which
 *   case the code that ran before goes on.
 * @throws {LocalFailure} when a handler is missing or does not build at the start.
 */
export async function createCode(service: LocalService, onChange: (change: CodeChange) => void): Promise<Code> {
  const sources = service.functions.map((lambda) => findHandlerSource(lambda, service.directory));
  const typescript = sources.filter(({ kind }) => kind === 'typescript');
  const javascript = sources.filter(({ kind }) => kind === 'javascript').map(({ lambda }) => lambda.key);
  const bundles = await stateDirectory(service.directory, 'bundles');
  const bundler = await createBundler(typescript, bundles, service.directory);
  const bundled = new Set(typescript.map(({ lambda }) => lambda.key));
  try {
    await bundler.build();
  } catch (error) {
    await bundler.stop();
    throw error;
  }

  let changed = new Set<string>();
  let failed = false;
  let timer: NodeJS.Timeout | undefined;
  const rebuild = async () => {
    const files = changed;
    changed = new Set();
    const keys = javascript.length > 0 && [...files].some((file) => /\.([cm]?js|json)$/.test(file)) ? javascript : [];
    try {
      const built = [...files].some((file) => bundler.inputs().has(file)) || failed ? await bundler.build() : [];
      failed = false;
      if (keys.length + built.length > 0) onChange({ keys: [...keys, ...built] });
    } catch (error) {
      if (!(error instanceof LocalFailure)) throw error;
      failed = true;
      onChange({ failure: error.message });
    }
  };
  const watcher = watch(service.directory, {
    ignoreInitial: true,
    ignored: (file) => notSources.has(path.basename(file)),
  });
  watcher.on('all', (_, file) => {
    changed.add(path.resolve(file));
    clearTimeout(timer);
    timer = setTimeout(rebuild, settleMilliseconds);
  });
  await new Promise<void>((resolve) => watcher.once('ready', () => resolve()));

  return {
    directoryOf: (lambda) => (bundled.has(lambda.key) ? bundles : service.directory),
    async stop() {
      clearTimeout(timer);
      await watcher.close();
      await bundler.stop();
    },
  };
}
