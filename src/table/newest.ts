import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Key } from './batch.ts';
import { table, tableName } from './client.ts';

/** A part of a list, newest first. */
export interface Page {
  /** 1-100. */
  limit: number;
  /** The position that the page comes after; absent on the first. */
  before?: string;
}

/** @template T what is listed */
export interface Paged<T> {
  items: T[];
  /** What the next page comes after; absent on the last. */
  next?: string;
}

/** A list in the table: the index it is in (absent: the table itself) and the names of its two key attributes. */
export interface List {
  index?: string;
  partition: string;
  position: string;
}

export const byTimeline: List = { index: 'by-timeline', partition: 'timeline', position: 'position' };
export const byAuthor: List = { index: 'by-author', partition: 'author', position: 'position' };
export const byWord: List = { partition: 'pk', position: 'sk' };

/** What of a list is wanted; an item that does not fit costs a read but no place on the page. */
export interface Wanted {
  /** Leaves out what has expired by then; absent: items of this list do not expire. */
  now?: Date;
  /** Leaves out what has not all of these in its set `words`. */
  words?: string[];
}

type Item = Record<string, unknown>;

/**
 * Requests per partition for one page: past these, what was found so far is the page, so that a rare match costs no
 * caller a timeout.
 */
const requestsPerPartition = 10;

/**
 * Items read by the first request at least, where a filter discards some: few of what has expired, as DynamoDB removes
 * it, and most of what has one word of several. Each request after it reads twice as many as the one before, up to
 * `mostReadAhead`: where much is discarded, as of somebody who wrote hundreds of activities for an hour each, a page
 * shall still come to what is alive.
 */
const readAhead = { expiry: 25, words: 100 };
const mostReadAhead = 1_000;

/**
 * Reads a page of a list that is spread over partitions, by asking all of them at once and merging.
 * @returns at most `limit` items, newest first, and where to go on if there are more: after a long search that may be
 * an empty page.
 */
export async function newest(list: List, partitions: string[], page: Page, wanted: Wanted = {}): Promise<Paged<Item>> {
  const parts = await Promise.all(partitions.map((partition) => readPartition(list, partition, page, wanted)));
  const at = (item: Item) => String(item[list.position]);
  // Where one partition was given up, the others may be shown only as far back, or the next page would have to come
  // before this one.
  const horizon =
    parts
      .map(({ givenUpAt }) => givenUpAt ?? '')
      .sort()
      .at(-1) ?? '';
  const merged = parts
    .flatMap(({ items }) => items)
    .filter((item) => at(item) >= horizon)
    .sort((a, b) => (at(a) < at(b) ? 1 : -1));
  const items = merged.slice(0, page.limit);
  const last = items.at(-1);
  if (merged.length > page.limit && last) return { items, next: at(last) };
  return horizon ? { items, next: horizon } : { items };
}

/**
 * @returns the items of one partition whose sort key begins with `prefix.sk`, newest first, at most `limit`, as they
 * are at this moment.
 */
export async function newestBelow(prefix: Key, limit: number): Promise<Item[]> {
  const query = new QueryCommand({
    TableName: tableName,
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
    ExpressionAttributeValues: { ':pk': prefix.pk, ':prefix': prefix.sk },
    ScanIndexForward: false,
    Limit: limit,
    ConsistentRead: true,
  });
  return (await table.send(query)).Items ?? [];
}

async function readPartition(
  list: List,
  partition: string,
  page: Page,
  wanted: Wanted,
): Promise<{ items: Item[]; givenUpAt?: string }> {
  const { names, values, condition, filter } = expressions(list, partition, page, wanted);
  // One more than the page holds tells whether there is a next page.
  const enough = page.limit + 1;
  const first = Math.max(enough, wanted.now ? readAhead.expiry : 0, wanted.words?.length ? readAhead.words : 0);
  const items: Item[] = [];
  let from: Record<string, unknown> | undefined;
  for (let request = 0; request < requestsPerPartition; request++) {
    const answer = await table.send(
      new QueryCommand({
        TableName: tableName,
        ...(list.index ? { IndexName: list.index } : {}),
        KeyConditionExpression: condition,
        ...(filter ? { FilterExpression: filter } : {}),
        ExpressionAttributeNames: names,
        ExpressionAttributeValues: values,
        ScanIndexForward: false,
        Limit: filter ? Math.min(first * 2 ** request, mostReadAhead) : first,
        ...(from ? { ExclusiveStartKey: from } : {}),
      }),
    );
    items.push(...(answer.Items ?? []));
    from = answer.LastEvaluatedKey;
    if (!from || items.length >= enough) return { items: items.slice(0, enough) };
  }
  return { items, givenUpAt: String(from?.[list.position]) };
}

function expressions(list: List, partition: string, page: Page, wanted: Wanted) {
  const names: Record<string, string> = { '#partition': list.partition };
  const values: Record<string, unknown> = { ':partition': partition };
  const filters: string[] = [];
  let condition = '#partition = :partition';
  if (page.before !== undefined) {
    names['#position'] = list.position;
    values[':before'] = page.before;
    condition += ' AND #position < :before';
  }
  if (wanted.now) {
    values[':now'] = wanted.now.toISOString();
    filters.push('expires_at > :now');
  }
  for (const [index, word] of (wanted.words ?? []).entries()) {
    values[`:word${index}`] = word;
    filters.push(`contains(words, :word${index})`);
  }
  return { names, values, condition, filter: filters.join(' AND ') };
}
