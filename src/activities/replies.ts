import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { getItems } from '../table/batch.ts';
import { table, tableName } from '../table/client.ts';
import { ignoreConditionFailure } from '../table/condition-failure.ts';
import { deleteAfter, keys, positionOf, timelines } from '../table/keys.ts';
import { queryPrefix } from '../table/query.ts';
import type { Activity, Reply } from './activity.ts';
import type { StoredActivity } from './repository.ts';

/**
 * Replies shown with each activity of a feed: a page of 20 then takes one BatchGetItem, which holds
 * 100 keys.
 */
export const nestedReplies = 5;

/** Replies shown with one activity. */
const shownReplies = 100;

/**
 * Counted replies that an activity remembers at least, for the feed's nesting. At twice as many,
 * the oldest are dropped.
 */
const rememberedReplies = 32;

/**
 * A counted reply is remembered at least this long. A later retry finds it stored and does not
 * count it again.
 */
const retriesEndMilliseconds = 60_000;

/**
 * The most positions to remember: 2,000 of 61 bytes fit easily into DynamoDB's item limit of 400
 * KB.
 */
const mostRemembered = 2_000;

/**
 * Stores a reply and lists it in the notifications of the activity's author. Called again with the
 * same reply, it does not count it again.
 * @returns whether it was new.
 */
export async function putReply(reply: Reply, activity: Activity): Promise<boolean> {
  const position = positionOf(reply);
  const put = new PutCommand({
    TableName: tableName,
    Item: {
      ...keys.reply(activity.uuid, position),
      ...reply,
      expires_at: activity.expires_at,
      delete_after: deleteAfter(activity.expires_at),
      timeline: timelines.notifications(activity.handle),
      position,
    },
    ConditionExpression: 'attribute_not_exists(pk)',
  });
  const isNew = await ignoreConditionFailure(table.send(put));
  // An old reply may be counted and no longer remembered: counting it now could count it twice.
  if (isNew || isRecent(position)) await countReply(activity.uuid, position);
  return isNew;
}

/**
 * Increments the count and remembers the reply's position in one write, so that a retry changes
 * nothing. The remembered positions also give a feed the latest replies without a query per
 * activity.
 */
async function countReply(activityUuid: string, position: string): Promise<void> {
  const update = new UpdateCommand({
    TableName: tableName,
    Key: keys.activity(activityUuid),
    UpdateExpression: 'ADD replies_count :one, counted_replies :this',
    ConditionExpression: 'attribute_exists(pk) AND NOT contains(counted_replies, :position)',
    ExpressionAttributeValues: { ':one': 1, ':this': new Set([position]), ':position': position },
    ReturnValues: 'UPDATED_NEW',
  });
  const answer = table.send(update);
  if (!(await ignoreConditionFailure(answer))) return;
  const counted = (await answer).Attributes?.counted_replies;
  if (counted instanceof Set) await forgetOldest(activityUuid, [...counted].map(String).sort());
}

function isRecent(position: string): boolean {
  return position >= new Date(Date.now() - retriesEndMilliseconds).toISOString();
}

async function forgetOldest(activityUuid: string, counted: string[]): Promise<void> {
  if (counted.length < 2 * rememberedReplies) return;
  const old = counted.slice(0, -rememberedReplies).filter((position) => !isRecent(position));
  const forgotten = counted.length - old.length > mostRemembered ? counted.slice(0, -mostRemembered / 2) : old;
  if (forgotten.length === 0) return;
  await table.send(
    new UpdateCommand({
      TableName: tableName,
      Key: keys.activity(activityUuid),
      UpdateExpression: 'DELETE counted_replies :forgotten',
      ExpressionAttributeValues: { ':forgotten': new Set(forgotten) },
    }),
  );
}

/** @returns the latest replies to one activity, newest first. */
export async function listReplies(activityUuid: string): Promise<Reply[]> {
  const items = await queryPrefix(keys.reply(activityUuid, ''), shownReplies);
  return items.map(toReply);
}

/** @returns the latest replies to each of `activities`, newest first, by the activity's uuid. */
export async function latestReplies(activities: StoredActivity[]): Promise<Map<string, Reply[]>> {
  const wanted = activities.flatMap(({ uuid, latestReplies }) =>
    latestReplies.slice(0, nestedReplies).map((position) => keys.reply(uuid, position)),
  );
  const replies = (await getItems(wanted)).map(toReply).sort((a, b) => (positionOf(a) < positionOf(b) ? 1 : -1));
  return Map.groupBy(replies, ({ reply_to_activity_uuid }) => reply_to_activity_uuid);
}

export function toReply(item: Record<string, unknown>): Reply {
  return {
    uuid: String(item.uuid),
    reply_to_activity_uuid: String(item.reply_to_activity_uuid),
    display_name: String(item.display_name),
    handle: String(item.handle),
    message: String(item.message),
    replies_count: Number(item.replies_count),
    reposts_count: Number(item.reposts_count),
    likes_count: Number(item.likes_count),
    created_at: String(item.created_at),
  };
}
