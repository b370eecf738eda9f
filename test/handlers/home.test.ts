import { expect, it } from 'vitest';
import { captured } from '../fixtures/cruddur/captured.ts';

const invoke = captured('home');

it("lists the seed's three activities, newest first, to a page of the front end", async () => {
  const { status, headers, body } = await invoke('ok');
  expect(status).toBe(200);
  expect(body).toMatchObject([
    { handle: 'garek', replies: [] },
    { handle: 'andrewbrown', replies_count: 1, replies: [{ handle: 'worf', message: 'This post has no honor!' }] },
    { handle: 'worf', replies: [] },
  ]);
  expect(headers.link).toBeUndefined();
  expect(headers['access-control-allow-origin']).toBe('http://localhost:4000');
});

it("links to the next page with the client's path", async () => {
  const { headers } = await invoke('ok', { queryStringParameters: { limit: '1' } });
  expect(headers.link).toMatch(/^<\/api\/activities\/home\?limit=1&cursor=[\w-]+>; rel="next"$/);
});

it("keeps the stage in the link on the API's default domain", async () => {
  const { requestContext } = {
    requestContext: { domainName: 'abc.execute-api.eu-west-1.amazonaws.com', path: '/dev/api/activities/home' },
  };
  const { headers } = await invoke('ok', {
    queryStringParameters: { limit: '1' },
    requestContext: requestContext as never,
  });
  expect(headers.link).toMatch(/^<\/dev\/api\/activities\/home\?/);
});

it('names an invalid limit and cursor', async () => {
  expect(await invoke('invalid')).toMatchObject({ status: 422, body: ['limit_invalid', 'cursor_invalid'] });
});
