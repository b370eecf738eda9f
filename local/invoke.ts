import path from 'node:path';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { bundleHandlers } from './build/bundle.ts';
import { findHandlerSource } from './build/sources.ts';
import { localEnvironment } from './environment.ts';
import { startDynamoDb } from './platform/dynamodb/index.ts';
import { runSeed } from './platform/dynamodb/seed.ts';
import type { LocalFunction, LocalService } from './service/model.ts';
import { stateDirectory } from './state-directory.ts';

/** What `sls invoke local` must be told, and what must be ended after it. */
export interface InvocationSetup {
  /** Relative to the service's folder: where Serverless looks for the handler's file. */
  extraServicePath?: string;
  /** For `process.env`, over what Serverless has put there. */
  environment: Record<string, string>;
  stop(): Promise<void>;
}

/**
 * Makes one handler ready for `sls invoke local`: bundled when it is TypeScript, with the tables of the running `sls local`, or else with
 * tables of its own, seeded, for as long as the invocation lasts.
 * A function in another language gets the tables and no more: Serverless runs it by itself.
 * @throws {LocalFailure} when its handler is missing or broken.
 */
export async function prepareInvocation(service: LocalService, functionKey: string): Promise<InvocationSetup> {
  const lambda = service.functions.find(({ key }) => key === functionKey);
  const extraServicePath = lambda && (await bundle(lambda, service));
  const dynamodb = service.tables.length > 0 ? await dynamoDbFor(service, lambda) : undefined;
  return {
    ...(extraServicePath ? { extraServicePath } : {}),
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
  await bundleHandlers([source], directory, service.directory);
  return path.relative(service.directory, directory);
}

async function dynamoDbFor(service: LocalService, lambda?: LocalFunction) {
  const running = `http://127.0.0.1:${service.settings.ports.dynamodb}`;
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
