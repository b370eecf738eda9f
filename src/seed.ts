import { type Activity, lifetimes, type Reply } from './activities/activity.ts';
import { putReply } from './activities/replies.ts';
import { findActivity, putActivity } from './activities/repository.ts';
import { groupUuidOf, uuidFromName } from './messages/message.ts';
import { listMessages, putMessage } from './messages/repository.ts';
import { putProfile } from './users/repository.ts';
import type { Profile } from './users/user.ts';

/*
 * `node src/seed.ts` fills the table TABLE_NAME with the course's sample data, using the API's own writes. Running it
 * again changes nothing.
 */

const hour = 3_600_000;
const day = 24 * hour;
const minute = 60_000;

/** The namespace of the seed's uuids, which are the same in each run. */
const seedNamespace = '0c6d7a52-1f0b-4c5c-8f0e-2f4f6f6f3d11';

const users = [
  profile('andrewbrown', 'Andrew Brown'),
  profile('worf', 'Worf'),
  profile('bayko', 'Andrew Bayko'),
  profile('londo', 'Londo Mollari'),
  profile('altbrown', 'Alt Brown'),
  profile('garek', 'Garek'),
];

const conversation = [
  ['andrewbrown', 'Have you ever watched Babylon 5? It is one of my favourite TV shows!'],
  ['bayko', 'Yes! I have seen it. What did you think of the first season?'],
  ['andrewbrown', 'It is slow to begin with, but it lays the ground for everything that follows.'],
  ['bayko', 'That is what I found too. The second season is where it takes off.'],
  ['andrewbrown', 'The arrival of Captain Sheridan changes the whole station.'],
  ['bayko', 'And G’Kar and Londo: two of the best characters ever written.'],
  ['andrewbrown', 'Their story is a tragedy, and a comedy, often within one scene.'],
  ['bayko', 'The Shadow War kept me awake for weeks.'],
  ['andrewbrown', 'Who are you? What do you want? I still ask myself both.'],
  ['bayko', 'The effects have aged, but the writing has not.'],
  ['andrewbrown', 'They were made on Amigas, which is remarkable in itself.'],
  ['bayko', 'Shall we watch it again, one episode a week?'],
  ['andrewbrown', 'I am in. Friday?'],
  ['bayko', 'Friday it is.'],
] as const;

await seed(new Date());

async function seed(now: Date): Promise<void> {
  await Promise.all(users.map(putProfile));
  const cloud = await addActivity(now, {
    uuid: '68f126b0-1ceb-4a33-88be-d90fa7109eee',
    handle: 'andrewbrown',
    message: 'Cloud is very fun!',
    created_at: before(now, 2 * day),
    expires_at: after(now, 5 * day),
    likes_count: 5,
  });
  await addReply(
    cloud,
    '26e12864-1c26-5c3a-9658-97a10f8fea67',
    'worf',
    'This post has no honor!',
    before(now, 2 * day - hour),
  );
  await addActivity(now, {
    uuid: '66e12864-8c26-4c3a-9658-95a10f8fea67',
    handle: 'worf',
    message: 'I am out of prune juice',
    created_at: before(now, 7 * day),
    expires_at: after(now, 9 * day),
  });
  await addActivity(now, {
    uuid: '248959df-3079-4947-b847-9e0892d1bab4',
    handle: 'garek',
    message: 'My dear doctor, I am just simple tailor',
    created_at: before(now, hour),
    expires_at: after(now, lifetimes['12-hours'] - hour),
  });
  await addConversation(now);
}

function profile(handle: string, display_name: string): Profile {
  return { uuid: uuidFromName(seedNamespace, handle), handle, display_name, bio: '' };
}

function before(now: Date, milliseconds: number): string {
  return new Date(now.getTime() - milliseconds).toISOString();
}

function after(now: Date, milliseconds: number): string {
  return new Date(now.getTime() + milliseconds).toISOString();
}

/** Keeps an existing activity: the keys of its other items depend on its times. */
async function addActivity(
  now: Date,
  given: Pick<Activity, 'uuid' | 'handle' | 'message' | 'created_at' | 'expires_at'> & { likes_count?: number },
): Promise<Activity | undefined> {
  if (await findActivity(given.uuid, now)) return undefined;
  const counts = { likes_count: 0, replies_count: 0, reposts_count: 0 };
  const activity: Activity = { ...counts, ...given, display_name: nameOf(given.handle) };
  await putActivity(activity);
  return activity;
}

async function addReply(
  activity: Activity | undefined,
  uuid: string,
  handle: string,
  message: string,
  created_at: string,
): Promise<void> {
  if (!activity) return;
  const counts = { likes_count: 0, replies_count: 0, reposts_count: 0 };
  const names = { handle, display_name: nameOf(handle) };
  const reply: Reply = { uuid, reply_to_activity_uuid: activity.uuid, ...names, message, ...counts, created_at };
  await putReply(reply, activity);
}

async function addConversation(now: Date): Promise<void> {
  const [andrew, bayko] = ['andrewbrown', 'bayko'].map(userOf);
  const group = groupUuidOf(andrew?.uuid ?? '', bayko?.uuid ?? '');
  if ((await listMessages(group)).length > 0) return;
  for (const [index, [handle, message]] of conversation.entries()) {
    await putMessage(
      {
        uuid: uuidFromName(seedNamespace, `message ${index}`),
        message_group_uuid: group,
        handle,
        display_name: nameOf(handle),
        message,
        created_at: before(now, (conversation.length - index) * minute),
      },
      handle === 'bayko' ? 'andrewbrown' : 'bayko',
    );
  }
}

function userOf(handle: string): Profile | undefined {
  return users.find((user) => user.handle === handle);
}

function nameOf(handle: string): string {
  return userOf(handle)?.display_name ?? handle;
}
