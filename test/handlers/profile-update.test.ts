import { expect, it } from 'vitest';
import { captured } from '../fixtures/cruddur/captured.ts';

const invoke = captured('profile-update');

it('answers the updated profile', async () => {
  const { status, body } = await invoke('ok');
  expect([status, body]).toEqual([
    200,
    { uuid: expect.any(String), handle: 'andrewbrown', display_name: 'Andrew Brown', bio: 'Cloud is very fun!' },
  ]);
});

it('rejects a blank name', async () => {
  expect(await invoke('invalid')).toMatchObject({ status: 422, body: ['display_name_blank'] });
});
