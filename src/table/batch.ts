import { setTimeout as wait } from 'node:timers/promises';
import { BatchGetCommand, BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import { table, tableName } from './client.ts';

export type Key = { pk: string; sk: string };
type Item = Record<string, unknown>;

/** DynamoDB's own limits for one request. */
const getsPerRequest = 100;
const putsPerRequest = 25;

/**
 * Tries for unprocessed keys, which DynamoDB returns when it throttles or when an answer would
 * exceed 16 MB.
 */
const attempts = 6;

/**
 * Reads items by key, in no particular order. Missing items are left out; keys may repeat.
 * @throws when DynamoDB keeps returning keys unprocessed.
 */
export async function getItems(wanted: Key[]): Promise<Item[]> {
  const distinct = [...new Map(wanted.map((key) => [`${key.pk} ${key.sk}`, key])).values()];
  const chunks = await Promise.all(
    chunksOf(distinct, getsPerRequest).map(async (chunk) => {
      const found: Item[] = [];
      await untilDone(chunk, async (remaining) => {
        const answer = await table.send(new BatchGetCommand({ RequestItems: { [tableName]: { Keys: remaining } } }));
        found.push(...(answer.Responses?.[tableName] ?? []));
        return (answer.UnprocessedKeys?.[tableName]?.Keys ?? []) as Key[];
      });
      return found;
    }),
  );
  return chunks.flat();
}

/**
 * Puts items, each by itself. Some may be stored when this throws; calling it again with the same
 * items is safe.
 * @throws when DynamoDB keeps returning items unprocessed.
 */
export async function putItems(items: (Key & Item)[]): Promise<void> {
  await Promise.all(
    chunksOf(items, putsPerRequest).map((chunk) =>
      untilDone(chunk, async (remaining) => {
        const puts = remaining.map((Item) => ({ PutRequest: { Item } }));
        const answer = await table.send(new BatchWriteCommand({ RequestItems: { [tableName]: puts } }));
        return (answer.UnprocessedItems?.[tableName] ?? []).flatMap(
          (request) => (request.PutRequest?.Item ?? []) as (Key & Item)[],
        );
      }),
    ),
  );
}

async function untilDone<T>(work: T[], send: (remaining: T[]) => Promise<T[]>): Promise<void> {
  let remaining = work;
  for (let attempt = 1; remaining.length > 0; attempt++) {
    if (attempt > attempts)
      throw new Error(`DynamoDB left ${remaining.length} items of a batch unprocessed after ${attempts} tries.`);
    if (attempt > 1) await wait(Math.random() * 25 * 2 ** attempt);
    remaining = await send(remaining);
  }
}

function chunksOf<T>(all: T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}
