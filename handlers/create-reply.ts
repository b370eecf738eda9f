import * as v from 'valibot';
import { createReply } from '../src/activities/create.ts';
import { failure } from '../src/errors.ts';
import { userRoute } from '../src/http/api.ts';
import { writeIdentityOf } from '../src/http/idempotency.ts';
import { checkFrom } from '../src/http/identity/caller.ts';
import { pathVariable, uuidIn } from '../src/http/request.ts';
import { fieldsOf, message, text } from '../src/http/validation.ts';

/** The input, which the API's description is generated from. */
export const schema = v.object({
  caller: text('user_handle_blank'),
  id: text('activity_uuid_blank'),
  message: message(1024),
});

/** `POST /api/activities/{id}/reply` with `{message}`. */
export const handler = userRoute(
  'create-reply',
  async (event, now) => {
    const input = await checkFrom(event.user, schema, { ...fieldsOf(event.json), id: pathVariable(event, 'id') });
    const activityUuid = uuidIn(input.id);
    if (activityUuid === undefined) throw failure('activity_not_found');
    const reply = { activityUuid, message: input.message };
    return { body: await createReply(event.user, reply, await writeIdentityOf(event, now)) };
  },
  { body: 'json' },
);
