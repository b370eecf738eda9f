/** The public fields of an activity. Times are ISO 8601. */
export interface Activity {
  uuid: string;
  display_name: string;
  handle: string;
  message: string;
  replies_count: number;
  reposts_count: number;
  likes_count: number;
  created_at: string;
  expires_at: string;
}

export interface Reply extends Omit<Activity, 'expires_at'> {
  reply_to_activity_uuid: string;
}

export interface ActivityWithReplies extends Activity {
  /** Newest first. */
  replies: Reply[];
}

/**
 * An activity that mentions the reader, or a reply to the reader's activity, which expires with
 * that activity.
 */
export type Notification = Activity & { reply_to_activity_uuid?: string };

const hourMilliseconds = 3_600_000;
const dayMilliseconds = 24 * hourMilliseconds;

/** The lifetimes that a caller may choose, in milliseconds. */
export const lifetimes = {
  '30-days': 30 * dayMilliseconds,
  '7-days': 7 * dayMilliseconds,
  '3-days': 3 * dayMilliseconds,
  '1-day': dayMilliseconds,
  '12-hours': 12 * hourMilliseconds,
  '3-hours': 3 * hourMilliseconds,
  '1-hour': hourMilliseconds,
} as const;

export type Lifetime = keyof typeof lifetimes;

/**
 * @returns the handles that `message` mentions, in lower case like all handles. An e-mail address
 * is not a mention.
 */
export function mentionsIn(message: string): string[] {
  const mentions = message.matchAll(/(?<![\p{L}\p{N}_.@-])@([a-z0-9_]{1,64})(?![\p{L}\p{N}_])/giu);
  return [...new Set([...mentions].map(([, handle = '']) => handle.toLowerCase()))];
}
