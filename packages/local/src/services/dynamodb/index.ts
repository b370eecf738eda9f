import { Worker } from 'node:worker_threads';
import { CreateTableCommand, type CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { idleLimitMilliseconds } from '../../http/listen.ts';
import { LocalFailure } from '../../local-failure.ts';
import type { LocalTable } from '../../service/model.ts';

/** This machine's name inside a container. */
const containerHosts = ['host.docker.internal'];

export interface LocalDynamoDb {
  port: number;
  /** `http://127.0.0.1:<port>`, for `AWS_ENDPOINT_URL_DYNAMODB`. */
  endpoint: string;
  stop(): Promise<void>;
}

/**
 * Starts the embedded DynamoDB (dynalite, in memory) on loopback and makes the template's tables in
 * it.
 * @param options.port 0 for any free one.
 * @throws {LocalFailure} when a table's definition is refused; an error with `code` `EADDRINUSE`
 *   when the port is taken.
 */
export async function startDynamoDb(options: {
  port: number;
  region: string;
  tables: LocalTable[];
  /** Web origins whose pages may call it. */
  origins?: readonly string[];
}): Promise<LocalDynamoDb> {
  const workerData = {
    port: options.port,
    caller: import.meta.url,
    keepAliveMilliseconds: idleLimitMilliseconds,
    loopback: { hosts: containerHosts, origins: options.origins ?? [] },
  };
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData });
  const stop = async () => void (await worker.terminate());
  try {
    const port = await listening(worker, options.port);
    const endpoint = `http://127.0.0.1:${port}`;
    await createTables(endpoint, options.region, options.tables);
    return { port, endpoint, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function listening(worker: Worker, port: number): Promise<number> {
  const message = await new Promise<{ port?: number; failed?: string }>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  if (message.port !== undefined) return message.port;
  throw Object.assign(new Error(`The embedded DynamoDB did not start on port ${port}`), { code: message.failed });
}

/**
 * What CreateTable takes of a template's table; the rest (TTL, backups, tags, encryption) has no
 * meaning in memory.
 */
const tableProperties = [
  'TableName',
  'KeySchema',
  'AttributeDefinitions',
  'BillingMode',
  'ProvisionedThroughput',
  'GlobalSecondaryIndexes',
  'LocalSecondaryIndexes',
] as const;

const indexProperties = ['IndexName', 'KeySchema', 'Projection', 'ProvisionedThroughput'];

async function createTables(endpoint: string, region: string, tables: LocalTable[]): Promise<void> {
  const client = new DynamoDBClient({
    endpoint,
    region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  try {
    for (const { logicalId, tableName, properties } of tables) {
      const input = Object.fromEntries(
        tableProperties.flatMap((key) =>
          properties[key] === undefined ? [] : [[key, trimIndexes(key, properties[key])]],
        ),
      );
      try {
        await client.send(new CreateTableCommand({ ...input, TableName: tableName } as CreateTableCommandInput));
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new LocalFailure(`resources.Resources.${logicalId} is not a table that DynamoDB accepts: ${reason}`);
      }
    }
  } finally {
    client.destroy();
  }
}

function trimIndexes(key: string, value: unknown): unknown {
  if (!key.endsWith('SecondaryIndexes') || !Array.isArray(value)) return value;
  return value.map((index: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(index).filter(([name]) => indexProperties.includes(name))),
  );
}
