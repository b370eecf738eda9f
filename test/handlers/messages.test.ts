import { expect, it } from 'vitest';
import { captured } from '../fixtures/cruddur/captured.ts';

const invoke = captured('messages');

it('lists the conversation, one message a minute, oldest first', async () => {
  const { status, body } = await invoke('ok');
  expect(status).toBe(200);
  const times = (body as { created_at: string }[]).map(({ created_at }) => Date.parse(created_at));
  expect(times).toHaveLength(14);
  expect(times.slice(1).map((time, index) => time - Number(times[index]))).toEqual(Array(13).fill(60_000));
});

it('answers 404 for an unknown user', async () => {
  expect(await invoke('invalid')).toMatchObject({ status: 404, type: 'application/problem+json' });
});
