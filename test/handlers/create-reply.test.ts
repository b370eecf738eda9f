import { expect, it } from 'vitest';
import { captured } from '../fixtures/cruddur/captured.ts';

const invoke = captured('create-reply');

it('answers the new reply', async () => {
  const uuid = '68f126b0-1ceb-4a33-88be-d90fa7109eee';
  expect(await invoke('ok')).toMatchObject({ status: 200, body: { reply_to_activity_uuid: uuid, message: 'It is!' } });
});

it('rejects a blank message', async () => {
  expect(await invoke('invalid')).toMatchObject({ status: 422, body: ['message_blank'] });
});

it('takes the activity from the path, not from the body', async () => {
  const body = '{"id":"68f126b0-1ceb-4a33-88be-d90fa7109eee","message":"hi"}';
  const pathParameters = { id: '00000000-0000-4000-8000-000000000000' };
  expect((await invoke('ok', { body, pathParameters })).status).toBe(404);
});
