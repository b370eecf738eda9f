import * as v from 'valibot';
import { notifications } from '../src/activities/feeds.ts';
import { userRoute } from '../src/http/api.ts';
import { pageOf, pages } from '../src/http/pagination.ts';
import { check } from '../src/http/validation.ts';

const { entries, linkTo } = pages('notifications');

/** `GET /api/activities/notifications`: replies to the caller's activities, and activities that mention the caller. */
export const handler = userRoute('notifications', async (event, now) => {
  const page = pageOf(check(v.object(entries(event)), event.queryStringParameters));
  const { items, next } = await notifications(event.user, page, now);
  return { body: items, headers: linkTo(event, page, next) };
});
