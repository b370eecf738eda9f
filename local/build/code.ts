import path from 'node:path';
import { watch } from 'chokidar';
import { LocalFailure } from '../failure.ts';
import type { LocalFunction, LocalService } from '../service/model.ts';
import { stateDirectory } from '../state-directory.ts';
import { bundleHandlers } from './bundle.ts';
import { createSourceGraph } from './source-graph.ts';
import { findHandlerSource, type HandlerSource } from './sources.ts';

/** The code of a service's functions, kept up to date with its sources. */
export interface Code {
  /** Where Lambda loads a function from: the service's own folder when it is JavaScript, or else its bundle's, made new where it is stale. */
  directoryOf(lambda: LocalFunction): Promise<string>;
  stop(): Promise<void>;
}

export type CodeChange = { keys: string[] } | { failure: string };

/** Never sources of a function, and large or busy enough to matter to a watcher. */
const notSources = new Set(['node_modules', '.git', '.throughline', '.serverless', '.build', 'coverage']);

/** Editors write a file in several steps; what comes within this time is one change. */
const settleMilliseconds = 50;

/**
 * Bundles the service's TypeScript handlers and watches the sources of all of them. After a change each function is bundled when it is next
 * started, because all of them together take longer than somebody waits who has just saved a file.
 * @param onChange after each change that matters: the functions with new code, or the sentence that says why it does not build, in which
 *   case the code that ran before goes on.
 * @throws {LocalFailure} when a handler is missing or does not build at the start.
 */
export async function createCode(service: LocalService, onChange: (change: CodeChange) => void): Promise<Code> {
  const sources = service.functions.map((lambda) => findHandlerSource(lambda, service.directory));
  const typescript = sources.filter(({ kind }) => kind === 'typescript');
  const javascript = sources.filter(({ kind }) => kind === 'javascript').map(({ lambda }) => lambda.key);
  const bundles = await stateDirectory(service.directory, 'bundles');
  const graph = await createSourceGraph(typescript, service.directory);
  try {
    await bundleHandlers(typescript, bundles, service.directory);
  } catch (error) {
    await graph.stop();
    throw error;
  }

  /** Handlers' files that are newer than their bundles, and what makes them new, one build of a file after the other. */
  const stale = new Set<string>();
  const building = new Map<string, Promise<void>>();
  const bundle = async (source: HandlerSource) => {
    if (!stale.delete(source.file)) return;
    await bundleHandlers([source], bundles, service.directory).catch((error: unknown) => {
      if (!(error instanceof LocalFailure)) throw error;
      stale.add(source.file);
      onChange({ failure: error.message });
    });
  };

  let changed = new Set<string>();
  const readChanges = async () => {
    const files = changed;
    changed = new Set();
    const before = graph.reachedBy(files);
    try {
      await graph.update();
    } catch (error) {
      if (!(error instanceof LocalFailure)) throw error;
      changed = new Set([...files, ...changed]);
      if (before.length > 0) onChange({ failure: error.message });
      return;
    }
    const reached = new Set([...before, ...graph.reachedBy(files)]);
    for (const { file } of reached) stale.add(file);
    const plain = [...files].some((file) => /\.([cm]?js|json)$/.test(file)) ? javascript : [];
    const keys = [...plain, ...[...reached].map(({ lambda }) => lambda.key)];
    if (keys.length > 0) onChange({ keys });
  };

  let reading = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(service.directory, {
    ignoreInitial: true,
    ignored: (file) => notSources.has(path.basename(file)),
  });
  watcher.on('all', (_, file) => {
    changed.add(path.resolve(file));
    clearTimeout(timer);
    timer = setTimeout(() => {
      reading = reading.then(readChanges);
    }, settleMilliseconds);
  });
  await new Promise<void>((resolve) => watcher.once('ready', () => resolve()));

  return {
    async directoryOf(lambda) {
      const source = typescript.find((one) => one.lambda.key === lambda.key);
      if (!source) return service.directory;
      const built = (building.get(source.file) ?? Promise.resolve()).then(() => bundle(source));
      building.set(source.file, built);
      await built;
      return bundles;
    },
    async stop() {
      clearTimeout(timer);
      await watcher.close();
      await reading;
      await Promise.all(building.values());
      await graph.stop();
    },
  };
}
