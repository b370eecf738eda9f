import { failure } from '../errors.ts';
import { timelines } from '../table/keys.ts';
import { byTimeline, newest, type Page, type Paged } from '../table/newest.ts';
import { findProfile, withDisplayNames } from '../users/repository.ts';
import type { Identity } from '../users/user.ts';
import type { Activity, ActivityWithReplies, Notification } from './activity.ts';
import { latestReplies, toReply } from './replies.ts';
import { findActivities, listByAuthor, listByWords, listFeed, type StoredActivity, shown } from './repository.ts';

/** @returns everybody's activities that have not expired, each with its last few replies. */
export async function homeActivities(page: Page, now: Date): Promise<Paged<ActivityWithReplies>> {
  const { items, next } = await listFeed(page, now);
  const replies = await latestReplies(items);
  const nested = items.map((activity) => ({ ...shown(activity), replies: replies.get(activity.uuid) ?? [] }));
  return { items: await withRepliesNamed(nested), next };
}

/**
 * @returns one user's activities that have not expired.
 * @throws {ExpectedError} `user_not_found`
 */
export async function userActivities(handle: string, page: Page, now: Date): Promise<Paged<Activity>> {
  const [profile, { items, next }] = await Promise.all([findProfile(handle), listByAuthor(handle, page, now)]);
  if (!profile) throw failure('user_not_found');
  const { display_name } = profile;
  return { items: items.map((activity) => ({ ...shown(activity), display_name })), next };
}

/**
 * @returns the activities that have every word of `term` in them, in any order; a word is found whole, whatever its
 * case.
 */
export async function searchActivities(term: string, page: Page, now: Date): Promise<Paged<Activity>> {
  const { items, next } = await listByWords(term, page, now);
  return { items: await withDisplayNames(items.map(shown)), next };
}

/** @returns the replies to `user`'s activities and the activities that mention `user`. */
export async function notifications(user: Identity, page: Page, now: Date): Promise<Paged<Notification>> {
  const { items, next } = await newest(byTimeline, [timelines.notifications(user.handle)], page, { now });
  const mentions = items.filter((item) => !('reply_to_activity_uuid' in item)).map(({ uuid }) => String(uuid));
  const activities = await findActivities(mentions, now);
  const notified = items.flatMap((item) =>
    'reply_to_activity_uuid' in item ? toNotification(item) : mentioned(activities.get(String(item['uuid']))),
  );
  return { items: await withDisplayNames(notified), next };
}

function toNotification(reply: Record<string, unknown>): Notification {
  return { ...toReply(reply), expires_at: String(reply['expires_at']) };
}

function mentioned(activity: StoredActivity | undefined): Notification[] {
  return activity ? [shown(activity)] : [];
}

/** One read of profiles for the activities and their replies together. */
async function withRepliesNamed(activities: ActivityWithReplies[]): Promise<ActivityWithReplies[]> {
  const named = await withDisplayNames(activities.flatMap((activity) => [activity, ...activity.replies]));
  const names = new Map(named.map(({ handle, display_name }) => [handle, display_name]));
  const rename = <T extends { handle: string; display_name: string }>(item: T): T => ({
    ...item,
    display_name: names.get(item.handle) ?? item.display_name,
  });
  return activities.map((activity) => ({ ...rename(activity), replies: activity.replies.map(rename) }));
}
