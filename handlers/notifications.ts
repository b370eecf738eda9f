import { Logger } from '@aws-lambda-powertools/logger';
import { Tracer } from '@aws-lambda-powertools/tracer';
import * as v from 'valibot';
import { notifications } from '../src/activities/feeds.ts';
import { userRoute } from '../src/http/api.ts';
import { pageOf, pages } from '../src/http/paging/pagination.ts';
import { check } from '../src/http/validation.ts';

const { entries, linkTo } = pages('notifications');

// Powertools' own classes work beside `span` and `logger`: the same tree, the same ids on each
// line.
const tracer = new Tracer();
const logger = new Logger();

/**
 * `GET /api/activities/notifications`: replies to the caller's activities, and activities that
 * mention the caller.
 */
export const handler = userRoute('notifications', async (event, now) => {
  const page = pageOf(check(v.object(await entries(event)), event.queryStringParameters));
  const { items, next } = await notifications(event.user, page, now);
  tracer.putAnnotation('notifications', items.length);
  logger.info('Notifications listed', { notifications: items.length });
  return { body: items, headers: await linkTo(event, page, next) };
});
