import * as v from 'valibot';
import { failure } from '../src/errors.ts';
import { userRoute } from '../src/http/api.ts';
import { writeIdentityOf } from '../src/http/idempotency.ts';
import { checkFrom } from '../src/http/identity/caller.ts';
import { handleIn, uuidIn } from '../src/http/request.ts';
import { fieldsOf, message, text } from '../src/http/validation.ts';
import { createMessage, type Destination } from '../src/messages/create.ts';

const blankReceiver = 'user_reciever_handle_blank';
const blankGroup = 'message_group_uuid_blank';
const caller = text('user_sender_handle_blank');
const unnamed = v.object({ caller, receiver: text(blankReceiver), group: text(blankGroup), message: message(1024) });
/** The input, which the API's description is generated from. */
export const named = v.object({
  caller,
  receiver: mayBeBlank(blankReceiver),
  group: mayBeBlank(blankGroup),
  message: message(1024),
});

/**
 * `POST /api/messages` with `{message}` and either `user_receiver_handle` (also `handle`) or
 * `message_group_uuid`. The group wins if both are given.
 */
export const handler = userRoute(
  'create-message',
  async (event, now) => {
    const { user_receiver_handle, handle, message_group_uuid, message } = fieldsOf(event.json);
    const receiver = isBlank(user_receiver_handle) ? handle : user_receiver_handle;
    const isNamed = !isBlank(receiver) || !isBlank(message_group_uuid);
    const input = await checkFrom(event.user, isNamed ? named : unnamed, {
      receiver,
      group: message_group_uuid,
      message,
    });
    const destination = input.group ? toGroup(input.group) : toUser(input.receiver);
    return { body: await createMessage(event.user, destination, input.message, await writeIdentityOf(event, now)) };
  },
  { body: 'json' },
);

function toGroup(group: string): Destination {
  const groupUuid = uuidIn(group);
  if (groupUuid === undefined) throw failure('message_group_not_found');
  return { groupUuid };
}

function toUser(receiver: string): Destination {
  const receiverHandle = handleIn(`@${receiver.replace(/^@/, '')}`);
  if (receiverHandle === undefined) throw failure('user_not_found');
  return { receiverHandle };
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '');
}

function mayBeBlank(wrongTypeCode: string) {
  return v.nullish(v.pipe(v.string(wrongTypeCode), v.trim()), '');
}
