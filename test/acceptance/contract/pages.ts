import { describe, expect, it } from 'vitest';
import { type Answer, json, nextPage } from '../../fixtures/cruddur/api.ts';
import type { Caller, Listed } from './caller.ts';

/** Limits, cursors and links of every list. */
export function pages({ get, create, uniqueWord }: Caller): void {
  describe('pages', () => {
    it.each(['home', 'notifications', 'search?term=paged', '@andrewbrown'])(
      'of %s, one by one, are the whole',
      async (list) => {
        const word = uniqueWord();
        for (let index = 0; index < 5; index++) await create(`paged @andrewbrown ${word}`);
        const path = `/api/activities/${list}`;
        const separator = path.includes('?') ? '&' : '?';
        const all = json<Listed[]>(await get(`${path}${separator}limit=100`));
        const paged: Listed[] = [];
        let next: string | undefined = `${path}${separator}limit=2`;
        let rounds = 0;
        while (next && rounds++ < 100) {
          const answer: Answer = await get(next);
          expect(answer.status).toBe(200);
          expect(json<Listed[]>(answer).length).toBeLessThanOrEqual(2);
          paged.push(...json<Listed[]>(answer));
          next = nextPage(answer);
        }
        expect(all.length).toBeGreaterThanOrEqual(5);
        expect(paged.map(({ uuid }) => uuid)).toEqual(all.map(({ uuid }) => uuid));
      },
    );

    it('do not link past the last item, even if the page is exactly full', async () => {
      const word = uniqueWord();
      for (let index = 0; index < 3; index++) await create(word);
      expect(nextPage(await get(`/api/activities/search?term=${word}&limit=3`))).toBeUndefined();
      expect(nextPage(await get(`/api/activities/search?term=${word}&limit=2`))).toBeDefined();
    });

    const paths = [
      '/api/activities/home?',
      '/api/activities/notifications?',
      '/api/activities/search?term=fun&',
      '/api/activities/@andrewbrown?',
      '/api/message_groups?',
    ];
    describe.each(paths)('%s', (path) => {
      it.each(['0', '101', 'abc', '1.5', '', '-1', '1e1', '%201', '1000000000'])(
        'refuses limit=%s with 422 limit_invalid',
        async (limit) => {
          const answer = await get(`${path}limit=${limit}`);
          expect([answer.status, json(answer)]).toEqual([422, ['limit_invalid']]);
        },
      );
      it.each(['', 'abc', 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', '%00'])(
        'refuses cursor=%s with 422 cursor_invalid',
        async (cursor) => {
          const answer = await get(`${path}cursor=${cursor}`);
          expect([answer.status, json(answer)]).toEqual([422, ['cursor_invalid']]);
        },
      );
      it('accepts the limits 1 and 100', async () => {
        expect((await get(`${path}limit=1`)).status).toBe(200);
        expect((await get(`${path}limit=100`)).status).toBe(200);
      });
    });

    it('use the last of two limits, as API Gateway does', async () => {
      expect((await get('/api/activities/home?limit=abc&limit=1')).status).toBe(200);
      expect((await get('/api/activities/home?limit=1&limit=abc')).status).toBe(422);
    });

    it('reject a cursor of another route or search, and a changed cursor', async () => {
      const next = nextPage(await get('/api/activities/home?limit=1')) ?? '';
      const cursor = new URL(next, 'http://localhost').searchParams.get('cursor') ?? '';
      const own = await get(`/api/activities/home?limit=3&cursor=${cursor}`);
      expect(own.status).toBe(200);
      const changed = cursor.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'));
      const foreign = [
        `/api/activities/notifications?cursor=${cursor}`,
        `/api/activities/@worf?cursor=${cursor}`,
        `/api/activities/home?cursor=${changed}`,
        `/api/activities/home?cursor=${cursor}!`,
        `/api/activities/home?cursor=${cursor}&cursor=`,
      ];
      for (const path of foreign) {
        const answer = await get(path);
        expect([path, answer.status, json(answer)]).toEqual([path, 422, ['cursor_invalid']]);
      }
    });

    it('accept a cursor for @worf and %40worf alike', async () => {
      for (const word of ['one', 'two', 'three']) await create(word);
      const next = nextPage(await get('/api/activities/@andrewbrown?limit=1')) ?? '';
      const [plain, encoded] = [next, next.replace('@', '%40')];
      expect(encoded).not.toBe(plain);
      const answers = [await get(plain), await get(encoded)];
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(answers.map(json)[0]).toEqual(answers.map(json)[1]);
    });

    it('name every failed check in order', async () => {
      const answer = await get('/api/activities/search?cursor=x&limit=0&term=%20');
      expect(json(answer)).toEqual(['search_term_blank', 'limit_invalid', 'cursor_invalid']);
    });
  });
}
