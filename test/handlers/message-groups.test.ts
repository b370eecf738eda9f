import { expect, it } from 'vitest';
import { captured } from '../fixtures/cruddur/captured.ts';

const invoke = captured('message-groups');

it('lists the conversation with Bayko, his name and the last message', async () => {
  const { status, body } = await invoke('ok');
  expect([status, body]).toMatchObject([
    200,
    [{ handle: 'bayko', display_name: 'Andrew Bayko', message: 'Friday it is.' }],
  ]);
});

it('names an invalid limit', async () => {
  expect(await invoke('invalid')).toMatchObject({ status: 422, body: ['limit_invalid'] });
});
