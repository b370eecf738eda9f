import { Cron } from 'croner';

/** @returns when a schedule runs next after `after`; undefined when it never does again. */
export type NextRun = (after: Date) => Date | undefined;

const knownMinutes: Record<string, number> = { minute: 1, hour: 60, day: 24 * 60, week: 7 * 24 * 60 };

/**
 * Parses a schedule of EventBridge: `rate(5 minutes)`, `cron(0 12 ? * MON-FRI *)`,
 * `at(2026-11-20T13:00:00)`.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 * @param timezone an IANA name; EventBridge's default is UTC.
 * @throws Error in one sentence for anything else.
 */
export function parseSchedule(expression: string, timezone = 'UTC'): NextRun {
  const [, kind, body = ''] = /^\s*(rate|cron|at)\((.*)\)\s*$/.exec(expression) ?? [];
  if (kind === 'rate') return rate(body.trim(), expression);
  if (kind === 'cron') return cron(body.trim(), timezone, expression);
  if (kind === 'at') return at(body.trim(), timezone, expression);
  throw new Error(`"${expression}" is neither rate(…), cron(…) nor at(…).`);
}

function rate(body: string, expression: string): NextRun {
  const [, number, unit = ''] = /^(\d+)\s+(minute|hour|day|week)s?$/.exec(body) ?? [];
  const milliseconds = Number(number) * (knownMinutes[unit] ?? 0) * 60_000;
  if (!(milliseconds > 0)) throw new Error(`"${expression}" is not a rate such as rate(5 minutes).`);
  return (after) => new Date(after.getTime() + milliseconds);
}

function cron(body: string, timezone: string, expression: string): NextRun {
  const [minute, hour, dayOfMonth, month, dayOfWeek, year, more] = body.split(/\s+/);
  if (year === undefined || more !== undefined) {
    throw new Error(`"${expression}" needs six fields: minutes, hours, day of month, month, day of week, year.`);
  }
  const fields = [minute, hour, dayOfMonth, month, weekdays(dayOfWeek ?? ''), year];
  const pattern = ['0', ...fields].join(' ').replaceAll('?', '*');
  try {
    const job = new Cron(pattern, { timezone, paused: true, sloppyRanges: true });
    return (after) => job.nextRun(after) ?? undefined;
  } catch (error) {
    throw new Error(`"${expression}" is not a cron expression of AWS: ${(error as Error).message}`);
  }
}

/**
 * AWS counts days of the week from 1, Sunday; cron counts them from 0. What follows `#` is a week
 * of the month.
 */
function weekdays(field: string): string {
  return field.replace(/(#\d)|(\/\d+)|(\d)/g, (whole, week?: string, step?: string) =>
    week !== undefined || step !== undefined ? whole : String(Number(whole) - 1),
  );
}

function at(body: string, timezone: string, expression: string): NextRun {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(body)) {
    throw new Error(`"${expression}" is not a time such as at(2026-11-20T13:00:00).`);
  }
  const job = new Cron(body, { timezone, paused: true });
  return (after) => job.nextRun(after) ?? undefined;
}
