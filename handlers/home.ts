import * as v from 'valibot';
import { homeActivities } from '../src/activities/feeds.ts';
import { publicRoute } from '../src/http/api.ts';
import { pageOf, pages } from '../src/http/pagination.ts';
import { check } from '../src/http/validation.ts';

const { entries, linkTo } = pages('home');

/** `GET /api/activities/home`: everybody's activities, each with its last replies. */
export const handler = publicRoute('home-activities', async (event, now) => {
  const page = pageOf(check(v.object(entries(event)), event.queryStringParameters));
  const { items, next } = await homeActivities(page, now);
  return { body: items, headers: linkTo(event, page, next) };
});
