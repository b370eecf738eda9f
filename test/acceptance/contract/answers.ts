import { describe, expect, it } from 'vitest';
import { type Caller, expectProblem, unknownUuid } from './caller.ts';

/** What every answer has, whatever the route: CORS, security headers, problem documents. */
export function answers({ get }: Caller): void {
  describe('GET /rollbar/test', () => {
    it('answers Hello World! as text', async () => {
      const answer = await get('/rollbar/test');
      expect([answer.status, answer.text]).toEqual([200, 'Hello World!']);
      expect(answer.headers['content-type']).toMatch(/^text\/plain/);
    });
    it('fails on purpose with ?error=1, and says nothing of the cause', async () => {
      const answer = await get('/rollbar/test?error=1');
      await expectProblem(answer, 500);
      expect(answer.text).not.toMatch(/on purpose|stack|at /);
    });
  });

  describe('every answer', () => {
    const answers = () =>
      Promise.all([
        get('/api/activities/home', { headers: { Origin: 'http://localhost:4000' } }),
        get('/api/activities/abc', { headers: { Origin: 'http://localhost:4000' } }),
        get(`/api/activities/${unknownUuid}`, { headers: { origin: 'http://localhost:4000' } }),
        get('/rollbar/test?error=1', { headers: { ORIGIN: 'http://localhost:4000' } }),
      ]);
    it('lets pages of the front end read it, errors too', async () => {
      for (const { headers } of await answers()) {
        expect(headers['access-control-allow-origin']).toBe('http://localhost:4000');
        expect(headers['access-control-expose-headers']).toBe('location, link, x-amzn-trace-id');
        expect(headers['vary']).toMatch(/origin/i);
      }
    });
    it.each(['http://evil.example', 'null', 'http://localhost:4000.evil.example', 'https://localhost:4000', '*'])(
      'lets no page of %s read it',
      async (origin) => {
        const { headers } = await get('/api/activities/home', { headers: { Origin: origin } });
        expect(headers['access-control-allow-origin']).toBeUndefined();
        expect(headers['vary']).toMatch(/origin/i);
      },
    );
    it('has no allowed origin where none was sent', async () => {
      expect((await get('/api/health-check')).headers['access-control-allow-origin']).toBeUndefined();
    });
    it('has the headers that keep a browser from guessing, framing and keeping it', async () => {
      for (const { headers } of await answers()) {
        expect(headers).toMatchObject({
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
          'content-security-policy': expect.stringContaining("default-src 'none'"),
        });
      }
    });
  });
}
