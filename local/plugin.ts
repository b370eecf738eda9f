import path from 'node:path';
import { traceCommand, traceHooks, traceOptions } from './cli/command.ts';
import type { ServerlessInstance } from './service/serverless.ts';
import { defaultPorts, type PortName, settingsSchema } from './service/settings.ts';

type Options = Record<string, string | boolean | undefined>;

/** What osls gives each plugin to write with: `notice` goes to standard error, `writeText` to standard output. */
interface Writers {
  log: { notice(text: string): void; warning(text: string): void };
  writeText(text: string): void;
}

const portNames = Object.keys(defaultPorts) as PortName[];

/**
 * Adds to Serverless: `sls local`, `sls trace`, the bundling of TypeScript handlers for `package` and `deploy`, and what `invoke local` needs.
 * What a command does is loaded when it runs, so that every other `sls` command starts as fast as without this plugin.
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
      'before:package:finalize': async () => this.#traceStage(),
      'before:invoke:local:invoke': () => this.#sentences(() => this.#beforeInvocation()),
      'after:invoke:local:invoke': () => this.#endInvocation(),
    };
  }

  async #local(): Promise<void> {
    const { runLocal } = await import('./run.ts');
    await runLocal({ service: await this.#service(), sampling: this.#options['sampling'] === true });
  }

  async #trace(): Promise<void> {
    const { runTrace } = await import('./cli/trace.ts');
    // What a run could not take over, the run has said.
    const { settings, directory } = await this.#service({ warn: false });
    const ended = new AbortController();
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => ended.abort());
    process.exitCode = await runTrace({
      ...traceOptions(this.#options, settings.ports.console),
      serviceDirectory: directory,
      output: process.stdout,
      signal: ended.signal,
    });
  }

  async #package(): Promise<void> {
    const { buildLayers } = await import('./build/layers.ts');
    const { packageFunctions } = await import('./build/package.ts');
    const { stateDirectory } = await import('./state-directory.ts');
    const service = await this.#service();
    await buildLayers(service);
    const bundles = await stateDirectory(service.directory, 'package');
    // Where Serverless puts its own zips, and where it looks for them in `deploy --package`.
    const artifacts = path.join(service.directory, '.serverless');
    await packageFunctions(service, this.#serverless.service, { bundles, artifacts });
  }

  /**
   * For a layer Serverless asks CloudFormation whether the deployed one is the same, to save an upload; that needs credentials and a network,
   * which `sls package` must not. `sls deploy` still asks.
   */
  #packageLayersOffline(): void {
    const { processedInput, pluginManager } = this.#serverless;
    if (processedInput.commands[0] !== 'package') return;
    const compile = pluginManager.plugins.find((plugin) => typeof plugin['compareWithLastLayer'] === 'function');
    if (compile) compile['compareWithLastLayer'] = async () => {};
  }

  /**
   * Serverless switches the stage's tracing on by an API call after the deployment; here it is in the template too, so that the package says
   * what will be, and the first requests of a new stage are traced.
   */
  #traceStage(): void {
    const { provider } = this.#serverless.service;
    if (provider.tracing?.apiGateway !== true) return;
    for (const resource of Object.values(provider.compiledCloudFormationTemplate?.Resources ?? {})) {
      if (resource.Type !== 'AWS::ApiGateway::Deployment' || !resource.Properties?.['StageName']) continue;
      resource.Properties['StageDescription'] = {
        ...(resource.Properties['StageDescription'] as object),
        TracingEnabled: true,
      };
    }
  }

  /** `sls invoke local` asks CloudFormation what a `Ref` in a variable is, and takes no other function: here both are what `sls local` says. */
  async #resolveEnvironments(): Promise<void> {
    const { processedInput, service } = this.#serverless;
    if (processedInput.commands.join(' ') !== 'invoke local') return;
    const { readEnvironments } = await import('./service/read.ts');
    const environments = readEnvironments(this.#serverless);
    for (const [key, lambda] of Object.entries(service.functions ?? {})) lambda.environment = environments[key] ?? {};
    service.provider.environment = {};
  }

  async #beforeInvocation(): Promise<void> {
    const { prepareInvocation } = await import('./invoke.ts');
    const setup = await prepareInvocation(await this.#service(), String(this.#options['function']));
    this.#endInvocation = setup.stop;
    Object.assign(process.env, setup.environment);
    if (setup.extraServicePath) this.#options['extraServicePath'] = setup.extraServicePath;
  }

  async #service({ warn = true } = {}) {
    const { readService } = await import('./service/read.ts');
    const { service, warnings } = readService(this.#serverless, this.#ports());
    for (const warning of warn ? warnings : []) this.#writers.log.warning(warning);
    return service;
  }

  #ports(): Partial<Record<PortName, number>> {
    const given = portNames.flatMap((name): [PortName, number][] => {
      const value = this.#options[`${name}-port`];
      if (value === undefined) return [];
      const port = Number(value);
      if (Number.isInteger(port) && port >= 0 && port <= 65_535) return [[name, port]];
      throw new this.#serverless.classes.Error(`--${name}-port takes a whole number from 0 to 65535, not "${value}".`);
    });
    return Object.fromEntries(given);
  }

  /** Serverless prints its own class of error as one sentence, and any other with a stack. */
  async #sentences(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { LocalFailure } = await import('./failure.ts');
      if (error instanceof LocalFailure) throw new this.#serverless.classes.Error(error.message);
      throw error;
    }
  }
}

const portUsage: Record<PortName, string> = {
  api: 'the API',
  console: 'the console',
  otlp: 'OTLP over HTTP',
  xray: "X-Ray, UDP and TCP, as the daemon's",
  dynamodb: 'the embedded DynamoDB',
};
