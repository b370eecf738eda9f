import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Api, json, nextPage, type SendOptions } from '../fixtures/cruddur/api.ts';

export const cloudIsFun = '68f126b0-1ceb-4a33-88be-d90fa7109eee';
const unknownUuid = '00000000-0000-4000-8000-000000000000';

interface Listed {
  uuid: string;
  handle: string;
  message: string;
  created_at: string;
  replies?: Listed[];
}

/** Every route of the contract as its caller sees it, over a table with the seed in it, signed in as andrewbrown. */
export function contract(start: () => Promise<Api>): void {
  let api: Api;
  beforeAll(async () => {
    api = await start();
  });
  afterAll(() => api?.stop());

  const get = (path: string, options?: SendOptions) => api.send('GET', path, options);
  const post = (path: string, body: unknown, headers?: Record<string, string>) =>
    api.send('POST', path, { body, ...(headers ? { headers } : {}) });
  const uniqueWord = () => `w${Math.random().toString(36).slice(2)}x`;
  const create = async (message: string, ttl = '1-day') =>
    json<Listed & Record<string, unknown>>(await post('/api/activities', { message, ttl }));

  describe('GET /api/health-check', () => {
    it('says that the API runs', async () => {
      const answer = await get('/api/health-check');
      expect([answer.status, json(answer)]).toEqual([200, { success: true, ver: 1 }]);
      expect(answer.headers['content-type']).toBe('application/json');
    });
  });

  describe('GET /api/activities/home', () => {
    it('lists the seed newest first, with the last replies nested', async () => {
      const answer = await get('/api/activities/home?limit=100');
      expect(answer.status).toBe(200);
      const home = json<Listed[]>(answer);
      const times = home.map(({ created_at }) => created_at);
      expect(times).toEqual([...times].sort().reverse());
      const seeded = home.filter(({ message }) => /simple tailor|very fun|prune juice/.test(message));
      expect(seeded.map(({ handle }) => handle)).toEqual(['garek', 'andrewbrown', 'worf']);
      const cloud = home.find(({ uuid }) => uuid === cloudIsFun);
      expect(cloud).toMatchObject({
        handle: 'andrewbrown',
        display_name: expect.any(String),
        message: 'Cloud is very fun!',
        likes_count: 5,
        reposts_count: 0,
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      });
      expect(cloud?.replies?.at(-1)).toMatchObject({
        uuid: '26e12864-1c26-5c3a-9658-97a10f8fea67',
        reply_to_activity_uuid: cloudIsFun,
        handle: 'worf',
        display_name: 'Worf',
        message: 'This post has no honor!',
        replies_count: 0,
      });
      expect(Object.keys(cloud ?? {}).sort()).toEqual(
        ['uuid', 'display_name', 'handle', 'message', 'replies_count', 'reposts_count', 'likes_count']
          .concat('created_at', 'expires_at', 'replies')
          .sort(),
      );
    });

    it('shows an activity as soon as it is written', async () => {
      const { uuid } = await create('to be seen at once');
      expect(json<Listed[]>(await get('/api/activities/home'))[0]?.uuid).toBe(uuid);
    });
  });

  describe('pages', () => {
    it.each(['home', 'notifications', 'search?term=paged', '@andrewbrown'])(
      'of %s, one by one, are the whole',
      async (list) => {
        const word = uniqueWord();
        for (let index = 0; index < 5; index++) await create(`paged @andrewbrown ${word}`);
        const path = `/api/activities/${list}`;
        const separator = path.includes('?') ? '&' : '?';
        const all = json<Listed[]>(await get(`${path}${separator}limit=100`));
        const paged: Listed[] = [];
        let next: string | undefined = `${path}${separator}limit=2`;
        let rounds = 0;
        while (next && rounds++ < 100) {
          const answer: Answer = await get(next);
          expect(answer.status).toBe(200);
          expect(json<Listed[]>(answer).length).toBeLessThanOrEqual(2);
          paged.push(...json<Listed[]>(answer));
          next = nextPage(answer);
        }
        expect(all.length).toBeGreaterThanOrEqual(5);
        expect(paged.map(({ uuid }) => uuid)).toEqual(all.map(({ uuid }) => uuid));
      },
    );

    it('have no link after the last item, also when the page is just full', async () => {
      const word = uniqueWord();
      for (let index = 0; index < 3; index++) await create(word);
      expect(nextPage(await get(`/api/activities/search?term=${word}&limit=3`))).toBeUndefined();
      expect(nextPage(await get(`/api/activities/search?term=${word}&limit=2`))).toBeDefined();
    });

    const paths = [
      '/api/activities/home?',
      '/api/activities/notifications?',
      '/api/activities/search?term=fun&',
      '/api/activities/@andrewbrown?',
      '/api/message_groups?',
    ];
    describe.each(paths)('%s', (path) => {
      it.each(['0', '101', 'abc', '1.5', '', '-1', '1e1', '%201', '1000000000'])(
        'refuses limit=%s with 422 limit_invalid',
        async (limit) => {
          const answer = await get(`${path}limit=${limit}`);
          expect([answer.status, json(answer)]).toEqual([422, ['limit_invalid']]);
        },
      );
      it.each(['', 'abc', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', '%00'])(
        'refuses cursor=%s with 422 cursor_invalid',
        async (cursor) => {
          const answer = await get(`${path}cursor=${cursor}`);
          expect([answer.status, json(answer)]).toEqual([422, ['cursor_invalid']]);
        },
      );
      it('takes the limits 1 and 100', async () => {
        expect((await get(`${path}limit=1`)).status).toBe(200);
        expect((await get(`${path}limit=100`)).status).toBe(200);
      });
    });

    it('take the last of two limits, as API Gateway does', async () => {
      expect((await get('/api/activities/home?limit=abc&limit=1')).status).toBe(200);
      expect((await get('/api/activities/home?limit=1&limit=abc')).status).toBe(422);
    });

    it('refuse a cursor of another route, of another search, and one with a changed character', async () => {
      const next = nextPage(await get('/api/activities/home?limit=1')) ?? '';
      const cursor = new URL(next, 'http://localhost').searchParams.get('cursor') ?? '';
      const own = await get(`/api/activities/home?limit=3&cursor=${cursor}`);
      expect(own.status).toBe(200);
      const changed = cursor.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'));
      const foreign = [
        `/api/activities/notifications?cursor=${cursor}`,
        `/api/activities/@worf?cursor=${cursor}`,
        `/api/activities/home?cursor=${changed}`,
        `/api/activities/home?cursor=${cursor}!`,
        `/api/activities/home?cursor=${cursor}&cursor=`,
      ];
      for (const path of foreign) {
        const answer = await get(path);
        expect([path, answer.status, json(answer)]).toEqual([path, 422, ['cursor_invalid']]);
      }
    });

    it('name every failed check in order', async () => {
      const answer = await get('/api/activities/search?cursor=x&limit=0&term=%20');
      expect(json(answer)).toEqual(['search_term_blank', 'limit_invalid', 'cursor_invalid']);
    });
  });

  describe('GET /api/activities/search', () => {
    it('finds a word whatever its case, and the last page has no link', async () => {
      const answer = await get('/api/activities/search?term=PRUNE');
      expect(json<Listed[]>(answer)).toMatchObject([{ handle: 'worf', message: 'I am out of prune juice' }]);
      expect(answer.headers['link']).toBeUndefined();
    });
    it('finds all words together, in any order, and nothing that lacks one', async () => {
      expect(json<Listed[]>(await get('/api/activities/search?term=juice%20prune'))).toHaveLength(1);
      expect(json<Listed[]>(await get('/api/activities/search?term=juice%20tailor'))).toEqual([]);
    });
    it.each(['', '?term=', '?term=%20%09'])('answers 422 search_term_blank to "%s"', async (query) => {
      const answer = await get(`/api/activities/search${query}`);
      expect([answer.status, json(answer)]).toEqual([422, ['search_term_blank']]);
    });
    it.each(['!!!', '%F0%9F%98%80', 'nobodywrotethis', "'%3B--", '__proto__', 'constructor', 'x'.repeat(3000)])(
      'finds nothing for %s',
      async (term) => {
        const answer = await get(`/api/activities/search?term=${term}`);
        expect([answer.status, json(answer)]).toEqual([200, []]);
      },
    );
    it('takes a term of thousands of words', async () => {
      const term = Array.from({ length: 1500 }, (_, index) => `w${index}`).join('+');
      expect(json(await get(`/api/activities/search?term=${term}`))).toEqual([]);
    });
  });

  describe('GET /api/activities/{id}', () => {
    it.each(['@worf', '%40worf'])("lists the feed of %s: that user's activities alone", async (handle) => {
      const answer = await get(`/api/activities/${handle}`);
      expect(answer.status).toBe(200);
      expect(json<Listed[]>(answer).map(({ message }) => message)).toEqual(['I am out of prune juice']);
    });
    it('answers an empty feed to a user who wrote nothing', async () => {
      expect(json(await get('/api/activities/@londo'))).toEqual([]);
    });
    it.each(['@nobody', '@', '@%20', '@a%2Fb', `@${'x'.repeat(3000)}`])(
      'answers 404 to %s, who is no user',
      async (handle) => {
        await expectProblem(get(`/api/activities/${handle}`), 404);
      },
    );
    it('answers the activity of a uuid with its replies, in whatever case the uuid is', async () => {
      for (const uuid of [cloudIsFun, cloudIsFun.toUpperCase()]) {
        const answer = await get(`/api/activities/${uuid}`);
        expect(answer.status).toBe(200);
        expect(json<Listed>(answer)).toMatchObject({ uuid: cloudIsFun, message: 'Cloud is very fun!', likes_count: 5 });
        expect(json<Listed>(answer).replies?.at(-1)).toMatchObject({ handle: 'worf', display_name: 'Worf' });
      }
    });
    it('answers 404 to a uuid that is no activity', async () => {
      await expectProblem(get(`/api/activities/${unknownUuid}`), 404);
    });
    it.each(['abc', '123', `${cloudIsFun}0`, cloudIsFun.replaceAll('-', ''), `{${cloudIsFun}}`])(
      'answers 422 activity_uuid_invalid to %s',
      async (id) => {
        const answer = await get(`/api/activities/${encodeURIComponent(id)}`);
        expect([answer.status, json(answer)]).toEqual([422, ['activity_uuid_invalid']]);
      },
    );
  });

  describe('GET /api/activities/{id}/status/{uuid}', () => {
    it('answers the activity and, beside it, its replies', async () => {
      const answer = await get(`/api/activities/@andrewbrown/status/${cloudIsFun}`);
      const { activity, replies, ...more } = json<{ activity: Listed; replies: Listed[] }>(answer);
      expect(activity).toMatchObject({ uuid: cloudIsFun, handle: 'andrewbrown' });
      expect(activity).not.toHaveProperty('replies');
      expect(replies.at(-1)).toMatchObject({ handle: 'worf' });
      expect(more).toEqual({});
    });
    it.each([
      `@worf/status/${cloudIsFun}`,
      `@andrewbrown/status/${unknownUuid}`,
      '@andrewbrown/status/abc',
      `andrewbrown/status/${cloudIsFun}`,
      `@nobody/status/${cloudIsFun}`,
    ])('answers 404 to %s', async (path) => {
      await expectProblem(get(`/api/activities/${path}`), 404);
    });
  });

  describe('POST /api/activities', () => {
    it('answers the new activity, which is then found by its uuid, its author, its words and whom it mentions', async () => {
      const word = uniqueWord();
      const answer = await post('/api/activities', {
        message: `  Ça alors, @andrewbrown: ${word}! 🎉 `,
        ttl: '7-days',
      });
      expect(answer.status).toBe(200);
      const activity = json<Listed & { expires_at: string }>(answer);
      expect(activity).toEqual({
        uuid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
        handle: 'andrewbrown',
        display_name: expect.any(String),
        message: `Ça alors, @andrewbrown: ${word}! 🎉`,
        replies_count: 0,
        reposts_count: 0,
        likes_count: 0,
        created_at: expect.any(String),
        expires_at: expect.any(String),
      });
      expect(Date.parse(activity.expires_at) - Date.parse(activity.created_at)).toBe(7 * 86_400_000);
      expect(answer.headers['location']).toBe(`/api/activities/${activity.uuid}`);
      const first = async (path: string) => json<Listed[]>(await get(path))[0]?.uuid;
      expect(json<Listed>(await get(`/api/activities/${activity.uuid}`)).uuid).toBe(activity.uuid);
      expect(await first('/api/activities/@andrewbrown')).toBe(activity.uuid);
      expect(await first(`/api/activities/search?term=${word.toUpperCase()}`)).toBe(activity.uuid);
      expect(await first('/api/activities/notifications')).toBe(activity.uuid);
    });

    it.each([
      ['30-days', 720],
      ['7-days', 168],
      ['3-days', 72],
      ['1-day', 24],
      ['12-hours', 12],
      ['3-hours', 3],
      ['1-hour', 1],
    ])('keeps it for %s', async (ttl, hours) => {
      const activity = json<Listed & { expires_at: string }>(
        await post('/api/activities', { message: 'short-lived', ttl }),
      );
      expect(Date.parse(activity.expires_at) - Date.parse(activity.created_at)).toBe(hours * 3_600_000);
    });

    it.each<[string, unknown, string[]]>([
      ['an empty object', {}, ['ttl_blank', 'message_blank']],
      ['null', null, ['ttl_blank', 'message_blank']],
      ['an array', ['x'], ['ttl_blank', 'message_blank']],
      ['a number', 5, ['ttl_blank', 'message_blank']],
      ['a string', '"x"', ['ttl_blank', 'message_blank']],
      ['null values', { message: null, ttl: null }, ['ttl_blank', 'message_blank']],
      ['blank values', { message: ' \n\t ', ttl: '' }, ['ttl_blank', 'message_blank']],
      ['values of other types', { message: 5, ttl: {} }, ['ttl_blank', 'message_blank']],
      ['a list for a message', { message: ['hi'], ttl: '1-day' }, ['message_blank']],
      ['an unknown ttl', { message: 'hi', ttl: '2-days' }, ['ttl_blank']],
      ['a ttl that is a property of every object', { message: 'hi', ttl: 'constructor' }, ['ttl_blank']],
      ['a ttl of another case', { message: 'hi', ttl: '1-DAY' }, ['ttl_blank']],
      ['no ttl', { message: 'hi' }, ['ttl_blank']],
      ['281 letters', { message: 'x'.repeat(281), ttl: '1-day' }, ['message_exceed_max_chars']],
      ['281 emoji', { message: '😀'.repeat(281), ttl: '1-day' }, ['message_exceed_max_chars']],
      ['both', { message: 'x'.repeat(281), ttl: '' }, ['ttl_blank', 'message_exceed_max_chars']],
      ['a prototype', '{"__proto__":{"message":"hi","ttl":"1-day"}}', ['ttl_blank', 'message_blank']],
    ])('answers 422 to %s, with every failed check in order', async (_, body, codes) => {
      const answer = await post('/api/activities', body, { 'Content-Type': 'application/json' });
      expect([answer.status, json(answer)]).toEqual([422, codes]);
      expect(answer.headers['content-type']).toBe('application/json');
    });

    it.each([
      ['280 letters', 'x'.repeat(280)],
      ['280 emoji, which are 560 units of UTF-16', '😀'.repeat(280)],
      ['280 letters between white space', `  ${'x'.repeat(280)}\n`],
      ['words of one letter each', 'a b c d e f g h i j k l m n o p q r s t u v w x y z '.repeat(5)],
      ['93 mentions', Array.from({ length: 93 }, (_, index) => `@${String.fromCharCode(97 + (index % 26))}`).join(' ')],
      ['half a surrogate pair', 'x\ud83d'],
      ['a NUL', 'x\u0000y'],
      ['characters that folding makes 18 of each', '\ufdfa'.repeat(280)],
      ['one word of 280 letters', '\u{10400}'.repeat(280)],
    ])('takes %s', async (_, message) => {
      expect((await post('/api/activities', { message, ttl: '1-hour' })).status).toBe(200);
    });

    it('takes the last of two keys of the same name', async () => {
      const answer = await post('/api/activities', '{"message":"a","message":"b","ttl":"1-hour"}');
      expect(json(answer)).toMatchObject({ message: 'b' });
    });
  });

  describe('the body of a POST', () => {
    const posts = ['/api/activities', `/api/activities/${cloudIsFun}/reply`, '/api/messages', '/api/profile/update'];
    it.each(posts)('of %s that is no JSON is 400', async (path) => {
      for (const body of ['', '{', '{"message":}', 'message=hi', "{'message':'hi'}", '\u0000']) {
        await expectProblem(post(path, body, { 'Content-Type': 'application/json' }), 400);
      }
    });
    it.each(posts)('of %s under another content type is 415', async (path) => {
      const types = [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data',
        'text/json',
        'application',
      ];
      for (const type of [...types, 'application/json; charset=latin1', 'application/jsonp', 'application/xml']) {
        await expectProblem(post(path, '{}', { 'Content-Type': type }), 415);
      }
    });
    it.each([
      'application/json; charset=utf-8',
      'application/json;charset=UTF-8',
      'application/json; charset="utf-8"',
      'APPLICATION/JSON',
      'application/vnd.api+json',
    ])('may come as %s', async (type) => {
      const answer = await post('/api/activities', '{"message":"typed","ttl":"1-hour"}', { 'Content-Type': type });
      expect(answer.status).toBe(200);
    });
    it('is looked at under whatever case its content type header has', async () => {
      const answer = await post('/api/activities', '{}', { 'cOnTeNt-TyPe': 'application/json' });
      expect(answer.status).toBe(422);
    });
    it('of 5 MB is read, and too long', async () => {
      const answer = await post('/api/activities', { message: 'x'.repeat(5 * 1024 * 1024), ttl: '1-day' });
      expect([answer.status, json(answer)]).toEqual([422, ['message_exceed_max_chars']]);
    });
    it('of more than 6 MB is 413 before it is read', async () => {
      await expectProblem(post('/api/activities', `{${'x'.repeat(6 * 1024 * 1024)}`), 413);
    });
    it('may be nested as deep as it likes', async () => {
      const answer = await post('/api/activities', `{"message":${'['.repeat(20_000)}${']'.repeat(20_000)}}`);
      expect([answer.status, json(answer)]).toEqual([422, ['ttl_blank', 'message_blank']]);
    });
  });

  describe('POST /api/activities/{id}/reply', () => {
    it('answers the reply, counts it, nests it in the feed and tells the author', async () => {
      const { uuid } = await create('what say you?');
      const answer = await post(`/api/activities/${uuid}/reply`, { message: ' nothing ' });
      expect(answer.status).toBe(200);
      const reply = json<Listed>(answer);
      expect(reply).toEqual({
        uuid: expect.any(String),
        reply_to_activity_uuid: uuid,
        handle: 'andrewbrown',
        display_name: expect.any(String),
        message: 'nothing',
        replies_count: 0,
        reposts_count: 0,
        likes_count: 0,
        created_at: expect.any(String),
      });
      const second = json<Listed>(await post(`/api/activities/${uuid}/reply`, { message: 'something' }));
      expect(json(await get(`/api/activities/${uuid}`))).toMatchObject({
        replies_count: 2,
        replies: [{ uuid: second.uuid }, { uuid: reply.uuid }],
      });
      expect(json<Listed[]>(await get('/api/activities/home'))[0]).toMatchObject({
        uuid,
        replies_count: 2,
        replies: [{ uuid: second.uuid }, { uuid: reply.uuid }],
      });
      expect(json<Listed[]>(await get('/api/activities/notifications'))[0]).toMatchObject({
        uuid: second.uuid,
        reply_to_activity_uuid: uuid,
        expires_at: expect.any(String),
      });
    });

    it.each<[string, unknown, string[]]>([
      ['no message', {}, ['message_blank']],
      ['null', null, ['message_blank']],
      ['a string', '"message"', ['message_blank']],
      ['an array', [], ['message_blank']],
      ['a blank message', { message: '\u3000' }, ['message_blank']],
      ['a number', { message: 1 }, ['message_blank']],
      ['1025 letters', { message: 'x'.repeat(1025) }, ['message_exceed_max_chars']],
    ])('answers 422 to %s', async (_, body, codes) => {
      const answer = await post(`/api/activities/${cloudIsFun}/reply`, body, { 'Content-Type': 'application/json' });
      expect([answer.status, json(answer)]).toEqual([422, codes]);
    });
    it('takes 1024 emoji', async () => {
      const { uuid } = await create('how happy are you?');
      expect((await post(`/api/activities/${uuid}/reply`, { message: '😀'.repeat(1024) })).status).toBe(200);
    });
    it.each([unknownUuid, 'abc', '@andrewbrown', '26e12864-1c26-5c3a-9658-97a10f8fea67'])(
      'answers 404 for %s, which is no activity',
      async (id) => {
        await expectProblem(post(`/api/activities/${id}/reply`, { message: 'hi' }), 404);
      },
    );
    it('answers 422 activity_uuid_blank for a blank id', async () => {
      const answer = await post('/api/activities/%20/reply', {});
      expect([answer.status, json(answer)]).toEqual([422, ['activity_uuid_blank', 'message_blank']]);
    });
  });

  describe('messages', () => {
    it('are listed oldest first, in the conversation with a user and in its group', async () => {
      for (const handle of ['@bayko', '%40bayko']) {
        const answer = await get(`/api/messages/${handle}`);
        expect(answer.status).toBe(200);
        const messages = json<(Listed & { message_group_uuid: string })[]>(answer);
        expect(messages.length).toBeGreaterThanOrEqual(12);
        expect(messages.length).toBeLessThanOrEqual(20);
        const times = messages.map(({ created_at }) => created_at);
        expect(times).toEqual([...times].sort());
        expect(Object.keys(messages[0] ?? {}).sort()).toEqual(
          ['uuid', 'message_group_uuid', 'display_name', 'handle', 'message', 'created_at'].sort(),
        );
        const group = await get(`/api/messages/${messages[0]?.message_group_uuid}`);
        expect(json(group)).toEqual(messages);
      }
    });
    it('are grouped by conversation, under the other member and with what was said last', async () => {
      const text = `hello ${uniqueWord()}`;
      const sent = await post('/api/messages', { message: text, user_receiver_handle: 'londo' });
      expect(sent.status).toBe(200);
      const message = json<Listed & { message_group_uuid: string }>(sent);
      expect(message).toMatchObject({ handle: 'andrewbrown', message: text });
      const groups = await get('/api/message_groups');
      expect(json<Listed[]>(groups)[0]).toEqual({
        uuid: message.message_group_uuid,
        handle: 'londo',
        display_name: 'Londo Mollari',
        message: text,
        created_at: message.created_at,
      });
      expect(json<Listed[]>(await get('/api/messages/@londo')).at(-1)).toEqual(message);
    });
    it('reach the same group by handle, by receiver and by group uuid', async () => {
      const first = json<{ message_group_uuid: string }>(
        await post('/api/messages', { message: 'one', handle: 'worf' }),
      );
      const uuid = first.message_group_uuid;
      const others = [
        { message: 'two', user_receiver_handle: 'worf' },
        { message: 'three', message_group_uuid: uuid },
        { message: 'four', message_group_uuid: uuid.toUpperCase(), user_receiver_handle: '' },
        { message: 'five', user_receiver_handle: '@worf', message_group_uuid: ' ' },
      ];
      for (const body of others) {
        expect(json(await post('/api/messages', body))).toMatchObject({ message_group_uuid: uuid });
      }
      const said = json<Listed[]>(await get(`/api/messages/${uuid}`)).slice(-5);
      expect(said.map(({ message }) => message)).toEqual(['one', 'two', 'three', 'four', 'five']);
    });
    it('shows the last 20 of a longer conversation', async () => {
      for (let index = 0; index < 22; index++) {
        expect((await post('/api/messages', { message: `line ${index}`, handle: 'altbrown' })).status).toBe(200);
      }
      const said = json<Listed[]>(await get('/api/messages/@altbrown'));
      expect(said.map(({ message }) => message)).toEqual(Array.from({ length: 20 }, (_, index) => `line ${index + 2}`));
    });
    it('answers an empty conversation with a user who was not written to', async () => {
      expect(json(await get('/api/messages/@garek'))).toEqual([]);
    });
    it.each(['@nobody', unknownUuid, 'abc', '@'])('answers 404 to %s', async (id) => {
      await expectProblem(get(`/api/messages/${id}`), 404);
    });
    it.each<[string, unknown, string[]]>([
      ['nothing', {}, ['user_reciever_handle_blank', 'message_group_uuid_blank', 'message_blank']],
      ['null', null, ['user_reciever_handle_blank', 'message_group_uuid_blank', 'message_blank']],
      ['no receiver', { message: 'hi' }, ['user_reciever_handle_blank', 'message_group_uuid_blank']],
      ['no message', { user_receiver_handle: 'worf' }, ['message_blank']],
      ['a receiver that is a number', { user_receiver_handle: 5, message: 'hi' }, ['user_reciever_handle_blank']],
      ['a group that is a list', { message_group_uuid: [], message: 'hi' }, ['message_group_uuid_blank']],
      ['1025 letters', { handle: 'worf', message: 'x'.repeat(1025) }, ['message_exceed_max_chars']],
    ])('answers 422 to %s', async (_, body, codes) => {
      const answer = await post('/api/messages', body, { 'Content-Type': 'application/json' });
      expect([answer.status, json(answer)]).toEqual([422, codes]);
    });
    it.each([
      { handle: 'nobody' },
      { handle: 'x'.repeat(5000) },
      { message_group_uuid: 'x'.repeat(5000) },
      { message_group_uuid: unknownUuid },
      { message_group_uuid: 'abc' },
    ])('answers 404 to a message for %j', async (to) => {
      await expectProblem(post('/api/messages', { message: 'hi', ...to }), 404);
    });
  });

  describe('users', () => {
    it.each(['@bayko', '%40bayko'])('are told in short, by %s', async (id) => {
      const answer = await get(`/api/users/${id}/short`);
      expect([answer.status, json(answer)]).toEqual([
        200,
        { uuid: expect.stringMatching(/^[0-9a-f-]{36}$/), handle: 'bayko', display_name: 'Andrew Bayko' },
      ]);
    });
    it.each(['@nobody', 'bayko', '@', 'constructor', '@BAYKO', '@bayko%23PROFILE'])('answers 404 to %s', async (id) => {
      await expectProblem(get(`/api/users/${id}/short`), 404);
    });
    it('change their profile, and their old activities show the new name', async () => {
      const answer = await post('/api/profile/update', { display_name: ' The Brown ', bio: 'Clouds' });
      expect(answer.status).toBe(200);
      expect(json(answer)).toEqual({
        uuid: expect.any(String),
        handle: 'andrewbrown',
        display_name: 'The Brown',
        bio: 'Clouds',
      });
      expect(json(await get('/api/users/@andrewbrown/short'))).toMatchObject({ display_name: 'The Brown' });
      expect(json(await get(`/api/activities/${cloudIsFun}`))).toMatchObject({ display_name: 'The Brown' });
      const without = await post('/api/profile/update', { display_name: 'Andrew Brown' });
      expect(json(without)).toMatchObject({ display_name: 'Andrew Brown', bio: '' });
    });
    it.each<[string, unknown, string[]]>([
      ['nothing', {}, ['display_name_blank']],
      ['an array', [], ['display_name_blank']],
      ['a blank name', { display_name: ' ' }, ['display_name_blank']],
      ['a name and a bio of other types', { display_name: 1, bio: 2 }, ['display_name_blank', 'bio_invalid']],
    ])('answers 422 to a profile of %s', async (_, body, codes) => {
      const answer = await post('/api/profile/update', body, { 'Content-Type': 'application/json' });
      expect([answer.status, json(answer)]).toEqual([422, codes]);
    });
  });

  describe('GET /rollbar/test', () => {
    it('answers Hello World! as text', async () => {
      const answer = await get('/rollbar/test');
      expect([answer.status, answer.text]).toEqual([200, 'Hello World!']);
      expect(answer.headers['content-type']).toMatch(/^text\/plain/);
    });
    it('fails on purpose with ?error=1, and says nothing of the cause', async () => {
      const answer = await get('/rollbar/test?error=1');
      await expectProblem(answer, 500);
      expect(answer.text).not.toMatch(/on purpose|stack|at /);
    });
  });

  describe('every answer', () => {
    const answers = () =>
      Promise.all([
        get('/api/activities/home', { headers: { Origin: 'http://localhost:4000' } }),
        get('/api/activities/abc', { headers: { Origin: 'http://localhost:4000' } }),
        get(`/api/activities/${unknownUuid}`, { headers: { origin: 'http://localhost:4000' } }),
        get('/rollbar/test?error=1', { headers: { ORIGIN: 'http://localhost:4000' } }),
      ]);
    it('lets pages of the front end read it, errors too', async () => {
      for (const { headers } of await answers()) {
        expect(headers['access-control-allow-origin']).toBe('http://localhost:4000');
        expect(headers['access-control-expose-headers']).toBe('location, link, x-amzn-trace-id');
        expect(headers['vary']).toMatch(/origin/i);
      }
    });
    it.each(['http://evil.example', 'null', 'http://localhost:4000.evil.example', 'https://localhost:4000', '*'])(
      'lets no page of %s read it',
      async (origin) => {
        const { headers } = await get('/api/activities/home', { headers: { Origin: origin } });
        expect(headers['access-control-allow-origin']).toBeUndefined();
        expect(headers['vary']).toMatch(/origin/i);
      },
    );
    it('has no allowed origin where none was sent', async () => {
      expect((await get('/api/health-check')).headers['access-control-allow-origin']).toBeUndefined();
    });
    it('has the headers that keep a browser from guessing, framing and keeping it', async () => {
      for (const { headers } of await answers()) {
        expect(headers).toMatchObject({
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
          'content-security-policy': expect.stringContaining("default-src 'none'"),
        });
      }
    });
  });
}

/** A problem document with everything that the contract wants of one. */
export async function expectProblem(answer: Answer | Promise<Answer>, status: number): Promise<void> {
  const { status: actual, headers, text } = await answer;
  expect([actual, text]).toEqual([status, expect.any(String)]);
  expect(headers['content-type']).toBe('application/problem+json');
  expect(JSON.parse(text)).toEqual({
    type: expect.any(String),
    title: expect.any(String),
    status,
    trace_id: expect.stringMatching(/^([0-9a-f]{32}|1-[0-9a-f]{8}-[0-9a-f]{24})$/),
  });
}
