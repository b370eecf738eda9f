import { runSeed } from 'serverless-throughline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Activity, Reply } from '../../src/activities/activity.ts';
import { type Api, json, nextPage } from '../fixtures/cruddur/api.ts';
import { variables } from '../fixtures/cruddur/in-process.ts';
import { expectProblem } from './contract/caller.ts';

const hour = 3_600_000;
const day = 24 * hour;

/**
 * Behaviour that only shows with several users, with time passed, or with several writes at once;
 * the handlers run in this process.
 */
export function storage(start: () => Promise<Api & { endpoint: string }>): void {
  let api: Api & { endpoint: string };
  let activities: typeof import('../../src/activities/repository.ts');
  let replies: typeof import('../../src/activities/replies.ts');
  let messages: typeof import('../../src/messages/repository.ts');
  let client: typeof import('../../src/table/client.ts');
  beforeAll(async () => {
    api = await start();
    // They read the table's name when they are loaded, which is known only now.
    activities = await import('../../src/activities/repository.ts');
    replies = await import('../../src/activities/replies.ts');
    messages = await import('../../src/messages/repository.ts');
    client = await import('../../src/table/client.ts');
  });
  afterAll(() => api?.stop());

  const get = (path: string) => api.send('GET', path);
  const post = (path: string, body: unknown) => api.send('POST', path, { body });
  async function as<T>(handle: string | undefined, work: () => Promise<T>): Promise<T> {
    api.signIn?.(handle);
    return work().finally(() => api.signIn?.('andrewbrown'));
  }
  const create = async (message: string) => json<Activity>(await post('/api/activities', { message, ttl: '1-day' }));

  function activityOf(created: number, expires: number, message = 'written by the suite'): Activity {
    return {
      uuid: crypto.randomUUID(),
      handle: 'altbrown',
      display_name: 'altbrown',
      message,
      replies_count: 0,
      reposts_count: 0,
      likes_count: 0,
      created_at: new Date(created).toISOString(),
      expires_at: new Date(expires).toISOString(),
    };
  }

  describe('identity', () => {
    const closed: [string, string][] = [
      ['GET', '/api/activities/notifications'],
      ['POST', '/api/activities'],
      ['POST', '/api/activities/68f126b0-1ceb-4a33-88be-d90fa7109eee/reply'],
      ['GET', '/api/message_groups'],
      ['GET', '/api/messages/@bayko'],
      ['POST', '/api/messages'],
      ['POST', '/api/profile/update'],
    ];
    it.each(closed)('is checked first for %s %s: 401 without it', async (method, path) => {
      await as(undefined, async () => {
        const answer = await api.send(method, path, { body: 'no JSON' });
        await expectProblem(answer, 401);
        expect(answer.headers['www-authenticate']).toBe('Bearer');
      });
    });
    it('is not needed for public routes', async () => {
      await as(undefined, async () => {
        const open = ['home', 'search?term=fun', '@worf', '68f126b0-1ceb-4a33-88be-d90fa7109eee'];
        for (const path of open) expect((await get(`/api/activities/${path}`)).status).toBe(200);
        expect((await get('/api/users/@worf/short')).status).toBe(200);
      });
    });
    it('is never the default user once an issuer is configured', async () => {
      process.env.IDENTITY_ISSUER = 'https://issuer.example';
      try {
        const headers = { Authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbmRyZXdicm93biJ9.' };
        await expectProblem(api.send('GET', '/api/message_groups', { headers }), 401);
      } finally {
        delete process.env.IDENTITY_ISSUER;
      }
    });
    it('without a profile cannot write: 422 names the handle, in order', async () => {
      await as('ghost', async () => {
        const answers = [
          await post('/api/activities', { message: 'boo', ttl: '1-day' }),
          await post('/api/activities/68f126b0-1ceb-4a33-88be-d90fa7109eee/reply', { message: 'boo' }),
          await post('/api/messages', { message: 'boo', handle: 'worf' }),
        ];
        expect(answers.map(json)).toEqual([['user_handle_blank'], ['user_handle_blank'], ['user_sender_handle_blank']]);
      });
    });
  });

  describe('somebody without a profile', () => {
    it.each<[string, unknown, string[]]>([
      ['/api/activities', {}, ['ttl_blank', 'user_handle_blank', 'message_blank']],
      ['/api/activities/%20/reply', {}, ['user_handle_blank', 'activity_uuid_blank', 'message_blank']],
      [
        '/api/messages',
        { caller: 'worf' },
        ['user_sender_handle_blank', 'user_reciever_handle_blank', 'message_group_uuid_blank', 'message_blank'],
      ],
    ])('who posts nothing to %s is told of every failed check at once, in order', async (path, body, codes) => {
      const answer = await as('ghost', () => post(path, body));
      expect([answer.status, json(answer)]).toEqual([422, codes]);
    });
  });

  describe('several users', () => {
    it('are notified of replies and mentions only', async () => {
      const { uuid } = await create('what do @londo and @WORF say? not mail@bayko.example');
      const reply = await as('londo', async () =>
        json<Reply>(await post(`/api/activities/${uuid}/reply`, { message: 'x' })),
      );
      const told = async (handle: string) =>
        as(handle, async () => json<Activity[]>(await get('/api/activities/notifications')).map((item) => item.uuid));
      expect(await told('londo')).toEqual([uuid]);
      expect(await told('worf')).toEqual([uuid]);
      expect(await told('bayko')).toEqual([]);
      expect((await told('andrewbrown'))[0]).toBe(reply.uuid);
    });
    it("cannot tell other people's message groups from unknown ones: 404", async () => {
      const sent = await as('worf', () => post('/api/messages', { message: 'between us', handle: 'londo' }));
      const { message_group_uuid } = json<{ message_group_uuid: string }>(sent);
      await expectProblem(get(`/api/messages/${message_group_uuid}`), 404);
      await expectProblem(post('/api/messages', { message: 'hi', message_group_uuid }), 404);
      const read = await as('londo', () => get(`/api/messages/${message_group_uuid}`));
      expect(json(read)).toMatchObject([{ message: 'between us', handle: 'worf' }]);
      const seen = await as('londo', () => get('/api/message_groups'));
      expect(json<unknown[]>(seen)[0]).toMatchObject({ handle: 'worf', message: 'between us' });
    });
    it("cannot use each other's cursors", async () => {
      for (const handle of ['worf', 'londo']) await post('/api/messages', { message: 'hi', handle });
      const next = nextPage(await get('/api/message_groups?limit=1')) ?? '';
      expect((await get(next)).status).toBe(200);
      const foreign = await as('worf', () => get(next));
      expect([foreign.status, json(foreign)]).toEqual([422, ['cursor_invalid']]);
    });
  });

  describe('what has expired', () => {
    it('is never shown, even before DynamoDB removes it', async () => {
      const now = Date.now();
      const gone = activityOf(now - hour, now - 1000, 'expired @andrewbrown gonebynow');
      await activities.putActivity(gone);
      await expectProblem(get(`/api/activities/${gone.uuid}`), 404);
      await expectProblem(get(`/api/activities/@altbrown/status/${gone.uuid}`), 404);
      await expectProblem(post(`/api/activities/${gone.uuid}/reply`, { message: 'late' }), 404);
      for (const list of [
        'home?limit=100',
        '@altbrown?',
        'notifications?limit=100',
        'search?term=gonebynow&limit=100',
      ]) {
        const listed = json<Activity[]>(await get(`/api/activities/${list}`));
        expect([list, listed.filter(({ uuid }) => uuid === gone.uuid)]).toEqual([list, []]);
      }
    });
    it('does not shorten a page', async () => {
      const now = Date.now();
      const alive = activityOf(now - hour, now + hour, 'alivebelow');
      await activities.putActivity(alive);
      const expired = Array.from({ length: 320 }, (_, index) => activityOf(now - index, now - 1, 'alivebelow'));
      for (let index = 0; index < expired.length; index += 40) {
        await Promise.all(expired.slice(index, index + 40).map(activities.putActivity));
      }
      const listed = json<Activity[]>(await get('/api/activities/search?term=alivebelow&limit=1'));
      expect(listed.map(({ uuid }) => uuid)).toEqual([alive.uuid]);
      expect(json<Activity[]>(await get('/api/activities/@altbrown?limit=1'))[0]?.uuid).toBe(alive.uuid);
    });
    it("expires by delete_after in epoch seconds, as DynamoDB's TTL does", async () => {
      const { uuid, expires_at } = await create('removed in a day');
      const { GetCommand } = await import('@aws-sdk/lib-dynamodb');
      const key = { pk: `ACTIVITY#${uuid}`, sk: 'ACTIVITY' };
      const { Item } = await client.table.send(new GetCommand({ TableName: client.tableName, Key: key }));
      expect(Item?.delete_after).toBe(Math.ceil(Date.parse(expires_at) / 1000));
    });
  });

  describe('the feed', () => {
    it('pages back over months, as far as an activity can live', async () => {
      const now = Date.now();
      const spread = Array.from({ length: 29 }, (_, index) =>
        activityOf(now - index * day - hour, now + day, 'monthly'),
      );
      await Promise.all(spread.map(activities.putActivity));
      const listed: Activity[] = [];
      let next: string | undefined = '/api/activities/home?limit=3';
      while (next) {
        const answer = await get(next);
        listed.push(...json<Activity[]>(answer));
        next = nextPage(answer);
      }
      const monthly = listed.filter(({ message }) => message === 'monthly').map(({ uuid }) => uuid);
      expect(monthly).toEqual(spread.map(({ uuid }) => uuid));
      expect(new Set(listed.map(({ uuid }) => uuid)).size).toBe(listed.length);
    });
    it('spreads simultaneous writes over its shards', async () => {
      const { timelines } = await import('../../src/table/keys.ts');
      const now = new Date().toISOString();
      const partitions = Array.from({ length: 200 }, () => timelines.feed(now, crypto.randomUUID()));
      const counts = Object.values(Object.groupBy(partitions, (partition) => partition)).map((shard) => shard?.length);
      expect(counts).toHaveLength(4);
      expect(Math.min(...counts.map(Number))).toBeGreaterThan(20);
    });
  });

  describe('a search for a rare pair of frequent words', () => {
    it('finds every match, over pages that may be empty', async () => {
      const now = Date.now();
      const first = activityOf(now - 2 * hour, now + hour, 'oftenword rareword');
      await activities.putActivity(first);
      const others = Array.from({ length: 120 }, (_, index) => activityOf(now - index, now + hour, 'oftenword'));
      for (let index = 0; index < others.length; index += 30) {
        await Promise.all(others.slice(index, index + 30).map(activities.putActivity));
      }
      const found: string[] = [];
      let next: string | undefined = '/api/activities/search?term=oftenword+rareword&limit=1';
      while (next) {
        const answer = await get(next);
        found.push(...json<Activity[]>(answer).map(({ uuid }) => uuid));
        next = nextPage(answer);
      }
      expect(found).toEqual([first.uuid]);
    });
  });

  describe('writes at once', () => {
    it('of 40 replies are all counted and stored', async () => {
      const { uuid } = await create('reply, all of you');
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, index) => post(`/api/activities/${uuid}/reply`, { message: `reply ${index}` })),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array(40).fill(200));
      const shown = json<Activity & { replies: Reply[] }>(await get(`/api/activities/${uuid}`));
      expect(shown.replies_count).toBe(40);
      expect(new Set(shown.replies.map((reply) => reply.uuid)).size).toBe(40);
    });
    it('of first messages between two users create one group', async () => {
      const sent = await Promise.all([
        ...Array.from({ length: 5 }, () => post('/api/messages', { message: 'me first', handle: 'garek' })),
      ]);
      expect(new Set(sent.map((answer) => json<{ message_group_uuid: string }>(answer).message_group_uuid)).size).toBe(
        1,
      );
      const groups = json<{ handle: string }[]>(await get('/api/message_groups'));
      expect(groups.filter(({ handle }) => handle === 'garek')).toHaveLength(1);
    });
  });

  describe('a write that is tried again', () => {
    it('leaves one activity, found once', async () => {
      const activity = activityOf(Date.now(), Date.now() + hour, 'onceonly @andrewbrown');
      expect([await activities.putActivity(activity), await activities.putActivity(activity)]).toEqual([true, false]);
      const found = json<Activity[]>(await get('/api/activities/search?term=onceonly'));
      expect(found.map(({ uuid }) => uuid)).toEqual([activity.uuid]);
    });
    it('does not undo later changes of the activity', async () => {
      const activity = activityOf(Date.now(), Date.now() + hour);
      await activities.putActivity(activity);
      await post(`/api/activities/${activity.uuid}/reply`, { message: 'counted' });
      await activities.putActivity(activity);
      expect(json(await get(`/api/activities/${activity.uuid}`))).toMatchObject({ replies_count: 1 });
    });
    it('leaves one reply, counted once, even with many simultaneous tries', async () => {
      const activity = activityOf(Date.now(), Date.now() + hour);
      await activities.putActivity(activity);
      const reply: Reply = {
        ...activityOf(Date.now(), 0),
        uuid: crypto.randomUUID(),
        reply_to_activity_uuid: activity.uuid,
      };
      const tries = await Promise.all(Array.from({ length: 10 }, () => replies.putReply(reply, activity)));
      expect(tries.filter(Boolean)).toHaveLength(1);
      await replies.putReply(reply, activity);
      const shown = json<Activity & { replies: Reply[] }>(await get(`/api/activities/${activity.uuid}`));
      expect([shown.replies_count, shown.replies.map(({ uuid }) => uuid)]).toEqual([1, [reply.uuid]]);
    });
    it('leaves one message, and does not move the group back to it', async () => {
      const now = Date.now();
      const group = crypto.randomUUID();
      const message = (text: string, at: number) => ({
        uuid: crypto.randomUUID(),
        message_group_uuid: group,
        handle: 'londo',
        display_name: 'Londo Mollari',
        message: text,
        created_at: new Date(at).toISOString(),
      });
      const [earlier, later] = [message('earlier', now), message('later', now + 1)];
      const tries = [earlier, later, earlier].map((message) => () => messages.putMessage(message, 'bayko'));
      const isNew: boolean[] = [];
      for (const attempt of tries) isNew.push(await attempt());
      expect(isNew).toEqual([true, true, false]);
      await as('bayko', async () => {
        expect(json<unknown[]>(await get(`/api/messages/${group}`))).toMatchObject([
          { message: 'earlier' },
          { message: 'later' },
        ]);
        const groups = json<{ uuid: string; message: string }[]>(await get('/api/message_groups'));
        expect(groups.filter(({ uuid }) => uuid === group)).toMatchObject([{ message: 'later' }]);
      });
    });
  });

  describe('the memory of counted replies', () => {
    it('drops the oldest and keeps counting and nesting', async () => {
      const activity = activityOf(Date.now(), Date.now() + hour);
      await activities.putActivity(activity);
      const reply = (index: number): Reply => ({
        ...activityOf(Date.now() - 2 * hour + index * 1000, 0, `reply ${index}`),
        reply_to_activity_uuid: activity.uuid,
      });
      const sent = Array.from({ length: 70 }, (_, index) => reply(index));
      for (const one of sent) await replies.putReply(one, activity);
      const stored = await activities.findActivity(activity.uuid, new Date());
      expect(stored?.replies_count).toBe(70);
      expect(stored?.latestReplies.length).toBeLessThan(64);
      const feed = json<(Activity & { replies: Reply[] })[]>(await get('/api/activities/home?limit=100'));
      const nested = feed.find(({ uuid }) => uuid === activity.uuid)?.replies.map(({ message }) => message);
      expect(nested).toEqual(['reply 69', 'reply 68', 'reply 67', 'reply 66', 'reply 65']);
      // As somebody may who tries again after minutes, with an idempotency key.
      for (const one of sent) await replies.putReply(one, activity);
      expect(json(await get(`/api/activities/${activity.uuid}`))).toMatchObject({ replies_count: 70 });
    });
  });

  describe('the seed', () => {
    it('changes nothing when it runs again', async () => {
      const before = [await get('/api/activities/@worf'), await get('/api/messages/@bayko')].map(({ text }) => text);
      await runSeed('src/seed.ts', process.cwd(), variables(api.endpoint));
      const after = [await get('/api/activities/@worf'), await get('/api/messages/@bayko')].map(({ text }) => text);
      expect(after).toEqual(before);
    });
  });
}
