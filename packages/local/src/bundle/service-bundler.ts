import { rm } from 'node:fs/promises';
import path from 'node:path';
import { LocalFailure } from '../local-failure.ts';
import type { LocalFunction } from '../service/model.ts';
import type { ServerlessInstance } from '../service/serverless.ts';

/** The bundler that a service brings as a plugin: what it makes is what would be deployed. */
export interface ServiceBundler {
  name: string;
  /** Builds every function. @throws {LocalFailure} with the bundler's own words. */
  build(): Promise<void>;
  /** @returns the folder that stands for `/var/task`, after a build. */
  taskRoot(lambda: LocalFunction): string;
  /** Ends what the bundler keeps running between builds. */
  stop(): Promise<void>;
}

type Plugin = Record<string, unknown>;
type Method = (...args: unknown[]) => unknown;

interface Kind {
  name: string;
  isOne(plugin: Plugin): boolean;
  build(plugin: Plugin, serverless: ServerlessInstance): Promise<void>;
  taskRoot(plugin: Plugin, serverless: ServerlessInstance, lambda: LocalFunction): string;
  stop?(plugin: Plugin): Promise<void>;
}

/**
 * The steps of each bundler's own packaging, but for those that write zips and install packages:
 * here the service's `node_modules` is above the output. Not `offline:start`, which would start
 * serverless-offline too.
 */
const kinds: Kind[] = [
  {
    name: 'serverless-esbuild',
    isOne: (plugin) => has(plugin, 'bundle', 'copyExtras', 'packExternalModules'),
    async build(plugin) {
      await call(plugin, 'bundle');
      await call(plugin, 'copyExtras');
    },
    taskRoot: (plugin) => String(plugin.buildDirPath),
    async stop({ buildCache }) {
      const builds = Object.values((buildCache ?? {}) as Record<string, { context?: { dispose(): Promise<void> } }>);
      for (const { context } of builds) await context?.dispose();
    },
  },
  {
    // serverless-bundle is one of these with a configuration of its own.
    name: 'serverless-webpack',
    isOne: (plugin) => has(plugin, 'validate', 'compile', 'packExternalModules', 'prepareLocalInvoke'),
    async build(_plugin, { pluginManager }) {
      await pluginManager.spawn('webpack:validate');
      await pluginManager.spawn('webpack:compile');
    },
    taskRoot: (plugin, { service }, { key }) =>
      path.join(String(plugin.webpackOutputPath), service.package?.individually ? key : 'service'),
  },
  {
    name: 'serverless-plugin-typescript',
    isOne: (plugin) => has(plugin, 'compileTs', 'copyExtras', 'copyDependencies'),
    async build(plugin, { serviceDir }) {
      // It links files and fails on the links of the build before.
      await rm(path.join(serviceDir, '.build'), { recursive: true, force: true });
      await call(plugin, 'compileTs');
      await call(plugin, 'copyExtras');
      await call(plugin, 'copyDependencies');
    },
    taskRoot: (_plugin, { serviceDir }) => path.join(serviceDir, '.build'),
  },
];

function has(plugin: Plugin, ...names: string[]): boolean {
  return names.every((name) => typeof plugin[name] === 'function');
}

async function call(plugin: Plugin, name: string): Promise<void> {
  await (plugin[name] as Method).call(plugin);
}

/** @returns the bundler among the plugins of a service, or undefined where there is none. */
export function findServiceBundler(serverless: ServerlessInstance): ServiceBundler | undefined {
  for (const plugin of serverless.pluginManager.plugins) {
    const kind = kinds.find((one) => one.isOne(plugin));
    if (!kind) continue;
    return {
      name: kind.name,
      build: () => inServiceFolder(serverless, kind.name, () => kind.build(plugin, serverless)),
      taskRoot: (lambda) => kind.taskRoot(plugin, serverless, lambda),
      stop: async () => kind.stop?.(plugin),
    };
  }
  return undefined;
}

/**
 * Bundlers move Serverless and the process into their output folder; both are put back for the next
 * build.
 */
async function inServiceFolder({ config }: ServerlessInstance, name: string, work: () => Promise<void>): Promise<void> {
  const { servicePath, serviceDir } = config;
  const directory = process.cwd();
  try {
    await work();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new LocalFailure(`${name} does not build the functions: ${message}`);
  } finally {
    process.chdir(directory);
    Object.assign(config, { servicePath, serviceDir });
  }
}
