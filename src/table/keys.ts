import { createHash } from 'node:crypto';

/*
 * One table. `pk` and `sk` are its key. An item of a list ordered by time also has `timeline` (or `author`) and
 * `position`, the keys of the two indexes: one write puts it into its lists, so no list can miss a stored item.
 *
 * | item          | pk                      | sk                  | timeline (by-timeline)      | author (by-author) |
 * | ------------- | ----------------------- | ------------------- | --------------------------- | ------------------ |
 * | user          | USER#<handle>           | PROFILE             |                             |                    |
 * | activity      | ACTIVITY#<uuid>         | ACTIVITY            | FEED#<month>#<shard>        | <handle>           |
 * | its reply     | ACTIVITY#<uuid>         | REPLY#<position>    | NOTIFICATIONS#<its author>  |                    |
 * | its mention   | ACTIVITY#<uuid>         | MENTION#<handle>    | NOTIFICATIONS#<handle>      |                    |
 * | a word in it  | WORD#<word>#<shard>     | <position>          |                             |                    |
 * | group member  | GROUP#<uuid>            | MEMBER#<handle>     | GROUPS#<handle>             |                    |
 * | message       | GROUP#<uuid>            | MESSAGE#<position>  |                             |                    |
 * | first try     | REQUEST#<hash>          | FIRST_TRY           |                             |                    |
 *
 * `position` is `<created_at>#<uuid>`: it sorts by time, is unique, and is the content of a cursor.
 *
 * Heat: the feed and frequent words are spread over shards by the activity's uuid. A partition key takes 1,000 writes a
 * second, so the feed takes 4,000 activities a second. A page reads every shard at once, of each about its share,
 * and merges. The month in the key bounds the size of a shard. No activity lives longer than 30 days, so a page reads
 * two months, rarely three.
 *
 * Expiry: `delete_after` is DynamoDB's TTL attribute. TTL deletes up to days late, so every query also filters by
 * `expires_at`.
 *
 * No write spans items. The index items of an activity are written first and the activity last, so a visible activity
 * is complete. Every key follows from ids made before the first try, so a retry writes the same items again.
 */

/**
 * A list in the table: its index (absent: the table itself) and the names of the index's two key
 * attributes.
 */
export interface List {
  index?: string;
  partition: string;
  position: string;
}

export const byTimeline: List = { index: 'by-timeline', partition: 'timeline', position: 'position' };
export const byAuthor: List = { index: 'by-author', partition: 'author', position: 'position' };
export const byWord: List = { partition: 'pk', position: 'sk' };

/** Enough for thousands of writes a second, few enough to query all of them for every page. */
export const shards = 4;

const dayMilliseconds = 86_400_000;

/** The longest lifetime of an activity, and so how far back the feed is read. */
export const longestLifeMilliseconds = 30 * dayMilliseconds;

export const keys = {
  user: (handle: string) => ({ pk: `USER#${handle}`, sk: 'PROFILE' }),
  activity: (uuid: string) => ({ pk: `ACTIVITY#${uuid}`, sk: 'ACTIVITY' }),
  reply: (activityUuid: string, position: string) => ({ pk: `ACTIVITY#${activityUuid}`, sk: `REPLY#${position}` }),
  mention: (activityUuid: string, handle: string) => ({ pk: `ACTIVITY#${activityUuid}`, sk: `MENTION#${handle}` }),
  word: (word: string, uuid: string, position: string) => ({ pk: wordPartition(word, shardOf(uuid)), sk: position }),
  member: (groupUuid: string, handle: string) => ({ pk: `GROUP#${groupUuid}`, sk: `MEMBER#${handle}` }),
  message: (groupUuid: string, position: string) => ({ pk: `GROUP#${groupUuid}`, sk: `MESSAGE#${position}` }),
  request: (id: string) => ({ pk: `REQUEST#${id}`, sk: 'FIRST_TRY' }),
};

export const timelines = {
  notifications: (handle: string) => `NOTIFICATIONS#${handle}`,
  groups: (handle: string) => `GROUPS#${handle}`,
  /** The partition of the feed that an activity is written to. */
  feed: (createdAt: string, uuid: string) => feedPartition(monthOf(createdAt), shardOf(uuid)),
};

/**
 * @returns the position of an item in its list: it sorts by time, and by uuid within a millisecond.
 */
export function positionOf(item: { created_at: string; uuid: string }): string {
  return `${item.created_at}#${item.uuid}`;
}

/** @returns seconds since the epoch, the unit of DynamoDB's TTL. */
export function deleteAfter(expiresAt: string): number {
  return Math.ceil(Date.parse(expiresAt) / 1000);
}

/**
 * @returns the partitions of the feed by month, newest month first, from the page's first
 *   position (or now) back to the oldest activity that can be alive.
 */
export function feedPartitions(now: Date, before?: string): string[][] {
  const newest = monthOf(before ?? now.toISOString());
  const oldest = monthOf(new Date(now.getTime() - longestLifeMilliseconds).toISOString());
  const months: string[] = [];
  for (let month = newest; month >= oldest; month = monthBefore(month)) months.push(month);
  return months.map((month) => everyShard((shard) => feedPartition(month, shard)));
}

/** @returns the partitions of the word index for `word`. */
export function wordPartitions(word: string): string[] {
  return everyShard((shard) => wordPartition(word, shard));
}

function everyShard(partition: (shard: number) => string): string[] {
  return Array.from({ length: shards }, (_, shard) => partition(shard));
}

function shardOf(uuid: string): number {
  return createHash('sha1').update(uuid).digest().readUInt32BE(0) % shards;
}

const feedPartition = (month: string, shard: number) => `FEED#${month}#${shard}`;
const wordPartition = (word: string, shard: number) => `WORD#${word}#${shard}`;
const monthOf = (timestamp: string) => timestamp.slice(0, 7);

function monthBefore(month: string): string {
  const firstDay = Date.parse(`${month}-01T00:00:00Z`);
  return monthOf(new Date(firstDay - dayMilliseconds).toISOString());
}
