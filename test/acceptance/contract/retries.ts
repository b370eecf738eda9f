import { describe, expect, it } from 'vitest';
import { json } from '../../fixtures/cruddur/api.ts';
import { type Caller, expectProblem, type Listed } from './caller.ts';

/** One request sent several times under one `Idempotency-Key`. */
export function retries({ get, post, create, uniqueWord }: Caller): void {
  describe('a POST with an Idempotency-Key', () => {
    const keyed = (key: string) => ({ 'Content-Type': 'application/json', 'Idempotency-Key': key });
    const atOnce = async (path: string, body: unknown, headers: Record<string, string>) => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => post(path, body, headers)));
      expect(answers.map(({ status, text }) => [status, text])).toEqual(Array(8).fill([200, answers[0]?.text]));
      return json<Listed>(answers[0] ?? expect.fail());
    };

    it('writes one activity and gives every retry the same answer', async () => {
      const word = uniqueWord();
      const headers = keyed(crypto.randomUUID());
      const first = await atOnce('/api/activities', { message: word, ttl: '1-day' }, headers);
      const later = await post('/api/activities', { message: word, ttl: '1-day' }, headers);
      expect(json(later)).toEqual(first);
      const found = json<Listed[]>(await get(`/api/activities/search?term=${word}`));
      expect(found.map(({ uuid }) => uuid)).toEqual([first.uuid]);
    });
    it('counts one reply', async () => {
      const { uuid } = await create('say it once');
      const reply = await atOnce(`/api/activities/${uuid}/reply`, { message: 'once' }, keyed(crypto.randomUUID()));
      const shown = json(await get(`/api/activities/${uuid}`));
      expect(shown).toMatchObject({ replies_count: 1, replies: [{ uuid: reply.uuid }] });
    });
    it('sends one message', async () => {
      const text = uniqueWord();
      await atOnce('/api/messages', { message: text, handle: 'bayko' }, keyed(crypto.randomUUID()));
      const said = json<Listed[]>(await get('/api/messages/@bayko'));
      expect(said.filter(({ message }) => message === text)).toHaveLength(1);
    });
    it('is rejected with another body or path: 422 idempotency_key_reused', async () => {
      const headers = keyed(crypto.randomUUID());
      const [one, other] = [await create('one'), await create('other')];
      const answers = [
        await post(`/api/activities/${one.uuid}/reply`, { message: 'hi' }, headers),
        await post(`/api/activities/${one.uuid}/reply`, { message: 'ho' }, headers),
        await post(`/api/activities/${other.uuid}/reply`, { message: 'hi' }, headers),
      ];
      expect(answers.map(({ status }) => status)).toEqual([200, 422, 422]);
      expect(answers.slice(1).map(json)).toEqual([['idempotency_key_reused'], ['idempotency_key_reused']]);
      expect(json(await get(`/api/activities/${other.uuid}`))).toMatchObject({ replies_count: 0 });
    });
    it('does not use up the key if the input is invalid', async () => {
      const headers = keyed(crypto.randomUUID());
      expect((await post('/api/activities', { message: 'no ttl' }, headers)).status).toBe(422);
      expect((await post('/api/activities', { message: 'no ttl', ttl: '1-day' }, headers)).status).toBe(200);
    });
    it.each(['', 'two words', 'x'.repeat(256)])(
      'is refused with the key "%s": 422 idempotency_key_invalid',
      async (key) => {
        const answer = await post('/api/activities', { message: 'hi', ttl: '1-day' }, keyed(key));
        expect([answer.status, json(answer)]).toEqual([422, ['idempotency_key_invalid']]);
      },
    );
    it.each([
      ['lists', '['.repeat(5_000) + ']'.repeat(5_000)],
      ['objects', `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`],
    ])('is refused with a body nested 5,000 deep in %s: 400', async (_, nested) => {
      const body = `{"message":"deep","ttl":"1-day","extra":${nested}}`;
      await expectProblem(post('/api/activities', body, keyed(crypto.randomUUID())), 400);
    });
    it('creates another activity without the key', async () => {
      const body = { message: 'twice', ttl: '1-day' };
      const [one, other] = [await post('/api/activities', body), await post('/api/activities', body)];
      expect(json<Listed>(one).uuid).not.toBe(json<Listed>(other).uuid);
    });
  });
}
