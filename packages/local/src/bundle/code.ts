import path from 'node:path';
import { watch } from 'chokidar';
import { LocalFailure } from '../local-failure.ts';
import type { LocalFunction, LocalService } from '../service/model.ts';
import { stateDirectory } from '../service/state-directory.ts';
import { bundleHandlers } from './bundle.ts';
import type { ServiceBundler } from './service-bundler.ts';
import { createSourceGraph } from './source-graph.ts';
import { findHandlerSource, type HandlerSource } from './sources.ts';
import { linkPackagedFiles } from './task-root.ts';

/** The code of a service's functions, kept up to date with its sources. */
export interface Code {
  /**
   * Finds the folder that stands for `/var/task`: the service's own for JavaScript, or else that of
   * its bundle, which is built again where a source has changed.
   * @throws {LocalFailure} while the function does not build.
   */
  directoryOf(lambda: LocalFunction): Promise<string>;
  /** @returns the functions that are known not to build now. */
  failures(): BuildFailure[];
  stop(): Promise<void>;
}

/** A function that does not build: the first line says where and why, the others show the place. */
export interface BuildFailure {
  functionKey: string;
  message: string;
}

/** The functions that changed, and why they do not build where they don't. */
export interface CodeChange {
  keys: string[];
  failure?: string;
}

export interface CodeOptions {
  /**
   * Called after each change of the code, and at the start for each function that does not build.
   */
  onChange(change: CodeChange): void;
  /** Called with each warning of a build, once. */
  onWarning?(warning: string): void;
  bundler?: ServiceBundler | undefined;
}

/** Never sources of a function, and large or busy enough to matter to a watcher. */
const notSources = new Set([
  ...['node_modules', '.git', '.throughline', '.serverless', 'coverage'],
  // The output of bundlers.
  ...['.build', '.esbuild', '.webpack', '_warmup'],
]);

/** Files that editors and servers write while a service runs. */
const temporary = /\.(log|tmp|swp)$|~$/;

/** Editors write a file in several steps; changes within this time are one change. */
const settleMilliseconds = 50;

/**
 * Builds the service's functions and watches their sources. A service that brings a bundler is
 * built by it. Otherwise TypeScript is bundled here, and JavaScript runs from its place. A function
 * that does not build fails alone, when it is called.
 */
export async function createCode(service: LocalService, options: CodeOptions): Promise<Code> {
  return options.bundler ? byServiceBundler(service, options, options.bundler) : byOwnBundler(service, options);
}

async function byOwnBundler(service: LocalService, { onChange, onWarning }: CodeOptions): Promise<Code> {
  const failures = new Map<string, LocalFailure>();
  const sources = service.functions.flatMap((lambda) => {
    try {
      return findHandlerSource(lambda, service.directory);
    } catch (error) {
      failures.set(lambda.key, failureOf(error));
      return [];
    }
  });
  const typescript = sources.filter(({ kind }) => kind === 'typescript');
  const javascript = sources.filter(({ kind }) => kind === 'javascript').map(({ lambda }) => lambda.key);
  const bundles = await stateDirectory(service.directory, 'bundles');
  const warned = new Set<string>();
  const bundle = async (some: HandlerSource[]): Promise<void> => {
    if (some.length === 0) return;
    try {
      const warnings = await bundleHandlers(some, bundles, service.directory, service.bundle);
      for (const { lambda } of some) failures.delete(lambda.key);
      for (const warning of warnings.filter((one) => !warned.has(one))) {
        warned.add(warning);
        onWarning?.(warning);
      }
    } catch (error) {
      const failure = failureOf(error);
      const [only] = some;
      if (only && some.length === 1) failures.set(only.lambda.key, failure);
      else for (const source of some) await bundle([source]);
    }
  };

  await bundle(typescript);
  const link = () => linkPackagedFiles(service.packagePatterns ?? [], service.directory, bundles);
  let packaged = new Set(typescript.length > 0 ? await link() : []);
  for (const [key, { message }] of failures) onChange({ keys: [key], failure: message });
  const graph = await createSourceGraph(typescript, service.directory);

  /**
   * Handlers' files that are newer than their bundles, and what makes them new, one build of a file
   * after the other.
   */
  const stale = new Set<string>();
  const building = new Map<string, Promise<void>>();
  const refresh = async (source: HandlerSource) => {
    if (stale.delete(source.file)) await bundle([source]);
  };

  /** Sources that cannot be parsed, or whose imports are not found, since the last change. */
  let broken = new Map<HandlerSource, LocalFailure>();
  const readChanges = async (files: Set<string>) => {
    const before = graph.reachedBy(files);
    broken = await graph.update();
    watched.add(outside());
    const reached = new Set([...before, ...graph.reachedBy(files)]);
    // A new file may be what an import was missing.
    for (const source of typescript) if (failures.has(source.lambda.key)) reached.add(source);
    const inTaskRoot = [...files].some((file) => packaged.has(path.relative(service.directory, file)));
    if (typescript.length > 0) packaged = new Set(await link());
    if (inTaskRoot) for (const source of typescript) reached.add(source);
    for (const { file } of reached) stale.add(file);
    const plain = [...files].some((file) => !temporary.test(file) && !/\.(tsx?|mts|cts)$/.test(file)) ? javascript : [];
    const keys = [...plain, ...[...reached].map(({ lambda }) => lambda.key)];
    const failure = [...reached].map((source) => broken.get(source)).find((one) => one !== undefined);
    if (keys.length > 0) onChange({ keys, ...(failure ? { failure: failure.message } : {}) });
  };

  const outside = () => [...graph.files()].filter((file) => !file.startsWith(service.directory + path.sep));
  const watched = await watchSources([service.directory, ...outside()], readChanges);

  return {
    async directoryOf(lambda) {
      const source = typescript.find((one) => one.lambda.key === lambda.key);
      if (source) {
        const built = (building.get(source.file) ?? Promise.resolve()).then(() => refresh(source));
        building.set(source.file, built);
        await built;
      }
      const failure = failures.get(lambda.key);
      if (failure) throw failure;
      return source ? bundles : service.directory;
    },
    failures: () =>
      service.functions.flatMap(({ key }) => {
        const source = typescript.find(({ lambda }) => lambda.key === key);
        // A build that failed before the last change says nothing of the code as it is now.
        const built = source && stale.has(source.file) ? undefined : failures.get(key);
        const failure = (source && broken.get(source)) ?? built;
        return failure ? [{ functionKey: key, message: failure.message }] : [];
      }),
    async stop() {
      await watched.stop();
      await Promise.all(building.values());
      await graph.stop();
    },
  };
}

async function byServiceBundler(
  service: LocalService,
  { onChange }: CodeOptions,
  bundler: ServiceBundler,
): Promise<Code> {
  const keys = service.functions.map(({ key }) => key);
  let failure: LocalFailure | undefined;
  let stale = false;
  let building: Promise<void> = Promise.resolve();
  const build = async () => {
    failure = await bundler.build().then(() => undefined, failureOf);
    if (failure) onChange({ keys, failure: failure.message });
  };
  await build();
  const sources = await watchSources([service.directory], async (files) => {
    if ([...files].every((file) => temporary.test(file))) return;
    stale = true;
    onChange({ keys });
  });
  return {
    async directoryOf(lambda) {
      if (stale) {
        stale = false;
        building = building.then(build);
      }
      await building;
      if (failure) throw failure;
      return bundler.taskRoot(lambda);
    },
    failures: () => (failure ? keys.map((functionKey) => ({ functionKey, message: String(failure?.message) })) : []),
    async stop() {
      await sources.stop();
      await building;
      await bundler.stop();
    },
  };
}

/** @throws what is not a failure of the service's own: a defect of this program. */
function failureOf(error: unknown): LocalFailure {
  if (error instanceof LocalFailure) return error;
  throw error;
}

/** Watches folders and files, and calls `changed` with the files of one change after the other. */
async function watchSources(paths: string[], changed: (files: Set<string>) => Promise<void>) {
  let files = new Set<string>();
  let reading = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(paths, {
    ignoreInitial: true,
    ignored: (file) => notSources.has(path.basename(file)),
  });
  watcher.on('all', (_, file) => {
    files.add(path.resolve(file));
    clearTimeout(timer);
    timer = setTimeout(() => {
      const some = files;
      files = new Set();
      reading = reading.then(() => changed(some));
    }, settleMilliseconds);
  });
  await new Promise<void>((resolve) => watcher.once('ready', () => resolve()));
  return {
    add: (more: string[]) => void watcher.add(more),
    async stop() {
      clearTimeout(timer);
      await watcher.close();
      await reading;
    },
  };
}
