import * as v from 'valibot';
import { searchActivities } from '../src/activities/feeds.ts';
import { publicRoute } from '../src/http/api.ts';
import { pageOf, pages } from '../src/http/paging/pagination.ts';
import { check, text } from '../src/http/validation.ts';

const { entries, linkTo } = pages('search');

/** `GET /api/activities/search?term=`: activities that contain every word of the term. */
export const handler = publicRoute('search-activities', async (event, now) => {
  const schema = v.object({ term: text('search_term_blank'), ...(await entries(event)) });
  const { term, ...rest } = check(schema, event.queryStringParameters);
  const page = pageOf(rest);
  const { items, next } = await searchActivities(term, page, now);
  return { body: items, headers: await linkTo(event, page, next) };
});
