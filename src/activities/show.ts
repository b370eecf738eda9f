import { failure } from '../errors.ts';
import { withDisplayNames } from '../users/repository.ts';
import type { Activity, ActivityWithReplies, Reply } from './activity.ts';
import { listReplies } from './replies.ts';
import { findActivity, shown } from './repository.ts';

/**
 * @returns the activity with its replies.
 * @throws {ExpectedError} `activity_not_found`, also when it has expired
 */
export async function showActivity(uuid: string, now: Date): Promise<ActivityWithReplies> {
  const { activity, replies } = await activityStatus(uuid, now);
  return { ...activity, replies };
}

/**
 * @param handle whose activity it has to be; absent: anybody's.
 * @throws {ExpectedError} `activity_not_found`, also when it has expired or is another user's
 */
export async function activityStatus(
  uuid: string,
  now: Date,
  handle?: string,
): Promise<{ activity: Activity; replies: Reply[] }> {
  const [found, replies] = await Promise.all([findActivity(uuid, now), listReplies(uuid)]);
  if (!found || (handle !== undefined && found.handle !== handle)) throw failure('activity_not_found');
  const [[activity = shown(found)], named] = await Promise.all([
    withDisplayNames([shown(found)]),
    withDisplayNames(replies),
  ]);
  return { activity, replies: named };
}
