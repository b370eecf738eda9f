import { count } from '@throughline/telemetry';
import { failure, invalidInput } from '../errors.ts';
import type { WriteIdentity } from '../table/idempotency-key.ts';
import { findProfiles } from '../users/repository.ts';
import type { Identity } from '../users/user.ts';
import { groupUuidOf, type Message } from './message.ts';
import { receiverInGroup } from './read.ts';
import { putMessage } from './repository.ts';

/**
 * Where a message goes: to an existing group, or to a user. The first message to a user creates
 * their group.
 */
export type Destination = { groupUuid: string } | { receiverHandle: string };

/**
 * @throws {ExpectedError} `message_group_not_found`, also when `user` is not a member;
 *   `user_not_found` for an unknown receiver; `invalid_input` with `user_sender_handle_blank` when
 *   the caller has no profile
 */
export async function createMessage(
  user: Identity,
  destination: Destination,
  text: string,
  { uuid, now }: WriteIdentity,
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
