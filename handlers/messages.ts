import { failure } from '../src/errors.ts';
import { userRoute } from '../src/http/api.ts';
import { handleIn, pathVariable, uuidIn } from '../src/http/request.ts';
import { messagesOfGroup, messagesWith } from '../src/messages/read.ts';

/**
 * `GET /api/messages/{id}`: the latest messages with `@handle`, or of a group by uuid, oldest
 * first.
 */
export const handler = userRoute('messages', async (event) => {
  const id = pathVariable(event, 'id');
  const handle = handleIn(id);
  if (handle !== undefined) return { body: await messagesWith(event.user, handle) };
  const groupUuid = uuidIn(id);
  if (groupUuid === undefined) throw failure('message_group_not_found');
  return { body: await messagesOfGroup(event.user, groupUuid) };
});
