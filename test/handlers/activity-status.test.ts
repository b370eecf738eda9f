import { expect, it } from 'vitest';
import { captured } from '../fixtures/cruddur/captured.ts';

const invoke = captured('activity-status');

it('answers the activity and its replies', async () => {
  const { status, body } = await invoke('ok');
  expect([status, body]).toMatchObject([
    200,
    { activity: { message: 'Cloud is very fun!' }, replies: [{ handle: 'worf' }] },
  ]);
});

it("does not find another user's activity under this one's handle", async () => {
  expect(await invoke('invalid')).toMatchObject({ status: 404, type: 'application/problem+json' });
});
