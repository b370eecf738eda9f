import { failure } from '../errors.ts';
import type { Page, PageResult } from '../table/query.ts';
import { findProfiles, withDisplayNames } from '../users/repository.ts';
import type { Identity } from '../users/user.ts';
import { groupUuidOf, type Message, type MessageGroup } from './message.ts';
import { listGroups, listMessages, otherMember } from './repository.ts';

/** @returns the conversations of `user`, the one with the latest message first. */
export async function messageGroups(user: Identity, page: Page): Promise<PageResult<MessageGroup>> {
  const { items, next } = await listGroups(user.handle, page);
  return { items: await withDisplayNames(items), next };
}

/**
 * @returns the latest messages of a group, oldest first.
 * @throws {ExpectedError} `message_group_not_found`, also when `user` is not a member
 */
export async function messagesOfGroup(user: Identity, groupUuid: string): Promise<Message[]> {
  await receiverInGroup(user, groupUuid);
  return withDisplayNames(await listMessages(groupUuid));
}

/**
 * @returns the latest messages between `user` and another user, oldest first; none if they have
 *   not written yet.
 * @throws {ExpectedError} `user_not_found`
 */
export async function messagesWith(user: Identity, handle: string): Promise<Message[]> {
  const profiles = await findProfiles([user.handle, handle]);
  const [own, other] = [profiles.get(user.handle), profiles.get(handle)];
  if (!own || !other) throw failure('user_not_found');
  return withDisplayNames(await listMessages(groupUuidOf(own.uuid, other.uuid)));
}

/**
 * @returns the handle of the other member.
 * @throws {ExpectedError} `message_group_not_found`, also when `user` is not a member
 */
export async function receiverInGroup(user: Identity, groupUuid: string): Promise<string> {
  const other = await otherMember(groupUuid, user.handle);
  if (other !== undefined) return other;
  // The same answer for a group of other people and for no group: it must not tell who talks with
  // whom.
  throw failure('message_group_not_found');
}
