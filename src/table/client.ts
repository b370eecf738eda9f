import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { traceClient } from '@throughline/telemetry';
import { config } from '../config.ts';

/** Read at INIT, so that a missing table name fails before the first request. */
export const tableName = config.tableName();

// Give up an unanswered connection early enough to retry within the function's timeout.
const client = new DynamoDBClient({
  maxAttempts: 4,
  // Without `throwOnRequestTimeout` the SDK only logs a warning and waits on.
  requestHandler: { connectionTimeout: 1_000, requestTimeout: 2_000, throwOnRequestTimeout: true },
});

/** DynamoDB client with plain JavaScript values. Every call is a span. */
export const table = DynamoDBDocumentClient.from(traceClient(client), {
  marshallOptions: { removeUndefinedValues: true },
});
