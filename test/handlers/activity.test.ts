import { expect, it } from 'vitest';
import { captured } from '../fixtures/cruddur/captured.ts';

const invoke = captured('activity');

it('answers the activity of a uuid with its replies', async () => {
  const { status, body } = await invoke('ok');
  expect(status).toBe(200);
  expect(body).toMatchObject({ message: 'Cloud is very fun!', likes_count: 5, replies: [{ handle: 'worf' }] });
});

it("answers a user's feed, without replies", async () => {
  const { status, body } = await invoke('feed');
  expect([status, body]).toMatchObject([200, [{ handle: 'worf', message: 'I am out of prune juice' }]]);
  expect(body).not.toMatchObject([{ replies: expect.anything() }]);
});

it('rejects an id that is neither a uuid nor a handle', async () => {
  expect(await invoke('invalid')).toMatchObject({ status: 422, body: ['activity_uuid_invalid'] });
});
