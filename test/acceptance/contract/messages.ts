import { describe, expect, it } from 'vitest';
import { json } from '../../fixtures/cruddur/api.ts';
import { type Caller, expectProblem, type Listed, unknownUuid } from './caller.ts';

/** Conversations and their groups. */
export function messages({ get, post, uniqueWord }: Caller): void {
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
    it('are grouped by conversation, with the other member and the last message', async () => {
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
    it('reach the same group by handle, receiver or group uuid', async () => {
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
    it('answers an empty list for a user without messages', async () => {
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
}
