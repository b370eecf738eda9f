import path from 'node:path';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { bundleHandlers } from '../bundle/bundle.ts';
import { findHandlerSource } from '../bundle/sources.ts';
import { linkPackagedFiles } from '../bundle/task-root.ts';
import type { LocalFunction, LocalService } from '../service/model.ts';
import { runSeed } from '../service/scripts.ts';
import { stateDirectory } from '../service/state-directory.ts';
import { startDynamoDb } from '../services/dynamodb/index.ts';
import { newestRunRecord } from '../store/runs/run-record.ts';
import { localEnvironment } from './endpoint-variables.ts';

/** What `sls invoke local` must be told, and what must be ended after it. */
export interface InvocationSetup {
  /** Relative to the service's folder: where Serverless looks for the handler's file. */
  extraServicePath?: string;
  /** For the environment of `sls invoke local`, over what Serverless has put there. */
  environment: Record<string, string>;
  /** The DynamoDB with the service's tables; absent for a service without tables. */
  dynamodb?: string;
  stop(): Promise<void>;
}

/**
 * Makes one handler ready for `sls invoke local`: bundled when it is TypeScript, with the tables of
 * the running `sls local`, or else with tables of its own, seeded, for as long as the invocation
 * lasts. A function in another language gets the tables and no more: Serverless runs it by itself.
 * @param isBuilt the service's own bundler makes the handler ready.
 * @throws {LocalFailure} when its handler is missing or broken.
 */
export async function prepareInvocation(
  service: LocalService,
  functionKey: string,
  isBuilt = false,
): Promise<InvocationSetup> {
  const lambda = service.functions.find(({ key }) => key === functionKey);
  const extraServicePath = lambda && !isBuilt ? await bundle(lambda, service) : undefined;
  const dynamodb = service.tables.length > 0 ? await dynamoDbFor(service, lambda) : undefined;
  return {
    ...(extraServicePath ? { extraServicePath } : {}),
    ...(dynamodb && { dynamodb: dynamodb.endpoint }),
    environment: {
      ...(dynamodb ? localEnvironment(service, { dynamodb: dynamodb.endpoint }) : {}),
      ...service.settings.environment,
    },
    stop: async () => dynamodb?.stop(),
  };
}

async function bundle(lambda: LocalFunction, service: LocalService): Promise<string | undefined> {
  const source = findHandlerSource(lambda, service.directory);
  if (source.kind === 'javascript') return undefined;
  const directory = await stateDirectory(service.directory, 'invoke');
  await bundleHandlers([source], directory, service.directory, service.bundle);
  await linkPackagedFiles(service.packagePatterns ?? [], service.directory, directory);
  return path.relative(service.directory, directory);
}

async function dynamoDbFor(service: LocalService, lambda?: LocalFunction) {
  const record = await newestRunRecord(service.directory);
  const running = record?.addresses.dynamodb ?? `http://127.0.0.1:${service.settings.ports.dynamodb}`;
  if (await hasTables(running, service)) return { endpoint: running, stop: async () => {} };
  const own = await startDynamoDb({ port: 0, region: service.region, tables: service.tables });
  const { seed, environment } = service.settings;
  if (seed) {
    const variables = {
      ...Object.assign({}, ...service.functions.map(({ environment: own }) => own), lambda?.environment),
      ...environment,
      ...localEnvironment(service, { dynamodb: own.endpoint }),
    };
    await runSeed(seed, service.directory, variables).catch(async (error) => {
      await own.stop();
      throw error;
    });
  }
  return own;
}

async function hasTables(endpoint: string, service: LocalService): Promise<boolean> {
  const client = new DynamoDBClient({
    endpoint,
    region: service.region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  try {
    const { TableNames = [] } = await client.send(new ListTablesCommand({}), {
      abortSignal: AbortSignal.timeout(1_000),
    });
    return service.tables.every(({ tableName }) => TableNames.includes(tableName));
  } catch {
    // Nothing listens there, or something that is no DynamoDB.
    return false;
  } finally {
    client.destroy();
  }
}
