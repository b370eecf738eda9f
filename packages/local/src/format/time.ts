/**
 * @param now epoch milliseconds; the date is left out on the same day.
 * @returns `15:44:01.123` or `2026-11-22 15:44:01.123` in local time, 24 hours; `?` for an
 *   invalid time.
 */
export function clock(milliseconds: number, now: number = Date.now()): string {
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) return '?';
  const time = timeOfDay(milliseconds);
  return day(date) === day(new Date(now)) ? time : `${day(date)} ${time}`;
}

/** @returns `15:44:01.123` in local time; `?` for an invalid time. */
export function timeOfDay(milliseconds: number): string {
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) return '?';
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${time}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/**
 * @returns `0.42 ms`, `12.3 ms`, `342 ms`, `1.27 s`, `3m 5s`: three figures, in at most eight
 * columns.
 */
export function duration(milliseconds: number): string {
  if (!Number.isFinite(milliseconds) || milliseconds < 0) return '?';
  if (milliseconds < 9.995) return `${milliseconds.toFixed(2)} ms`;
  if (milliseconds < 99.95) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 999.5) return `${milliseconds.toFixed(0)} ms`;
  if (milliseconds < 9_995) return `${(milliseconds / 1000).toFixed(2)} s`;
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
  return seconds < 360_000 ? `${Math.floor(seconds / 3600)}h ${Math.floor((seconds % 3600) / 60)}m` : '> 99 h';
}

function day(date: Date): string {
  return [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join('-');
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
