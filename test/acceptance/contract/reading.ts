import { describe, expect, it } from 'vitest';
import { json } from '../../fixtures/cruddur/api.ts';
import { type Caller, cloudIsFun, expectProblem, type Listed, unknownUuid } from './caller.ts';

/** Feeds, search, one activity: what is read. */
export function reading({ get, create }: Caller): void {
  describe('GET /api/health-check', () => {
    it('reports that the API is running', async () => {
      const answer = await get('/api/health-check');
      expect([answer.status, json(answer)]).toEqual([200, { success: true, ver: 1 }]);
      expect(answer.headers['content-type']).toBe('application/json');
    });
  });

  describe('GET /api/activities/home', () => {
    it('lists the seed newest first, with the latest replies nested', async () => {
      const answer = await get('/api/activities/home?limit=100');
      expect(answer.status).toBe(200);
      const home = json<Listed[]>(answer);
      const times = home.map(({ created_at }) => created_at);
      expect(times).toEqual([...times].sort().reverse());
      const seeded = home.filter(({ message }) => /simple tailor|very fun|prune juice/.test(message));
      expect(seeded.map(({ handle }) => handle)).toEqual(['garek', 'andrewbrown', 'worf']);
      const cloud = home.find(({ uuid }) => uuid === cloudIsFun);
      expect(cloud).toMatchObject({
        handle: 'andrewbrown',
        display_name: expect.any(String),
        message: 'Cloud is very fun!',
        likes_count: 5,
        reposts_count: 0,
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      });
      expect(cloud?.replies?.at(-1)).toMatchObject({
        uuid: '26e12864-1c26-5c3a-9658-97a10f8fea67',
        reply_to_activity_uuid: cloudIsFun,
        handle: 'worf',
        display_name: 'Worf',
        message: 'This post has no honor!',
        replies_count: 0,
      });
      expect(Object.keys(cloud ?? {}).sort()).toEqual(
        ['uuid', 'display_name', 'handle', 'message', 'replies_count', 'reposts_count', 'likes_count']
          .concat('created_at', 'expires_at', 'replies')
          .sort(),
      );
    });

    it('shows an activity as soon as it is written', async () => {
      const { uuid } = await create('to be seen at once');
      expect(json<Listed[]>(await get('/api/activities/home'))[0]?.uuid).toBe(uuid);
    });
  });

  describe('GET /api/activities/search', () => {
    it('ignores case, and does not link past the last page', async () => {
      const answer = await get('/api/activities/search?term=PRUNE');
      expect(json<Listed[]>(answer)).toMatchObject([{ handle: 'worf', message: 'I am out of prune juice' }]);
      expect(answer.headers.link).toBeUndefined();
    });
    it('finds the activities that contain every word, in any order', async () => {
      expect(json<Listed[]>(await get('/api/activities/search?term=juice%20prune'))).toHaveLength(1);
      expect(json<Listed[]>(await get('/api/activities/search?term=juice%20tailor'))).toEqual([]);
    });
    it.each(['', '?term=', '?term=%20%09'])('answers 422 search_term_blank to "%s"', async (query) => {
      const answer = await get(`/api/activities/search${query}`);
      expect([answer.status, json(answer)]).toEqual([422, ['search_term_blank']]);
    });
    it.each(['!!!', '%F0%9F%98%80', 'nobodywrotethis', "'%3B--", '__proto__', 'constructor', 'x'.repeat(3000)])(
      'finds nothing for %s',
      async (term) => {
        const answer = await get(`/api/activities/search?term=${term}`);
        expect([answer.status, json(answer)]).toEqual([200, []]);
      },
    );
    it('accepts a term of thousands of words', async () => {
      const term = Array.from({ length: 1500 }, (_, index) => `w${index}`).join('+');
      expect(json(await get(`/api/activities/search?term=${term}`))).toEqual([]);
    });
  });

  describe('GET /api/activities/{id}', () => {
    it.each(['@worf', '%40worf'])("lists the feed of %s: that user's activities alone", async (handle) => {
      const answer = await get(`/api/activities/${handle}`);
      expect(answer.status).toBe(200);
      expect(json<Listed[]>(answer).map(({ message }) => message)).toEqual(['I am out of prune juice']);
    });
    it('answers an empty feed for a user without activities', async () => {
      expect(json(await get('/api/activities/@londo'))).toEqual([]);
    });
    it.each(['@nobody', '@', '@%20', '@a%2Fb', `@${'x'.repeat(3000)}`])(
      'answers 404 to %s, who is not a user',
      async (handle) => {
        await expectProblem(get(`/api/activities/${handle}`), 404);
      },
    );
    it('answers an activity with its replies, for a uuid in any case', async () => {
      for (const uuid of [cloudIsFun, cloudIsFun.toUpperCase()]) {
        const answer = await get(`/api/activities/${uuid}`);
        expect(answer.status).toBe(200);
        expect(json<Listed>(answer)).toMatchObject({ uuid: cloudIsFun, message: 'Cloud is very fun!', likes_count: 5 });
        expect(json<Listed>(answer).replies?.at(-1)).toMatchObject({ handle: 'worf', display_name: 'Worf' });
      }
    });
    it('answers 404 for the uuid of no activity', async () => {
      await expectProblem(get(`/api/activities/${unknownUuid}`), 404);
    });
    it.each(['abc', '123', `${cloudIsFun}0`, cloudIsFun.replaceAll('-', ''), `{${cloudIsFun}}`])(
      'answers 422 activity_uuid_invalid to %s',
      async (id) => {
        const answer = await get(`/api/activities/${encodeURIComponent(id)}`);
        expect([answer.status, json(answer)]).toEqual([422, ['activity_uuid_invalid']]);
      },
    );
  });

  describe('GET /api/activities/{id}/status/{uuid}', () => {
    it('answers the activity and its replies', async () => {
      const answer = await get(`/api/activities/@andrewbrown/status/${cloudIsFun}`);
      const { activity, replies, ...more } = json<{ activity: Listed; replies: Listed[] }>(answer);
      expect(activity).toMatchObject({ uuid: cloudIsFun, handle: 'andrewbrown' });
      expect(activity).not.toHaveProperty('replies');
      expect(replies.at(-1)).toMatchObject({ handle: 'worf' });
      expect(more).toEqual({});
    });
    it.each([
      `@worf/status/${cloudIsFun}`,
      `@andrewbrown/status/${unknownUuid}`,
      '@andrewbrown/status/abc',
      `andrewbrown/status/${cloudIsFun}`,
      `@nobody/status/${cloudIsFun}`,
    ])('answers 404 to %s', async (path) => {
      await expectProblem(get(`/api/activities/${path}`), 404);
    });
  });
}
