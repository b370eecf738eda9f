import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Key } from './batch.ts';
import { table, tableName } from './client.ts';
import { type List, longestLifeMilliseconds } from './keys.ts';

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
 * Requests for one page, over all partitions. After these, the page is what was found so far, so
 * that a rare match costs neither a timeout nor hundreds of read units.
 */
const requestsPerPage = 9;

/** Read beside a partition's share of the page: how many are in which is a matter of chance. */
const spare = 4;
/** Most items that match one word of several lack the others. */
const firstForWords = 100;
const mostPerRequest = 1_000;

/** What has been read of one partition of a list, newest first. */
interface Part {
  partition: string;
  items: Item[];
  /** Items read, whether they matched or not. */
  scanned: number;
  /** The key of the last one; absent before the first request, and when all have been read. */
  from: Record<string, unknown> | undefined;
  isRead: boolean;
}

/**
 * Reads a page of a list that is spread over partitions: queries all of them at once for about
 * their share of the page, and reads on in those alone that may have more of it.
 * @returns at most `limit` items, newest first, and `next` if there are more. After a long search
 *   the page may be empty and still have a `next`.
 */
export async function queryPage(
  list: List,
  partitions: string[],
  page: Page,
  filter: Filter = {},
): Promise<PageResult<Item>> {
  const at = (item: Item): string => String(item[list.position]);
  const parts = partitions.map(
    (partition): Part => ({ partition, items: [], scanned: 0, from: undefined, isRead: false }),
  );
  // One more than the page holds tells whether there is a next page.
  const enough = page.limit + 1;
  const newest = (): Item[] => parts.flatMap(({ items }) => items).sort((a, b) => (at(a) < at(b) ? 1 : -1));
  for (let requests = 0; requests < requestsPerPage; ) {
    const found = newest();
    const last = found[enough - 1];
    const needed = parts.filter(({ isRead, from }) => !isRead && !(last && from && at(from) < at(last)));
    if (needed.length === 0) break;
    const batch = needed.slice(0, requestsPerPage - requests);
    const limit = limitFor(parts, enough - found.length, filter);
    await Promise.all(batch.map((part) => readOn(list, part, page, filter, limit)));
    requests += batch.length;
  }
  // Where a partition was not read to its end, the others are shown only as far back, or the next
  // page would overlap this one.
  const horizon = parts.reduce((latest, { from }) => (from && at(from) > latest ? at(from) : latest), '');
  const merged = newest().filter((item) => at(item) >= horizon);
  const items = merged.slice(0, page.limit);
  const last = items.at(-1);
  if (merged.length > page.limit && last) return { items, next: at(last) };
  return horizon ? { items, next: horizon } : { items };
}

/** @returns how many items each partition is to be read for, by how many have matched so far. */
function limitFor(parts: Part[], missing: number, filter: Filter): number {
  const share = Math.ceil(Math.max(missing, 1) / parts.length) + spare;
  const scanned = parts.reduce((sum, part) => sum + part.scanned, 0);
  if (scanned === 0) return filter.words?.length ? Math.max(share, firstForWords) : share;
  const matched = parts.reduce((sum, { items }) => sum + items.length, 0);
  return Math.min(mostPerRequest, Math.ceil((share * scanned) / Math.max(matched, 0.01)));
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

/** Reads on in one partition, from where it was left. */
async function readOn(list: List, part: Part, page: Page, filter: Filter, limit: number): Promise<void> {
  const { names, values, condition, expression } = expressions(list, part.partition, page, filter);
  const answer = await table.send(
    new QueryCommand({
      TableName: tableName,
      ...(list.index ? { IndexName: list.index } : {}),
      KeyConditionExpression: condition,
      ...(expression ? { FilterExpression: expression } : {}),
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values,
      ScanIndexForward: false,
      Limit: limit,
      ...(part.from ? { ExclusiveStartKey: part.from } : {}),
    }),
  );
  // BETWEEN takes its end as well.
  part.items.push(...(answer.Items ?? []).filter((item) => item[list.position] !== page.before));
  part.scanned += answer.ScannedCount ?? limit;
  part.from = answer.LastEvaluatedKey;
  part.isRead = part.from === undefined;
}

/** @returns the condition on the position, for the part of a list that a page can be in. */
function rangeOf(before: string | undefined, now: Date | undefined) {
  // Nothing older than the longest life can be alive, however late DynamoDB deletes it.
  const oldest = now && new Date(now.getTime() - longestLifeMilliseconds).toISOString();
  if (oldest === undefined || (before !== undefined && before < oldest)) {
    return before === undefined ? undefined : { condition: '#position < :before', values: { ':before': before } };
  }
  if (before === undefined) return { condition: '#position >= :oldest', values: { ':oldest': oldest } };
  const values = { ':oldest': oldest, ':before': before };
  return { condition: '#position BETWEEN :oldest AND :before', values };
}

function expressions(list: List, partition: string, page: Page, filter: Filter) {
  const names: Record<string, string> = { '#partition': list.partition };
  const values: Record<string, unknown> = { ':partition': partition };
  const filters: string[] = [];
  const range = rangeOf(page.before, filter.now);
  if (range) {
    names['#position'] = list.position;
    Object.assign(values, range.values);
  }
  const condition = ['#partition = :partition', ...(range ? [range.condition] : [])].join(' AND ');
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
