import { randomUUID } from 'node:crypto';
import { variables } from '../../test/fixtures/cruddur/in-process.ts';
import { startTable } from '../../test/fixtures/cruddur/table.ts';

/** What one page costs. */
export interface PageCost {
  page: string;
  requests: number;
  units: number;
}

interface Consumed {
  CapacityUnits?: number;
}

const count = 3_000;
const day = 86_400_000;

/**
 * Counts the requests to DynamoDB and the read units of each page of 20, over 3,000 activities of
 * the last 20 days, a quarter of them expired and not deleted yet.
 */
export async function measurePages(): Promise<PageCost[]> {
  const dynamoDb = await startTable();
  Object.assign(process.env, variables(dynamoDb.endpoint));
  // These read the table's name when they are loaded.
  const { table } = await import('../../src/table/client.ts');
  const { putItems } = await import('../../src/table/batch.ts');
  const { deleteAfter, keys, positionOf, timelines } = await import('../../src/table/keys.ts');
  const { homeActivities, notifications, searchActivities, userActivities } = await import(
    '../../src/activities/feeds.ts'
  );
  const { putProfile } = await import('../../src/users/repository.ts');
  const now = new Date();
  const items = Array.from({ length: count }, (_, index) => {
    const uuid = randomUUID();
    const handle = index % 2 ? 'bayko' : 'worf';
    const created_at = new Date(now.getTime() - (index / count) * 20 * day).toISOString();
    const expires_at = new Date(now.getTime() + (index % 4 === 3 ? -1_000 : day)).toISOString();
    const position = positionOf({ created_at, uuid });
    const expiry = { expires_at, delete_after: deleteAfter(expires_at) };
    const activity = {
      ...keys.activity(uuid),
      ...{ uuid, handle, display_name: handle, author: handle, position, created_at, ...expiry },
      message: `Cloud is fun, number ${index}, and a sentence of the length that people write`,
      ...{ replies_count: 0, reposts_count: 0, likes_count: 0 },
      timeline: timelines.feed(created_at, uuid),
    };
    const word = (text: string, expires: object) => ({
      ...keys.word(text, uuid, position),
      uuid,
      ...expires,
      words: new Set(['cloud', 'fun']),
    });
    const dead = { expires_at: new Date(now.getTime() - 1_000).toISOString(), delete_after: 1 };
    return [activity, word('cloud', expiry), word('gone', dead)];
  });
  // A few requests at a time: DynamoDB's stand-in has one thread.
  for (let index = 0; index < items.length; index += 100) await putItems(items.slice(index, index + 100).flat());
  for (const handle of ['bayko', 'worf']) {
    await putProfile({ uuid: randomUUID(), handle, display_name: handle, bio: '' });
  }

  let requests = 0;
  let units = 0;
  table.middlewareStack.add(
    (next) => async (call) => {
      Object.assign(call.input, { ReturnConsumedCapacity: 'TOTAL' });
      const result = await next(call);
      const { ConsumedCapacity } = result.output as { ConsumedCapacity?: Consumed | Consumed[] };
      requests += 1;
      for (const { CapacityUnits = 0 } of [ConsumedCapacity ?? []].flat()) units += CapacityUnits;
      return result;
    },
    { step: 'initialize', name: 'readUnits', priority: 'low' },
  );
  const page = { limit: 20 };
  const pages: [string, () => Promise<unknown>][] = [
    ['home', () => homeActivities(page, now)],
    ['search, a frequent word', () => searchActivities('cloud', page, now)],
    ['search, two frequent words', () => searchActivities('cloud fun', page, now)],
    ['search, without a living match', () => searchActivities('gone', page, now)],
    ['search, a word that is nowhere', () => searchActivities('nowhere', page, now)],
    ['user', () => userActivities('worf', page, now)],
    ['notifications', () => notifications({ id: 'worf', handle: 'worf' }, page, now)],
  ];
  const costs: PageCost[] = [];
  for (const [name, read] of pages) {
    requests = 0;
    units = 0;
    await read();
    costs.push({ page: name, requests, units });
  }
  await dynamoDb.stop();
  return costs;
}
