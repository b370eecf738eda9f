import path from 'node:path';
import { traceCommand, traceHooks, traceIdArgument } from './cli/serverless-command.ts';
import type { LocalService } from './service/model.ts';
import type { ServerlessInstance } from './service/serverless.ts';
import { defaultPorts, type PortName, settingsSchema } from './service/settings.ts';

type Options = Record<string, string | boolean | undefined>;

/**
 * The writers that osls gives each plugin: `notice` goes to standard error, `writeText` to
 * standard output.
 */
interface Writers {
  log: { notice(text: string): void; warning(text: string): void };
  writeText(text: string): void;
}

/** How long Serverless and its other plugins may take to end after a local run. */
const exitMilliseconds = 2_000;

/** Node's own default. */
const inspectorPort = 9229;

const portNames = Object.keys(defaultPorts) as PortName[];

/**
 * Adds to Serverless: `sls local`, `sls trace`, the bundling of TypeScript handlers for `package`
 * and `deploy`, and what `invoke local` needs. What a command does is loaded when it runs, so that
 * every other `sls` command starts as fast as without this plugin.
 */
export class ThroughlinePlugin {
  readonly commands = {
    local: {
      usage: 'Run the service on this machine as on Lambda, and show its traces',
      lifecycleEvents: ['run'],
      options: {
        ...Object.fromEntries(
          portNames.map((name) => [
            `${name}-port`,
            { usage: `Port of ${portUsage[name]} (${defaultPorts[name]}; 0 for any free one)`, type: 'string' },
          ]),
        ),
        inspect: { usage: 'Let a debugger attach to this function, whose timeout is suspended', type: 'string' },
        'inspect-brk': {
          usage: 'The same, and wait for the debugger before the code of the function loads',
          type: 'string',
        },
        'inspect-port': { usage: `Port of the inspector (${inspectorPort})`, type: 'string' },
        sampling: {
          usage: 'Sample as the X-Ray rules of serverless.yml say, instead of keeping everything',
          type: 'boolean',
        },
      },
    },
    trace: traceCommand(),
  };
  readonly hooks: Record<string, () => Promise<void>>;
  readonly #serverless: ServerlessInstance;
  readonly #options: Options;
  readonly #writers: Writers;
  #endInvocation: () => Promise<void> = async () => {};

  constructor(serverless: ServerlessInstance, options: Options, writers: Writers) {
    this.#serverless = serverless;
    this.#options = options;
    this.#writers = writers;
    serverless.configSchemaHandler.defineCustomProperties(settingsSchema);
    const package_ = () => this.#sentences(() => this.#package());
    this.hooks = {
      initialize: () => this.#resolveEnvironments(),
      'local:run': () => this.#sentences(() => this.#local()),
      ...Object.fromEntries(traceHooks().map((hook) => [hook, () => this.#sentences(() => this.#trace())])),
      'before:package:createDeploymentArtifacts': package_,
      'before:deploy:function:packageFunction': package_,
      'before:package:compileLayers': async () => this.#packageLayersOffline(),
      'before:invoke:local:invoke': () => this.#sentences(() => this.#beforeInvocation()),
      'after:invoke:local:invoke': () => this.#endInvocation(),
    };
  }

  async #local(): Promise<void> {
    const { runLocal } = await import('./cloud/run.ts');
    const service = await this.#service();
    const { findServiceBundler } = await import('./bundle/service-bundler.ts');
    const bundler = findServiceBundler(this.#serverless);
    await runLocal({ service, bundler, sampling: this.#options.sampling === true, ...this.#inspect() });
    // A handle that another plugin has left open would hold the process for ever.
    setTimeout(() => process.exit(), exitMilliseconds).unref();
  }

  #inspect(): { inspect?: { functionKey: string; port: number; breakAtStart: boolean } } {
    const { inspect, 'inspect-brk': breaking } = this.#options;
    const functionKey = breaking ?? inspect;
    if (typeof functionKey !== 'string') return {};
    if (breaking !== undefined && inspect !== undefined) {
      throw new this.#serverless.classes.Error('--inspect and --inspect-brk exclude each other: give one of them.');
    }
    const port = this.#port('inspect') ?? inspectorPort;
    return { inspect: { functionKey, port, breakAtStart: breaking !== undefined } };
  }

  async #trace(): Promise<void> {
    const { runCommand } = await import('./cli/command.ts');
    const { default: trace } = await import('./cli/commands/trace.ts');
    const ended = new AbortController();
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => ended.abort());
    const id = traceIdArgument();
    process.exitCode = await runCommand(trace, {
      values: this.#options,
      positionals: id === undefined ? [] : [id],
      directory: this.#serverless.serviceDir,
      output: process.stdout,
      errorOutput: process.stderr,
      signal: ended.signal,
    });
  }

  async #package(): Promise<void> {
    const { buildLayers } = await import('./service/scripts.ts');
    const { packageFunctions } = await import('./bundle/package.ts');
    const { stateDirectory } = await import('./service/state-directory.ts');
    const service = await this.#service();
    await buildLayers(service);
    const { findServiceBundler } = await import('./bundle/service-bundler.ts');
    // The service's own bundler packages by its own hooks.
    if (findServiceBundler(this.#serverless)) return;
    const bundles = await stateDirectory(service.directory, 'package');
    // Where Serverless puts its own zips, and where it looks for them in `deploy --package`.
    const artifacts = path.join(service.directory, '.serverless');
    const warnings = await packageFunctions(service, this.#serverless.service, { bundles, artifacts });
    for (const warning of warnings) this.#writers.log.warning(warning);
  }

  /**
   * For a layer Serverless asks CloudFormation whether the deployed one is the same, to save an
   * upload; that needs credentials and a network, which `sls package` must not. `sls deploy` still
   * asks.
   */
  #packageLayersOffline(): void {
    const { processedInput, pluginManager } = this.#serverless;
    if (processedInput.commands[0] !== 'package') return;
    const compile = pluginManager.plugins.find((plugin) => typeof plugin.compareWithLastLayer === 'function');
    if (compile) compile.compareWithLastLayer = async () => {};
  }

  /**
   * `sls invoke local` asks CloudFormation what a `Ref` in a variable is, and takes no other
   * function: here both are what `sls local` says.
   */
  async #resolveEnvironments(): Promise<void> {
    const { processedInput, service } = this.#serverless;
    if (processedInput.commands.join(' ') !== 'invoke local') return;
    const { readEnvironments } = await import('./service/read.ts');
    const environments = readEnvironments(this.#serverless);
    for (const [key, lambda] of Object.entries(service.functions ?? {})) lambda.environment = environments[key] ?? {};
    service.provider.environment = {};
  }

  async #beforeInvocation(): Promise<void> {
    const { prepareInvocation } = await import('./cloud/invoke.ts');
    const { findServiceBundler } = await import('./bundle/service-bundler.ts');
    const isBuilt = findServiceBundler(this.#serverless) !== undefined;
    const service = await this.#service();
    const functionKey = String(this.#options.function);
    const setup = await prepareInvocation(service, functionKey, isBuilt);
    this.#endInvocation = setup.stop;
    Object.assign(process.env, setup.environment);
    if (setup.extraServicePath) this.#options.extraServicePath = setup.extraServicePath;
    const lambda = service.functions.find(({ key }) => key === functionKey);
    const obstacle = this.#obstacleToTrace(lambda?.runtime);
    if (obstacle) {
      this.#writers.log.warning(
        `There will be no trace of this invocation: Serverless runs it, because of ${obstacle}.`,
      );
      return;
    }
    const { plugins } = this.#serverless.pluginManager;
    const local = plugins.find((plugin) => typeof plugin.invokeLocal === 'function');
    if (local) local.invokeLocal = () => this.#sentences(() => this.#invokeTraced(service, setup.dynamodb));
  }

  /** @returns the option or the runtime that only Serverless's own way of invoking knows. */
  #obstacleToTrace(runtime: string | undefined): string | undefined {
    if (this.#options.docker) return '--docker';
    if (this.#options.context || this.#options.contextPath) return '--context';
    return runtime?.startsWith('nodejs') ? undefined : `its runtime, ${runtime}`;
  }

  /** Called when Serverless has read the event and every bundler has done its work. */
  async #invokeTraced(service: LocalService, dynamodb: string | undefined): Promise<void> {
    const { invokeTraced } = await import('./cloud/invoke-traced.ts');
    const { data, env, extraServicePath } = this.#options;
    const failed = await invokeTraced({
      service,
      functionKey: String(this.#options.function),
      event: JSON.stringify(data === undefined || data === '' ? {} : data),
      codeDirectory: path.join(this.#serverless.serviceDir, String(extraServicePath ?? '')),
      variables: variablesOf(env),
      dynamodb,
      writeAnswer: (text) => this.#writers.writeText(text),
      writeLine: (text) => process.stderr.write(`${text}\n`),
    });
    if (failed) process.exitCode = 1;
  }

  async #service() {
    const { readService } = await import('./service/read.ts');
    const { service, warnings } = readService(this.#serverless, this.#ports());
    for (const warning of warnings) this.#writers.log.warning(warning);
    return service;
  }

  #ports(): Partial<Record<PortName, number>> {
    const given = portNames.flatMap((name): [PortName, number][] => {
      const port = this.#port(name);
      return port === undefined ? [] : [[name, port]];
    });
    return Object.fromEntries(given);
  }

  #port(name: string): number | undefined {
    const value = this.#options[`${name}-port`];
    if (value === undefined) return undefined;
    const port = Number(value);
    if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
    throw new this.#serverless.classes.Error(`--${name}-port takes a whole number from 0 to 65535, not "${value}".`);
  }

  /** Serverless prints its own class of error as one sentence, and any other with a stack. */
  async #sentences(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { LocalFailure } = await import('./local-failure.ts');
      if (error instanceof LocalFailure) throw new this.#serverless.classes.Error(error.message);
      throw error;
    }
  }
}

/** @returns what `--env NAME=value`, given once or more often, sets. */
function variablesOf(env: unknown): Record<string, string> {
  const given = (Array.isArray(env) ? env : [env]).filter((text) => typeof text === 'string');
  return Object.fromEntries(
    given.map((text) => {
      const equals = text.indexOf('=');
      return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

const portUsage: Record<PortName, string> = {
  api: 'the API',
  console: 'the console',
  otlp: 'OTLP over HTTP',
  grpc: 'OTLP over gRPC',
  xray: "X-Ray, UDP and TCP, as the daemon's",
  dynamodb: 'the embedded DynamoDB',
  lambda: "Lambda's Invoke API",
};
