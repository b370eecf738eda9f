import * as v from 'valibot';
import { userActivities } from '../src/activities/feeds.ts';
import { showActivity } from '../src/activities/show.ts';
import { failure, invalidInput } from '../src/errors.ts';
import { publicRoute } from '../src/http/api.ts';
import { pageOf, pages } from '../src/http/paging/pagination.ts';
import { handleIn, pathVariable, uuidIn } from '../src/http/request.ts';
import { check } from '../src/http/validation.ts';

const { entries, linkTo } = pages('activity');

/** `GET /api/activities/{id}`: the feed of `@handle`, or one activity by uuid with its replies. */
export const handler = publicRoute('show-activities', async (event, now) => {
  const id = pathVariable(event, 'id');
  if (id.startsWith('@')) {
    const handle = handleIn(id);
    if (handle === undefined) throw failure('user_not_found');
    const page = pageOf(check(v.object(await entries(event)), event.queryStringParameters));
    const { items, next } = await userActivities(handle, page, now);
    return { body: items, headers: await linkTo(event, page, next) };
  }
  const uuid = uuidIn(id);
  if (uuid === undefined) throw invalidInput(['activity_uuid_invalid']);
  // One route, one description: its parameters are checked whichever kind of id it gets.
  check(v.object(await entries(event)), event.queryStringParameters);
  return { body: await showActivity(uuid, now) };
});
