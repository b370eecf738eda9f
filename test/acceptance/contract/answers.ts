import { describe, expect, it } from 'vitest';
import { type Caller, expectProblem, unknownUuid } from './caller.ts';

/** Parts that every answer has, whatever the route: CORS, security headers, problem documents. */
export function answers({ get, origin }: Caller): void {
  describe('GET /rollbar/test', () => {
    it('answers Hello World! as text', async () => {
      const answer = await get('/rollbar/test');
      expect([answer.status, answer.text]).toEqual([200, 'Hello World!']);
      expect(answer.headers['content-type']).toMatch(/^text\/plain/);
    });
    it('fails on purpose with ?error=1 and does not reveal the cause', async () => {
      const answer = await get('/rollbar/test?error=1');
      await expectProblem(answer, 500);
      expect(answer.text).not.toMatch(/deliberate|stack|at /);
    });
  });

  describe('every answer', () => {
    const answers = () =>
      Promise.all([
        get('/api/activities/home', { headers: { Origin: origin() } }),
        get('/api/activities/abc', { headers: { Origin: origin() } }),
        get(`/api/activities/${unknownUuid}`, { headers: { origin: origin() } }),
        get('/rollbar/test?error=1', { headers: { ORIGIN: origin() } }),
      ]);
    it("can be read by the front end's pages, errors included", async () => {
      for (const { headers } of await answers()) {
        expect(headers['access-control-allow-origin']).toBe(origin());
        expect(headers['access-control-expose-headers']).toBe('location, link, x-amzn-trace-id');
        expect(headers.vary).toMatch(/origin/i);
      }
    });
    it.each(['http://evil.example', 'null', 'http://localhost:4000.evil.example', 'https://localhost:4000', '*'])(
      'lets no page of %s read it',
      async (foreign) => {
        const { headers } = await get('/api/activities/home', { headers: { Origin: foreign } });
        expect(headers['access-control-allow-origin']).toBeUndefined();
        expect(headers.vary).toMatch(/origin/i);
      },
    );
    it('allows no origin when the request names none', async () => {
      expect((await get('/api/health-check')).headers['access-control-allow-origin']).toBeUndefined();
    });
    it('forbids sniffing, framing and caching', async () => {
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
