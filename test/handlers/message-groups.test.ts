import { expect, it } from 'vitest';
import { captured } from '../fixtures/cruddur/captured.ts';

const invoke = captured('message-groups');

it('lists the conversation with Bayko, under his name and with what was said last', async () => {
  const { status, body } = await invoke('ok');
  expect([status, body]).toMatchObject([
    200,
    [{ handle: 'bayko', display_name: 'Andrew Bayko', message: 'Friday it is.' }],
  ]);
});

it('names the limit that is not valid', async () => {
  expect(await invoke('invalid')).toMatchObject({ status: 422, body: ['limit_invalid'] });
});
