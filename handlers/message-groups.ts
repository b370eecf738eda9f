import * as v from 'valibot';
import { userRoute } from '../src/http/api.ts';
import { pageOf, pages } from '../src/http/paging/pagination.ts';
import { check } from '../src/http/validation.ts';
import { messageGroups } from '../src/messages/read.ts';

const { entries, linkTo } = pages('message-groups');

/** `GET /api/message_groups`: the caller's conversations. */
export const handler = userRoute('message-groups', async (event) => {
  const page = pageOf(check(v.object(await entries(event)), event.queryStringParameters));
  const { items, next } = await messageGroups(event.user, page);
  return { body: items, headers: await linkTo(event, page, next) };
});
