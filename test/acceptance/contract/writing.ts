import { describe, expect, it } from 'vitest';
import { json } from '../../fixtures/cruddur/api.ts';
import { type Caller, cloudIsFun, expectProblem, type Listed, unknownUuid } from './caller.ts';

/** Activities and replies: what is written, and what is refused. */
export function writing({ get, post, create, uniqueWord }: Caller): void {
  describe('POST /api/activities', () => {
    it('answers the new activity, which is found by uuid, author, word and mention', async () => {
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
      expect(answer.headers.location).toBe(`/api/activities/${activity.uuid}`);
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

    it('uses the last of two keys with the same name', async () => {
      const answer = await post('/api/activities', '{"message":"a","message":"b","ttl":"1-hour"}');
      expect(json(answer)).toMatchObject({ message: 'b' });
    });
  });

  describe('POST /api/activities/{id}/reply', () => {
    it('answers the reply, counts it, nests it in the feed and notifies the author', async () => {
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
    it('accepts 1,024 emoji', async () => {
      const { uuid } = await create('how happy are you?');
      expect((await post(`/api/activities/${uuid}/reply`, { message: '😀'.repeat(1024) })).status).toBe(200);
    });
    it.each([unknownUuid, 'abc', '@andrewbrown', '26e12864-1c26-5c3a-9658-97a10f8fea67'])(
      'answers 404 for %s, which is not an activity',
      async (id) => {
        await expectProblem(post(`/api/activities/${id}/reply`, { message: 'hi' }), 404);
      },
    );
    it('answers 422 activity_uuid_blank for a blank id', async () => {
      const answer = await post('/api/activities/%20/reply', {});
      expect([answer.status, json(answer)]).toEqual([422, ['activity_uuid_blank', 'message_blank']]);
    });
  });
}
