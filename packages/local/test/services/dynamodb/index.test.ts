import { request } from 'node:http';
import { createServer } from 'node:net';
import { DescribeTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterEach, describe, expect, it } from 'vitest';
import { type LocalDynamoDb, startDynamoDb } from '../../../src/services/dynamodb/index.ts';

const region = 'us-east-1';
const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
const stock = {
  logicalId: 'Stock',
  tableName: 'stock',
  properties: {
    KeySchema: [{ AttributeName: 'item', KeyType: 'HASH' }],
    AttributeDefinitions: [
      { AttributeName: 'item', AttributeType: 'S' },
      { AttributeName: 'shelf', AttributeType: 'S' },
    ],
    BillingMode: 'PAY_PER_REQUEST',
    GlobalSecondaryIndexes: [
      {
        IndexName: 'by-shelf',
        KeySchema: [{ AttributeName: 'shelf', KeyType: 'HASH' }],
        Projection: { ProjectionType: 'ALL' },
        ContributorInsightsSpecification: { Enabled: true },
      },
    ],
    TimeToLiveSpecification: { AttributeName: 'expires', Enabled: true },
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    Tags: [{ Key: 'a', Value: 'b' }],
  },
};

let running: LocalDynamoDb | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

describe('the embedded DynamoDB', () => {
  it("makes a template's table with its indexes, leaving out what has no meaning in memory", async () => {
    running = await startDynamoDb({ port: 0, region, tables: [stock] });
    const client = new DynamoDBClient({ endpoint: running.endpoint, region, credentials });
    const { Table } = await client.send(new DescribeTableCommand({ TableName: 'stock' }));
    expect(Table?.GlobalSecondaryIndexes?.map(({ IndexName }) => IndexName)).toEqual(['by-shelf']);
    await client.send(new PutItemCommand({ TableName: 'stock', Item: { item: { S: 'tea' } } }));
    const { Item } = await client.send(new GetItemCommand({ TableName: 'stock', Key: { item: { S: 'tea' } } }));
    expect(Item).toEqual({ item: { S: 'tea' } });
    client.destroy();
  });

  it('names the resource that DynamoDB refuses, and leaves nothing running', async () => {
    const broken = { ...stock, logicalId: 'Broken', properties: { KeySchema: [] } };
    await expect(startDynamoDb({ port: 0, region, tables: [broken] })).rejects.toThrow(
      /^resources\.Resources\.Broken is not a table that DynamoDB accepts: .+/,
    );
  });

  it('says by its code that a port is taken', async () => {
    const other = createServer();
    const port = await new Promise<number>((resolve) => {
      other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port));
    });
    await expect(startDynamoDb({ port, region, tables: [] })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await new Promise((resolve) => other.close(resolve));
  });

  it('answers no web page and no other host name: 403, and the tables are as they were', async () => {
    running = await startDynamoDb({ port: 0, region, tables: [stock], origins: ['http://localhost:5173'] });
    const { endpoint, port } = running;
    const list = (headers: Record<string, string>) =>
      new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
        const sent = request(endpoint, { method: 'POST', headers: { ...signed, ...headers } }, (answer) => {
          let body = '';
          answer.on('data', (chunk) => (body += chunk)).on('end', () => resolve({ status: answer.statusCode, body }));
        });
        sent.on('error', reject).end('{}');
      });
    const signed = {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.ListTables',
      authorization:
        'AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=a',
      'x-amz-date': '20260101T000000Z',
    };
    expect(await list({})).toEqual({ status: 200, body: '{"TableNames":["stock"]}' });
    expect(await list({ origin: 'http://localhost:5173' })).toMatchObject({ status: 200 });
    expect(await list({ origin: 'https://evil.example' })).toMatchObject({ status: 403 });
    expect(await list({ host: `evil.example:${port}` })).toMatchObject({ status: 403 });
  });
});
