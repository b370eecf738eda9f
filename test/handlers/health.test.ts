import { expect, it } from 'vitest';
import { captured } from '../fixtures/cruddur/captured.ts';

const invoke = captured('health');

it('answers that the API runs', async () => {
  expect(await invoke('ok')).toMatchObject({ status: 200, body: { success: true, ver: 1 } });
});

it('answers an event without headers, query and request context', async () => {
  const bare = { headers: null, queryStringParameters: null, requestContext: undefined } as never;
  expect((await invoke('ok', bare)).status).toBe(200);
});
