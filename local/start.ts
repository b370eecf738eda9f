import { existsSync } from 'node:fs';
import path from 'node:path';
import { startConsole } from './api/console/index.ts';
import { type CodeChange, createCode } from './build/code.ts';
import { buildLayers } from './build/layers.ts';
import { localEnvironment } from './environment.ts';
import { LocalFailure, PortInUse } from './failure.ts';
import { withEmf } from './intake/cloudwatch/emf.ts';
import { forwardTargets, localKey } from './intake/forward.ts';
import { startTelemetryIntake } from './intake/index.ts';
import { startXrayIntake } from './intake/xray/index.ts';
import { startDynamoDb } from './platform/dynamodb/index.ts';
import { runSeed } from './platform/dynamodb/seed.ts';
import { createGateway, type RequestLine } from './platform/gateway/index.ts';
import { createLambdaPlatform } from './platform/lambda/index.ts';
import { refuseTakenPorts } from './ports.ts';
import type { LocalService } from './service/model.ts';
import type { PortName } from './service/settings.ts';
import { openStore, type Store } from './store/index.ts';
import { newRun } from './store/runs.ts';

export interface LocalOptions {
  service: LocalService;
  /** Sample as the template's rules say; otherwise everything is kept. */
  sampling?: boolean;
  /** Called for each request that the gateway has answered. */
  onRequest?(line: RequestLine): void;
  /** Called after a change of the code: what runs new code from now on, or the sentence that says why it does not build. */
  onReload?(change: CodeChange): void;
  /** Called when a real service stops taking what is sent on to it, and when it takes it again, with a sentence. */
  onForward?(sentence: string): void;
  /** Called as start-up goes on, with what comes next. */
  onProgress?(step: string): void;
}

/** The cloud on this machine, running. */
export interface LocalCloud {
  addresses: { api: string; console: string; otlp: string; xray: string; dynamodb: string };
  store: Store;
  /** Resolves when no process and no port of it is left, and what had arrived is in the store. */
  stop(): Promise<void>;
}

/**
 * Starts everything that `serverless.yml` needs on loopback: DynamoDB with its tables, the intakes and their store, Lambda, API Gateway
 * and the console.
 * @throws {LocalFailure} for what the person at the terminal can put right: a port in use, a handler that does not build, a failing seed;
 *   nothing is left running then.
 */
export async function startLocal(options: LocalOptions): Promise<LocalCloud> {
  const { service, onProgress = () => {} } = options;
  const { ports } = service.settings;
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  const start = async <T extends { stop(): Promise<void> }>(begin: () => Promise<T>, port?: PortName): Promise<T> => {
    const started = await begin().catch((error: NodeJS.ErrnoException) => {
      if (port && error.code === 'EADDRINUSE') throw new PortInUse(port, ports[port]);
      throw error;
    });
    stops.push(() => started.stop());
    return started;
  };

  await refuseTakenPorts(ports);
  try {
    const store = await openStore({ file: await newRun(service.directory) });
    stops.push(() => store.close());
    const sink = withEmf(store);
    onProgress('starting DynamoDB');
    const dynamodb = await start(
      () => startDynamoDb({ port: ports.dynamodb, region: service.region, tables: service.tables }),
      'dynamodb',
    );
    const xray = await start(() => startXrayIntake({ port: ports.xray, sink, store, service }), 'xray');
    const provided = Object.assign({}, ...service.functions.map((lambda) => lambda.environment));
    const forward = forwardTargets(provided);
    const telemetry = await start(
      () => startTelemetryIntake({ port: ports.otlp, sink, forward, onForward: options.onForward }),
      'otlp',
    );
    const environment = localEnvironment(service, {
      dynamodb: dynamodb.endpoint,
      xray: xray.port,
      telemetry: telemetry.port,
    });

    onProgress('building the functions');
    let reload = (_keys: string[]) => {};
    const code = await start(() =>
      createCode(service, (change) => {
        if ('keys' in change) reload(change.keys);
        options.onReload?.(change);
      }),
    );
    // After the handlers: what does not build is named as the handler's, also where a layer has it in common.
    await buildLayers(service);
    const lambda = await start(() =>
      createLambdaPlatform({
        service: withVariables(service, { ...environment, ...service.settings.environment }),
        sink,
        codeDirectory: async (lambda) => code.directoryOf(lambda),
        environment,
        ...runtimeClientOf(service),
      }),
    );
    reload = (keys) => lambda.reload(keys);

    if (service.settings.seed) {
      onProgress(`seeding by ${service.settings.seed}`);
      await runSeed(service.settings.seed, service.directory, {
        ...provided,
        ...environment,
        ...service.settings.environment,
      });
    }
    const addresses = {
      api: '',
      console: '',
      otlp: `http://127.0.0.1:${telemetry.port}`,
      xray: `127.0.0.1:${xray.port}`,
      dynamodb: dynamodb.endpoint,
    };
    const gateway = await start(
      () => createGateway({ ...pass(options), service, lambda, sink, port: ports.api }),
      'api',
    );
    addresses.api = gateway.url;
    const console = await start(() => startConsole({ port: ports.console, store, service, addresses }), 'console');
    addresses.console = `http://127.0.0.1:${console.port}`;
    return { addresses, store, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function runtimeClientOf({ settings, directory }: LocalService): { runtimeClient?: string[] } {
  if (!settings.runtimeClient) return {};
  const module = path.resolve(directory, settings.runtimeClient);
  if (existsSync(module)) return { runtimeClient: [module] };
  throw new LocalFailure(`custom.local.runtimeClient is "${settings.runtimeClient}", but there is no such file.`);
}

function pass({ sampling, onRequest }: LocalOptions) {
  return { ...(sampling ? { sampling } : {}), ...(onRequest ? { onRequest } : {}) };
}

/**
 * What makes a function use this machine, and what `custom.local.environment` says, win over the template's own values: they exist to replace
 * them here. Rollbar's token is the exception: the developer's own goes with each item, so that it can be forwarded; without one any will do,
 * but a client without a token sends nothing.
 */
function withVariables(service: LocalService, variables: Record<string, string>): LocalService {
  const functions = service.functions.map((lambda) => ({
    ...lambda,
    environment: {
      ...lambda.environment,
      ROLLBAR_ACCESS_TOKEN: lambda.environment['ROLLBAR_ACCESS_TOKEN'] || localKey,
      ...variables,
    },
  }));
  return { ...service, functions };
}
