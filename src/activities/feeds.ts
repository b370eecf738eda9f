import { failure } from '../errors.ts';
import { byTimeline, timelines } from '../table/keys.ts';
import { type Page, type PageResult, queryPage } from '../table/query.ts';
import { findProfile, withDisplayNames } from '../users/repository.ts';
import type { Identity } from '../users/user.ts';
import type { Activity, ActivityWithReplies, Notification } from './activity.ts';
import { latestReplies, toReply } from './replies.ts';
import { findActivities, listByAuthor, listByWords, listFeed, type StoredActivity, shown } from './repository.ts';

/** @returns all unexpired activities, each with its latest replies. */
export async function homeActivities(page: Page, now: Date): Promise<PageResult<ActivityWithReplies>> {
  const { items, next } = await listFeed(page, now);
  const replies = await latestReplies(items);
  const nested = items.map((activity) => ({ ...shown(activity), replies: replies.get(activity.uuid) ?? [] }));
  return { items: await withRepliesNamed(nested), next };
}

/**
 * @returns one user's unexpired activities.
 * @throws {ExpectedError} `user_not_found`
 */
export async function userActivities(handle: string, page: Page, now: Date): Promise<PageResult<Activity>> {
  const [profile, { items, next }] = await Promise.all([findProfile(handle), listByAuthor(handle, page, now)]);
  if (!profile) throw failure('user_not_found');
  const { display_name } = profile;
  return { items: items.map((activity) => ({ ...shown(activity), display_name })), next };
}

/**
 * @returns the activities that contain every word of `term`, in any order. Only whole words
 *   match; case is ignored.
 */
export async function searchActivities(term: string, page: Page, now: Date): Promise<PageResult<Activity>> {
  const { items, next } = await listByWords(term, page, now);
  return { items: await withDisplayNames(items.map(shown)), next };
}

/** @returns the replies to `user`'s activities and the activities that mention `user`. */
export async function notifications(user: Identity, page: Page, now: Date): Promise<PageResult<Notification>> {
  const { items, next } = await queryPage(byTimeline, [timelines.notifications(user.handle)], page, { now });
  const mentions = items.filter((item) => !('reply_to_activity_uuid' in item)).map(({ uuid }) => String(uuid));
  const activities = await findActivities(mentions, now);
  const notified = items.flatMap((item) =>
    'reply_to_activity_uuid' in item ? toNotification(item) : mentioned(activities.get(String(item.uuid))),
  );
  return { items: await withDisplayNames(notified), next };
}

function toNotification(reply: Record<string, unknown>): Notification {
  return { ...toReply(reply), expires_at: String(reply.expires_at) };
}

function mentioned(activity: StoredActivity | undefined): Notification[] {
  return activity ? [shown(activity)] : [];
}

/** Names the activities and their replies with one read of profiles. */
async function withRepliesNamed(activities: ActivityWithReplies[]): Promise<ActivityWithReplies[]> {
  const named = await withDisplayNames(activities.flatMap((activity) => [activity, ...activity.replies]));
  const names = new Map(named.map(({ handle, display_name }) => [handle, display_name]));
  const rename = <T extends { handle: string; display_name: string }>(item: T): T => ({
    ...item,
    display_name: names.get(item.handle) ?? item.display_name,
  });
  return activities.map((activity) => ({ ...rename(activity), replies: activity.replies.map(rename) }));
}
