import { describe, expect, it } from 'vitest';
import { json } from '../../fixtures/cruddur/api.ts';
import { type Caller, cloudIsFun, expectProblem } from './caller.ts';

/** Content types, sizes and JSON of every POST. */
export function bodies({ post }: Caller): void {
  describe('the body of a POST', () => {
    const posts = ['/api/activities', `/api/activities/${cloudIsFun}/reply`, '/api/messages', '/api/profile/update'];
    it.each(posts)('of %s that is not valid JSON is 400', async (path) => {
      for (const body of ['', '{', '{"message":}', 'message=hi', "{'message':'hi'}", '\u0000']) {
        await expectProblem(post(path, body, { 'Content-Type': 'application/json' }), 400);
      }
    });
    it.each(posts)('of %s under another content type is 415', async (path) => {
      const types = [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data',
        'text/json',
        'application',
      ];
      for (const type of [...types, 'application/json; charset=latin1', 'application/jsonp', 'application/xml']) {
        await expectProblem(post(path, '{}', { 'Content-Type': type }), 415);
      }
    });
    it.each([
      'application/json; charset=utf-8',
      'application/json;charset=UTF-8',
      'application/json; charset="utf-8"',
      'APPLICATION/JSON',
      'application/vnd.api+json',
    ])('may come as %s', async (type) => {
      const answer = await post('/api/activities', '{"message":"typed","ttl":"1-hour"}', { 'Content-Type': type });
      expect(answer.status).toBe(200);
    });
    it('is accepted in any case of the content type header', async () => {
      const answer = await post('/api/activities', '{}', { 'cOnTeNt-TyPe': 'application/json' });
      expect(answer.status).toBe(422);
    });
    it('of 5 MB is parsed, and refused by its length', async () => {
      const answer = await post('/api/activities', { message: 'x'.repeat(5 * 1024 * 1024), ttl: '1-day' });
      expect([answer.status, json(answer)]).toEqual([422, ['message_exceed_max_chars']]);
    });
    it.each(posts)(
      'of %s that is one string or list of 5 MB is as empty as any other that is not an object',
      async (path) => {
        const empty = json(await post(path, {}));
        for (const body of [`"${'x'.repeat(5 * 1024 * 1024)}"`, `[${'1,'.repeat(2.5 * 1024 * 1024)}1]`]) {
          const answer = await post(path, body, { 'Content-Type': 'application/json' });
          expect([answer.status, json(answer)]).toEqual([422, empty]);
        }
      },
    );
    it('of more than 6 MB is 413 before it is read', async () => {
      await expectProblem(post('/api/activities', `{${'x'.repeat(6 * 1024 * 1024)}`), 413);
    });
    it('can be nested to any depth', async () => {
      const answer = await post('/api/activities', `{"message":${'['.repeat(20_000)}${']'.repeat(20_000)}}`);
      expect([answer.status, json(answer)]).toEqual([422, ['ttl_blank', 'message_blank']]);
    });
  });
}
