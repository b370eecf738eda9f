import { type BuildFailure, type CodeChange, createCode } from '../bundle/code.ts';
import type { ServiceBundler } from '../bundle/service-bundler.ts';
import { startConsole } from '../console/server.ts';
import { createGateway, type RequestLine } from '../gateway/index.ts';
import { refuseTakenPorts } from '../http/listen.ts';
import { createLambdaPlatform } from '../lambda/index.ts';
import type { InspectOptions, LambdaPlatform } from '../lambda/invocation/types.ts';
import { startInvokeApi } from '../lambda/invoke-api/server.ts';
import { startQueues } from '../lambda/queues.ts';
import { startSchedules } from '../lambda/schedules.ts';
import { LocalFailure, PortInUse } from '../local-failure.ts';
import { forwardTargets } from '../receiver/forward.ts';
import { startReceivers } from '../receiver/server.ts';
import type { LocalService } from '../service/model.ts';
import { buildLayers, runSeed } from '../service/scripts.ts';
import type { PortName } from '../service/settings.ts';
import { withEmf } from '../services/cloudwatch/emf.ts';
import { startDynamoDb } from '../services/dynamodb/index.ts';
import { receiversWith } from '../services/index.ts';
import { startOtlpGrpc } from '../services/otlp/grpc.ts';
import { spansInto } from '../services/otlp/spans-into.ts';
import { startXray } from '../services/xray/index.ts';
import { openStore, type Store } from '../store/index.ts';
import { writeRunRecord } from '../store/runs/run-record.ts';
import { newRun } from '../store/runs/runs.ts';
import { localEnvironment } from './endpoint-variables.ts';
import { identityOf, runtimeClientOf, withVariables } from './function-variables.ts';

export interface LocalOptions {
  service: LocalService;
  /** Sample as the template's rules say; otherwise everything is kept. */
  sampling?: boolean;
  /** The bundler that the service brings. */
  bundler?: ServiceBundler | undefined;
  /** Called with each warning of a build. */
  onWarning?(warning: string): void;
  /** The function that a debugger can be attached to. */
  inspect?: InspectOptions;
  /** Called for each request that the gateway has answered. */
  onRequest?(line: RequestLine): void;
  /**
   * Called after a change of the code: what runs new code from now on, or the sentence that says
   * why it does not build.
   */
  onReload?(change: CodeChange): void;
  /**
   * Called when a real service stops taking what is sent on to it, and when it takes it again, with
   * a sentence.
   */
  onForward?(sentence: string): void;
  /**
   * Called every few seconds while calls wait for an environment of a function, with a sentence.
   */
  onBacklog?(sentence: string): void;
  /** Called as start-up goes on, with what comes next. */
  onProgress?(step: string): void;
}

/** The cloud on this machine, running. */
export interface LocalCloud {
  addresses: {
    api: string;
    console: string;
    otlp: string;
    grpc: string;
    xray: string;
    dynamodb: string;
    lambda: string;
  };
  store: Store;
  /** @returns the functions that do not build at the moment; their calls answer 502 and say why. */
  buildFailures(): BuildFailure[];
  /** Resolves when no process and no port of it is left, and what had arrived is in the store. */
  stop(): Promise<void>;
}

/**
 * Starts everything that `serverless.yml` needs on loopback: DynamoDB with its tables, the
 * receivers and their store, Lambda, API Gateway and the console.
 * @throws {LocalFailure} for what the person at the terminal can put right: a port in use, a
 *   handler that does not build, a failing seed; nothing is left running then.
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

  inspectionOf(options);
  await refuseTakenPorts({ ...ports, ...(options.inspect && { inspect: options.inspect.port }) });
  try {
    const storeFile = await newRun(service.directory);
    const store = await openStore({ file: storeFile });
    stops.push(() => store.close());
    const sink = withEmf(store);
    onProgress('starting DynamoDB');
    const dynamodb = await start(
      () =>
        startDynamoDb({
          port: ports.dynamodb,
          region: service.region,
          tables: service.tables,
          origins: service.settings.origins,
        }),
      'dynamodb',
    );
    const xray = await start(() => startXray({ port: ports.xray, sink, store, service }), 'xray');
    const provided = Object.assign({}, ...service.functions.map((lambda) => lambda.environment));
    const forward = forwardTargets(provided);
    const telemetry = await start(
      () =>
        startReceivers({
          receivers: receiversWith(store, logGroupsOf(service)),
          port: ports.otlp,
          sink,
          forward,
          onForward: options.onForward,
          origins: service.settings.origins,
        }),
      'otlp',
    );
    const grpc = await start(() => startOtlpGrpc({ port: ports.grpc, sink }), 'grpc');
    let platform: LambdaPlatform | undefined;
    const invokeApi = await start(() => startInvokeApi({ service, port: ports.lambda, platform: () => platform }));
    const environment = localEnvironment(service, {
      dynamodb: dynamodb.endpoint,
      xray: xray.port,
      telemetry: telemetry.port,
      lambda: invokeApi.port,
    });

    onProgress('building the functions');
    let reload = (_keys: string[]) => {};
    const code = await start(() =>
      createCode(service, {
        onChange(change) {
          reload(change.keys);
          options.onReload?.(change);
        },
        ...(options.onWarning ? { onWarning: options.onWarning } : {}),
        bundler: options.bundler,
      }),
    );
    // After the handlers: what does not build is named as the handler's, also where a layer has it
    // in common.
    await buildLayers(service);
    const identity = await identityOf(service);
    const lambda = await start(() =>
      createLambdaPlatform({
        service: withVariables(service, { ...environment, ...service.settings.environment, ...identity }),
        sink,
        codeDirectory: async (lambda) => code.directoryOf(lambda),
        // Here too, since a function's own variables cannot set AWS's reserved ones.
        environment: { ...environment, ...service.settings.environment },
        ...runtimeClientOf(service),
        ...limitsOf(service),
        ...inspectionOf(options),
        ...(options.onBacklog && { onBacklog: options.onBacklog }),
      }),
    );
    reload = (keys) => lambda.reload(keys);
    platform = lambda;

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
      grpc: `http://127.0.0.1:${grpc.port}`,
      xray: `127.0.0.1:${xray.port}`,
      dynamodb: dynamodb.endpoint,
      lambda: `http://127.0.0.1:${invokeApi.port}`,
    };
    const gateway = await start(
      () => createGateway({ ...pass(options), service, lambda, sink, port: ports.api }),
      'api',
    );
    addresses.api = gateway.url;
    const buildFailures = () => code.failures();
    const console = await start(
      () => startConsole({ port: ports.console, store, service, addresses, buildFailures, takeSpans: spansInto(sink) }),
      'console',
    );
    addresses.console = `http://127.0.0.1:${console.port}`;
    await start(() => startQueues({ service, platform: lambda, report: options.onForward ?? (() => {}) }));
    if (service.settings.schedules !== false) await start(async () => startSchedules(service, lambda));
    stops.push(await writeRunRecord(storeFile, addresses));
    return { addresses, store, buildFailures, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A deployment makes them, whether anything is logged or not. */
function logGroupsOf({ functions }: LocalService): string[] {
  return functions.map(({ name, logging }) => logging?.logGroup ?? `/aws/lambda/${name}`);
}

function inspectionOf({ service, inspect }: LocalOptions): { inspect?: InspectOptions } {
  if (!inspect) return {};
  const keys = service.functions.map(({ key }) => key);
  if (keys.includes(inspect.functionKey)) return { inspect };
  throw new LocalFailure(`--inspect: the service has no function "${inspect.functionKey}". It has ${keys.join(', ')}.`);
}

function limitsOf({ settings: { accountConcurrency, maximumEnvironments } }: LocalService) {
  return { ...(accountConcurrency && { accountConcurrency }), ...(maximumEnvironments && { maximumEnvironments }) };
}

function pass({ sampling, onRequest }: LocalOptions) {
  return { ...(sampling ? { sampling } : {}), ...(onRequest ? { onRequest } : {}) };
}
