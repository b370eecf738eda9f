import * as v from 'valibot';
import { homeActivities } from '../src/activities/feeds.ts';
import { publicRoute } from '../src/http/api.ts';
import { pageOf, pages } from '../src/http/paging/pagination.ts';
import { check } from '../src/http/validation.ts';

const { entries, linkTo } = pages('home');

/** `GET /api/activities/home`: all activities, each with its latest replies. */
export const handler = publicRoute('home-activities', async (event, now) => {
  const page = pageOf(check(v.object(await entries(event)), event.queryStringParameters));
  const { items, next } = await homeActivities(page, now);
  return { body: items, headers: await linkTo(event, page, next) };
});
