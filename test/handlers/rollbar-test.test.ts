import { expect, it } from 'vitest';
import { captured } from '../fixtures/cruddur/captured.ts';

const invoke = captured('rollbar-test');

it('answers Hello World! as text', async () => {
  expect(await invoke('ok')).toMatchObject({ status: 200, type: 'text/plain; charset=utf-8', body: 'Hello World!' });
});

it('fails with ?error=1 and does not reveal the cause', async () => {
  const { status, body } = await invoke('error');
  expect([status, body]).toMatchObject([500, { title: 'Internal server error' }]);
});
