import * as v from 'valibot';
import { type Lifetime, lifetimes } from '../src/activities/activity.ts';
import { createActivity } from '../src/activities/create.ts';
import { userRoute } from '../src/http/api.ts';
import { writeIdentityOf } from '../src/http/idempotency.ts';
import { checkFrom } from '../src/http/identity/caller.ts';
import { message, text } from '../src/http/validation.ts';

/** The input, which the API's description is generated from. */
export const schema = v.object({
  ttl: v.nullish(v.picklist(Object.keys(lifetimes) as Lifetime[], 'ttl_blank'), '' as Lifetime),
  caller: text('user_handle_blank'),
  message: message(280),
});

/** `POST /api/activities` with `{message, ttl}`. */
export const handler = userRoute(
  'create-activity',
  async (event, now) => {
    const input = await checkFrom(event.user, schema, event.json);
    const activity = await createActivity(event.user, input, await writeIdentityOf(event, now));
    return { body: activity, headers: { location: `/api/activities/${activity.uuid}` } };
  },
  { body: 'json' },
);
