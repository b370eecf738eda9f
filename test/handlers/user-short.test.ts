import { expect, it } from 'vitest';
import { captured } from '../fixtures/cruddur/captured.ts';

const invoke = captured('user-short');

it('answers the public profile of a handle, and nothing more', async () => {
  const { status, body } = await invoke('ok');
  expect([status, body]).toEqual([200, { uuid: expect.any(String), handle: 'bayko', display_name: 'Andrew Bayko' }]);
});

it('answers 404 for an unknown handle', async () => {
  expect(await invoke('invalid')).toMatchObject({ status: 404, type: 'application/problem+json' });
});
