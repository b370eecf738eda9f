import { describe, expect, it } from 'vitest';
import { json } from '../../fixtures/cruddur/api.ts';
import { type Caller, cloudIsFun, expectProblem } from './caller.ts';

/** Profiles. */
export function users({ get, post }: Caller): void {
  describe('users', () => {
    it.each(['@bayko', '%40bayko'])('have a short profile at %s', async (id) => {
      const answer = await get(`/api/users/${id}/short`);
      expect([answer.status, json(answer)]).toEqual([
        200,
        { uuid: expect.stringMatching(/^[0-9a-f-]{36}$/), handle: 'bayko', display_name: 'Andrew Bayko' },
      ]);
    });
    it.each(['@nobody', 'bayko', '@', 'constructor', '@BAYKO', '@bayko%23PROFILE'])('answers 404 to %s', async (id) => {
      await expectProblem(get(`/api/users/${id}/short`), 404);
    });
    it('change their profile, and old activities show the new name', async () => {
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
    it.each(['עומר', 'علي', '👩\u200d🚀 Ada', 'İlkay Ünal'])('can be called %s', async (display_name) => {
      const answer = await post('/api/profile/update', { display_name, bio: 'two\nlines' });
      expect([answer.status, json(answer)]).toMatchObject([200, { display_name, bio: 'two\nlines' }]);
      await post('/api/profile/update', { display_name: 'Andrew Brown' });
    });
    it.each<[string, unknown, string[]]>([
      ['nothing', {}, ['display_name_blank']],
      ['an array', [], ['display_name_blank']],
      ['a blank name', { display_name: ' ' }, ['display_name_blank']],
      ['a name that nobody can see', { display_name: '\u200b\u2060' }, ['display_name_blank']],
      ...['\u0000', '\u001b[2J', '\u0085', '\u202e', '\u2066', '\u2028', '\n'].map(
        (control): [string, unknown, string[]] => [
          `a name with ${JSON.stringify(control)}, U+${control.charCodeAt(0).toString(16)}`,
          { display_name: `Andrew${control}nworB` },
          ['display_name_invalid'],
        ],
      ),
      ['a bio with NUL', { display_name: 'Andrew Brown', bio: 'a\u0000b' }, ['bio_invalid']],
      ['a bio with U+202E', { display_name: 'Andrew Brown', bio: 'a\u202eb' }, ['bio_invalid']],
      ['a name and a bio of other types', { display_name: 1, bio: 2 }, ['display_name_blank', 'bio_invalid']],
    ])('answers 422 to a profile of %s', async (_, body, codes) => {
      const answer = await post('/api/profile/update', body, { 'Content-Type': 'application/json' });
      expect([answer.status, json(answer)]).toEqual([422, codes]);
    });
  });
}
