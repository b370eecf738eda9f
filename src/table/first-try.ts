import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { table, tableName } from './client.ts';
import { happensOnce } from './conditional.ts';
import { keys } from './keys.ts';

/** What all tries of one request have in common: every item that it writes gets its key and its times from this. */
export interface Origin {
  /** Of the activity, reply or message that it makes. */
  uuid: string;
  now: Date;
}

/** What is remembered of the first try of a request. */
export interface FirstTry {
  uuid: string;
  created_at: string;
  /** Of what was asked: the same in all tries. */
  fingerprint: string;
}

/** How long the tries of one request are known as such. */
const rememberedSeconds = 24 * 60 * 60;

/**
 * @param id of the request, the same in all its tries.
 * @param mine what is remembered if no try came before this one.
 * @returns what the first try said of itself, which may be this one.
 */
export async function firstTry(id: string, mine: FirstTry): Promise<FirstTry> {
  const now = Math.floor(Date.parse(mine.created_at) / 1000);
  const put = new PutCommand({
    TableName: tableName,
    Item: { ...keys.request(id), ...mine, delete_after: now + rememberedSeconds },
    // DynamoDB removes what is past its time days late.
    ConditionExpression: 'attribute_not_exists(pk) OR delete_after <= :now',
    ExpressionAttributeValues: { ':now': now },
  });
  if (await happensOnce(table.send(put))) return mine;
  const get = new GetCommand({ TableName: tableName, Key: keys.request(id), ConsistentRead: true });
  const { Item } = await table.send(get);
  if (!Item) throw new Error('The first try of a request was removed while it was looked up.');
  return {
    uuid: String(Item['uuid']),
    created_at: String(Item['created_at']),
    fingerprint: String(Item['fingerprint']),
  };
}
