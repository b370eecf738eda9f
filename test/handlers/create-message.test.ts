import { expect, it } from 'vitest';
import { captured } from '../fixtures/cruddur/captured.ts';

const invoke = captured('create-message');

it('answers the new message and its group', async () => {
  const { status, body } = await invoke('ok');
  expect([status, body]).toMatchObject([200, { handle: 'andrewbrown', message: 'Live long and prosper' }]);
  expect(body).toHaveProperty('message_group_uuid');
});

it('names every failed check in order', async () => {
  const codes = ['user_reciever_handle_blank', 'message_group_uuid_blank', 'message_blank'];
  expect(await invoke('invalid')).toMatchObject({ status: 422, body: codes });
});
