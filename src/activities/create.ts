import { count } from '@throughline/telemetry';
import { failure, invalidInput } from '../errors.ts';
import type { WriteIdentity } from '../table/idempotency-key.ts';
import { findProfile } from '../users/repository.ts';
import type { Identity, Profile } from '../users/user.ts';
import { type Activity, type Lifetime, lifetimes, type Reply } from './activity.ts';
import { putReply } from './replies.ts';
import { findActivity, putActivity } from './repository.ts';

/**
 * @throws {ExpectedError} `invalid_input` with `user_handle_blank` when the caller has no profile
 */
export async function createActivity(
  user: Identity,
  input: { message: string; ttl: Lifetime },
  { uuid, now }: WriteIdentity,
): Promise<Activity> {
  const { handle, display_name } = await authorOf(user);
  const activity: Activity = {
    uuid,
    handle,
    display_name,
    message: input.message,
    replies_count: 0,
    reposts_count: 0,
    likes_count: 0,
    created_at: now.toISOString(),
    expires_at: new Date(now.getTime() + lifetimes[input.ttl]).toISOString(),
  };
  if (await putActivity(activity)) count('ActivityCreated');
  return activity;
}

/**
 * @throws {ExpectedError} `activity_not_found`, also when it has expired; `invalid_input` with
 *   `user_handle_blank` when the caller has no profile
 */
export async function createReply(
  user: Identity,
  input: { activityUuid: string; message: string },
  { uuid, now }: WriteIdentity,
): Promise<Reply> {
  const [author, activity] = await Promise.all([authorOf(user), findActivity(input.activityUuid, now)]);
  if (!activity) throw failure('activity_not_found');
  const reply: Reply = {
    uuid,
    reply_to_activity_uuid: activity.uuid,
    handle: author.handle,
    display_name: author.display_name,
    message: input.message,
    replies_count: 0,
    reposts_count: 0,
    likes_count: 0,
    created_at: now.toISOString(),
  };
  if (await putReply(reply, activity)) count('ReplyCreated');
  return reply;
}

async function authorOf(user: Identity): Promise<Profile> {
  const profile = await findProfile(user.handle);
  if (!profile) throw invalidInput(['user_handle_blank']);
  return profile;
}
