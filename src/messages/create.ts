import { failure, invalidInput } from '../errors.ts';
import type { Origin } from '../table/first-try.ts';
import { count } from '../telemetry/metrics.ts';
import { findProfiles } from '../users/repository.ts';
import type { Identity } from '../users/user.ts';
import { groupUuidOf, type Message } from './message.ts';
import { receiverInGroup } from './read.ts';
import { putMessage } from './repository.ts';

/** Where a message goes: into a group that is there, or to a user, with whom a group is made if there is none. */
export type Destination = { groupUuid: string } | { receiverHandle: string };

/**
 * @throws {ExpectedError} `message_group_not_found`, `not_a_member`, `user_not_found` for an unknown receiver;
 * `invalid_input` with `user_sender_handle_blank` when who signed in has no profile
 */
export async function createMessage(
  user: Identity,
  destination: Destination,
  text: string,
  { uuid, now }: Origin,
): Promise<Message> {
  const receiver =
    'groupUuid' in destination ? await receiverInGroup(user, destination.groupUuid) : destination.receiverHandle;
  const profiles = await findProfiles([user.handle, receiver]);
  const [from, to] = [profiles.get(user.handle), profiles.get(receiver)];
  if (!from) throw invalidInput(['user_sender_handle_blank']);
  if (!to) throw failure('user_not_found');
  const message: Message = {
    uuid,
    message_group_uuid: groupUuidOf(from.uuid, to.uuid),
    display_name: from.display_name,
    handle: from.handle,
    message: text,
    created_at: now.toISOString(),
  };
  if (await putMessage(message, to.handle)) count('MessageCreated');
  return message;
}
