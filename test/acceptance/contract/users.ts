import { describe, expect, it } from 'vitest';
import { json } from '../../fixtures/cruddur/api.ts';
import { type Caller, cloudIsFun, expectProblem } from './caller.ts';

/** Profiles. */
export function users({ get, post }: Caller): void {
  describe('users', () => {
    it.each(['@bayko', '%40bayko'])('are told in short, by %s', async (id) => {
      const answer = await get(`/api/users/${id}/short`);
      expect([answer.status, json(answer)]).toEqual([
        200,
        { uuid: expect.stringMatching(/^[0-9a-f-]{36}$/), handle: 'bayko', display_name: 'Andrew Bayko' },
      ]);
    });
    it.each(['@nobody', 'bayko', '@', 'constructor', '@BAYKO', '@bayko%23PROFILE'])('answers 404 to %s', async (id) => {
      await expectProblem(get(`/api/users/${id}/short`), 404);
    });
    it('change their profile, and their old activities show the new name', async () => {
      const answer = await post('/api/profile/update', { display_name: ' The Brown ', bio: 'Clouds' });
      expect(answer.status).toBe(200);
      expect(json(answer)).toEqual({
        uuid: expect.any(String),
        handle: 'andrewbrown',
        display_name: 'The Brown',
        bio: 'Clouds',
      });
      expect(json(await get('/api/users/@andrewbrown/short'))).toMatchObject({ display_name: 'The Brown' });
      expect(json(await get(`/api/activities/${cloudIsFun}`))).toMatchObject({ display_name: 'The Brown' });
      const without = await post('/api/profile/update', { display_name: 'Andrew Brown' });
      expect(json(without)).toMatchObject({ display_name: 'Andrew Brown', bio: '' });
    });
    it.each<[string, unknown, string[]]>([
      ['nothing', {}, ['display_name_blank']],
      ['an array', [], ['display_name_blank']],
      ['a blank name', { display_name: ' ' }, ['display_name_blank']],
      ['a name and a bio of other types', { display_name: 1, bio: 2 }, ['display_name_blank', 'bio_invalid']],
    ])('answers 422 to a profile of %s', async (_, body, codes) => {
      const answer = await post('/api/profile/update', body, { 'Content-Type': 'application/json' });
      expect([answer.status, json(answer)]).toEqual([422, codes]);
    });
  });
}
