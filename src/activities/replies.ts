import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { getItems } from '../table/batch.ts';
import { table, tableName } from '../table/client.ts';
import { happensOnce } from '../table/conditional.ts';
import { deleteAfter, keys, positionOf, timelines } from '../table/keys.ts';
import { newestBelow } from '../table/newest.ts';
import type { Activity, Reply } from './activity.ts';
import type { StoredActivity } from './repository.ts';

/** Replies shown with each activity of a feed, so that a page of 20 takes one BatchGetItem, which ends at 100. */
export const nestedReplies = 5;

/** Replies shown with one activity. */
const shownReplies = 100;

/**
 * So many counted replies are remembered at least, for the feed's nesting; beyond twice as many the older ones are
 * forgotten.
 */
const rememberedReplies = 32;

/** A reply is remembered as counted at least so long: what is tried again later was counted by an earlier try. */
const retriesEndMilliseconds = 60_000;

/** However many replies come at once, an item of 400 KB holds so many positions of 61 bytes with room to spare. */
const mostRemembered = 2_000;

/**
 * Stores a reply, counts it once however often it is called with it, and tells the author of `activity`, in whose
 * notifications it appears.
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
  const isNew = await happensOnce(table.send(put));
  // One that was stored long ago may be counted and forgotten, and would be counted twice.
  if (isNew || isRecent(position)) await countReply(activity.uuid, position);
  return isNew;
}

/**
 * Adds one to the count and remembers which reply it was, in one write that a second try finds done.
 * The memory is also what tells a feed the activity's latest replies without a query for each.
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
  if (!(await happensOnce(answer))) return;
  const counted = (await answer).Attributes?.['counted_replies'];
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
  const items = await newestBelow(keys.reply(activityUuid, ''), shownReplies);
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
    uuid: String(item['uuid']),
    reply_to_activity_uuid: String(item['reply_to_activity_uuid']),
    display_name: String(item['display_name']),
    handle: String(item['handle']),
    message: String(item['message']),
    replies_count: Number(item['replies_count']),
    reposts_count: Number(item['reposts_count']),
    likes_count: Number(item['likes_count']),
    created_at: String(item['created_at']),
  };
}
