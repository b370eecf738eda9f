import { expect, it } from 'vitest';
import { captured } from '../fixtures/cruddur/captured.ts';

const invoke = captured('notifications');

it("lists Worf's reply until the caller's activity expires", async () => {
  const { status, body } = await invoke('ok');
  expect(status).toBe(200);
  expect(body).toMatchObject([
    { handle: 'worf', reply_to_activity_uuid: '68f126b0-1ceb-4a33-88be-d90fa7109eee', expires_at: expect.any(String) },
  ]);
});

it('names an invalid limit', async () => {
  expect(await invoke('invalid')).toMatchObject({ status: 422, body: ['limit_invalid'] });
});
