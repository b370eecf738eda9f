import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Key } from './batch.ts';
import { table, tableName } from './client.ts';
import type { List } from './keys.ts';

/** The page of a list to read, newest first. */
export interface Page {
  /** 1-100. */
  limit: number;
  /** Only items older than this position; absent for the first page. */
  before?: string;
}

export interface PageResult<T> {
  items: T[];
  /** The `before` of the next page; absent on the last page. */
  next?: string;
}

/** Selects items of a list. An item left out costs a read, but no place on the page. */
export interface Filter {
  /** Leaves out items that have expired at this time; absent: items of this list do not expire. */
  now?: Date;
  /** Leaves out items whose set `words` does not contain all of these. */
  words?: string[];
}

type Item = Record<string, unknown>;

/**
 * Requests per partition for one page. After these, the page is what was found so far, so that a
 * rare match does not end in a timeout.
 */
const requestsPerPartition = 10;

/**
 * Items that the first request reads at least when a filter is set. Few items are expired, since
 * DynamoDB removes them; most items that match one word of several lack the others. Each further
 * request reads twice as many, up to `mostReadAhead`, so that a page also passes hundreds of
 * expired activities.
 */
const readAhead = { expiry: 25, words: 100 };
const mostReadAhead = 1_000;

/**
 * Reads a page of a list that is spread over partitions: queries all of them at once and merges.
 * @returns at most `limit` items, newest first, and `next` if there are more. After a long search
 *   the page may be empty and still have a `next`.
 */
export async function queryPage(
  list: List,
  partitions: string[],
  page: Page,
  filter: Filter = {},
): Promise<PageResult<Item>> {
  const parts = await Promise.all(partitions.map((partition) => readPartition(list, partition, page, filter)));
  const at = (item: Item) => String(item[list.position]);
  // If one partition was given up early, show the others only as far back, or the next page would
  // overlap this one.
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
 * Reads one partition consistently.
 * @returns at most `limit` items whose sort key begins with `prefix.sk`, newest first.
 */
export async function queryPrefix(prefix: Key, limit: number): Promise<Item[]> {
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
  filter: Filter,
): Promise<{ items: Item[]; givenUpAt?: string }> {
  const { names, values, condition, expression } = expressions(list, partition, page, filter);
  // One more than the page holds tells whether there is a next page.
  const enough = page.limit + 1;
  const first = Math.max(enough, filter.now ? readAhead.expiry : 0, filter.words?.length ? readAhead.words : 0);
  const items: Item[] = [];
  let from: Record<string, unknown> | undefined;
  for (let request = 0; request < requestsPerPartition; request++) {
    const answer = await table.send(
      new QueryCommand({
        TableName: tableName,
        ...(list.index ? { IndexName: list.index } : {}),
        KeyConditionExpression: condition,
        ...(expression ? { FilterExpression: expression } : {}),
        ExpressionAttributeNames: names,
        ExpressionAttributeValues: values,
        ScanIndexForward: false,
        Limit: expression ? Math.min(first * 2 ** request, mostReadAhead) : first,
        ...(from ? { ExclusiveStartKey: from } : {}),
      }),
    );
    items.push(...(answer.Items ?? []));
    from = answer.LastEvaluatedKey;
    if (!from || items.length >= enough) return { items: items.slice(0, enough) };
  }
  return { items, givenUpAt: String(from?.[list.position]) };
}

function expressions(list: List, partition: string, page: Page, filter: Filter) {
  const names: Record<string, string> = { '#partition': list.partition };
  const values: Record<string, unknown> = { ':partition': partition };
  const filters: string[] = [];
  let condition = '#partition = :partition';
  if (page.before !== undefined) {
    names['#position'] = list.position;
    values[':before'] = page.before;
    condition += ' AND #position < :before';
  }
  if (filter.now) {
    values[':now'] = filter.now.toISOString();
    filters.push('expires_at > :now');
  }
  for (const [index, word] of (filter.words ?? []).entries()) {
    values[`:word${index}`] = word;
    filters.push(`contains(words, :word${index})`);
  }
  return { names, values, condition, expression: filters.join(' AND ') };
}
