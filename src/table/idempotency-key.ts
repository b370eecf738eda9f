import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { table, tableName } from './client.ts';
import { ignoreConditionFailure } from './condition-failure.ts';
import { keys } from './keys.ts';

/**
 * Shared by all tries of one request: the keys and times of every item that it writes follow from
 * this.
 */
export interface WriteIdentity {
  /** The uuid of the activity, reply or message that the request creates. */
  uuid: string;
  now: Date;
}

/** The stored record of a request's first try. */
export interface FirstTry {
  uuid: string;
  created_at: string;
  /** A hash of the path and body, the same in all tries. */
  fingerprint: string;
}

/** How long an idempotency key is remembered. */
const rememberedSeconds = 24 * 60 * 60;

/**
 * Stores `mine` as the first try of request `id`, unless an earlier try is stored.
 * @param id the same in all tries of the request.
 * @returns the record of the first try, which may be `mine`.
 */
export async function claimIdempotencyKey(id: string, mine: FirstTry): Promise<FirstTry> {
  const now = Math.floor(Date.parse(mine.created_at) / 1000);
  const put = new PutCommand({
    TableName: tableName,
    Item: { ...keys.request(id), ...mine, delete_after: now + rememberedSeconds },
    // DynamoDB's TTL deletes items up to days late.
    ConditionExpression: 'attribute_not_exists(pk) OR delete_after <= :now',
    ExpressionAttributeValues: { ':now': now },
  });
  if (await ignoreConditionFailure(table.send(put))) return mine;
  const get = new GetCommand({ TableName: tableName, Key: keys.request(id), ConsistentRead: true });
  const { Item } = await table.send(get);
  if (!Item) throw new Error('The first try of the request expired while it was looked up.');
  return {
    uuid: String(Item.uuid),
    created_at: String(Item.created_at),
    fingerprint: String(Item.fingerprint),
  };
}
