import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { config } from '../config.ts';
import { traceClient } from '../telemetry/aws-sdk.ts';

/** Read at INIT, so that a function without a table says so before its first request. */
export const tableName = config.tableName();

// A function's own timeout is seconds away: a connection that does not answer is given up early enough to be tried
// again.
const client = new DynamoDBClient({
  maxAttempts: 4,
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000 },
});

/** DynamoDB in plain JavaScript values; every call is a span. */
export const table = DynamoDBDocumentClient.from(traceClient(client), {
  marshallOptions: { removeUndefinedValues: true },
});
