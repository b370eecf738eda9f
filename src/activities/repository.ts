import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { getItems, putItems } from '../table/batch.ts';
import { table, tableName } from '../table/client.ts';
import { ignoreConditionFailure } from '../table/condition-failure.ts';
import {
  byAuthor,
  byTimeline,
  byWord,
  deleteAfter,
  feedPartitions,
  keys,
  positionOf,
  timelines,
  wordPartitions,
} from '../table/keys.ts';
import { type Page, type PageResult, queryPage } from '../table/query.ts';
import { type Activity, mentionsIn } from './activity.ts';
import { wordsOf, wordsToIndex } from './words.ts';

/** An activity with the positions of its latest replies, newest first. */
export interface StoredActivity extends Activity {
  latestReplies: string[];
}

/** A filter expression holds at most 4 KB: further words of a search are checked in code. */
const wordsPerFilter = 20;

/**
 * Stores a new activity and its index items. Storing the same activity again changes nothing.
 * @returns whether it was new.
 */
export async function putActivity(activity: Activity): Promise<boolean> {
  const position = positionOf(activity);
  const expiry = { expires_at: activity.expires_at, delete_after: deleteAfter(activity.expires_at) };
  const words = wordsOf(activity.message);
  const reference = { uuid: activity.uuid, ...expiry };
  await putItems([
    ...wordsToIndex(words).map((word) => ({
      ...keys.word(word, activity.uuid, position),
      ...reference,
      words: new Set(words),
    })),
    ...mentionsIn(activity.message).map((handle) => ({
      ...keys.mention(activity.uuid, handle),
      ...reference,
      timeline: timelines.notifications(handle),
      position,
    })),
  ]);
  const put = new PutCommand({
    TableName: tableName,
    Item: {
      ...keys.activity(activity.uuid),
      ...activity,
      ...expiry,
      timeline: timelines.feed(activity.created_at, activity.uuid),
      author: activity.handle,
      position,
    },
    ConditionExpression: 'attribute_not_exists(pk)',
  });
  return ignoreConditionFailure(table.send(put));
}

/** @returns the activity, or undefined if it does not exist or has expired. */
export async function findActivity(uuid: string, now: Date): Promise<StoredActivity | undefined> {
  const get = new GetCommand({ TableName: tableName, Key: keys.activity(uuid), ConsistentRead: true });
  const { Item } = await table.send(get);
  return Item && isAlive(Item, now) ? toActivity(Item) : undefined;
}

/** @returns those activities that exist and have not expired, by uuid. */
export async function findActivities(uuids: string[], now: Date): Promise<Map<string, StoredActivity>> {
  const items = await getItems(uuids.map(keys.activity));
  const alive = items.filter((item) => isAlive(item, now)).map(toActivity);
  return new Map(alive.map((activity) => [activity.uuid, activity]));
}

/** @returns a page of everybody's activities. */
export async function listFeed(page: Page, now: Date): Promise<PageResult<StoredActivity>> {
  const items: StoredActivity[] = [];
  for (const partitions of feedPartitions(now, page.before)) {
    const missing = page.limit - items.length;
    const part = await queryPage(byTimeline, partitions, { ...page, limit: Math.max(missing, 1) }, { now });
    const last = items.at(-1);
    // If the page is full where a month begins, one item of an earlier month proves that there is a
    // next page.
    if (missing === 0 && last && part.items.length > 0) return { items, next: positionOf(last) };
    items.push(...part.items.map(toActivity));
    if (part.next) return { items, next: part.next };
  }
  return { items };
}

/** @returns a page of one user's activities. */
export async function listByAuthor(handle: string, page: Page, now: Date): Promise<PageResult<StoredActivity>> {
  const { items, next } = await queryPage(byAuthor, [handle], page, { now });
  return { items: items.map(toActivity), next };
}

/** @returns a page of the activities that have every word of `term` in them. */
export async function listByWords(term: string, page: Page, now: Date): Promise<PageResult<StoredActivity>> {
  const [first, ...others] = wordsOf(term);
  if (first === undefined) return { items: [] };
  const filter = { now, words: others.slice(0, wordsPerFilter) };
  const { items, next } = await queryPage(byWord, wordPartitions(first), page, filter);
  const activities = await findActivities(
    items.map(({ uuid }) => String(uuid)),
    now,
  );
  const found = items.flatMap(({ uuid }) => activities.get(String(uuid)) ?? []);
  const rest = others.slice(wordsPerFilter);
  return { items: found.filter(({ message }) => hasWords(message, rest)), next };
}

function hasWords(message: string, words: string[]): boolean {
  if (words.length === 0) return true;
  const has = new Set(wordsOf(message));
  return words.every((word) => has.has(word));
}

function isAlive(item: Record<string, unknown>, now: Date): boolean {
  return String(item.expires_at) > now.toISOString();
}

function toActivity(item: Record<string, unknown>): StoredActivity {
  const counted = item.counted_replies;
  return {
    uuid: String(item.uuid),
    display_name: String(item.display_name),
    handle: String(item.handle),
    message: String(item.message),
    replies_count: Number(item.replies_count),
    reposts_count: Number(item.reposts_count),
    likes_count: Number(item.likes_count),
    created_at: String(item.created_at),
    expires_at: String(item.expires_at),
    latestReplies: counted instanceof Set ? [...counted].map(String).sort().reverse() : [],
  };
}

/** @returns the public fields of a stored activity. */
export function shown({ latestReplies: _, ...activity }: StoredActivity): Activity {
  return activity;
}
