import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSchedule } from '../../../src/service/events/schedule-expression.ts';

/** A Wednesday. */
const now = new Date('2026-01-14T10:00:30Z');

describe('a schedule of EventBridge', () => {
  it.each([
    ['rate(1 minute)', '2026-01-14T10:01:30Z'],
    ['rate(2 hours)', '2026-01-14T12:00:30Z'],
    ['rate(7 days)', '2026-01-21T10:00:30Z'],
    ['cron(0 12 * * ? *)', '2026-01-14T12:00:00Z'],
    ['cron(0/15 * * * ? *)', '2026-01-14T10:15:00Z'],
    ['cron(5/20 * * * ? *)', '2026-01-14T10:05:00Z'],
    ['cron(0 7/4 * * ? *)', '2026-01-14T11:00:00Z'],
    // AWS's Sunday is 1, so that 2-6 is Monday to Friday and 1 a Sunday.
    ['cron(0 8 ? * 2-6 *)', '2026-01-15T08:00:00Z'],
    ['cron(0 8 ? * 1 *)', '2026-01-18T08:00:00Z'],
    ['cron(0 8 ? * MON-FRI *)', '2026-01-15T08:00:00Z'],
    ['cron(0 9 ? * 3#1 *)', '2026-02-03T09:00:00Z'],
    ['cron(0 9 L * ? *)', '2026-01-31T09:00:00Z'],
    ['cron(0 9 15W * ? *)', '2026-01-15T09:00:00Z'],
    ['cron(0 9 1 1 ? 2030)', '2030-01-01T09:00:00Z'],
    ['at(2026-02-01T00:00:00)', '2026-02-01T00:00:00Z'],
  ])('%s runs next at %s', (expression, expected) => {
    expect(parseSchedule(expression)(now)?.toISOString()).toBe(new Date(expected).toISOString());
  });

  it.each(['cron(0 9 ? * 6L *)', 'cron(0 9 ? * FRIL *)'])('%s runs on the last Friday of the month', (expression) => {
    expect(parseSchedule(expression)(now)?.toISOString()).toBe('2026-01-30T09:00:00.000Z');
  });

  it('is in its time zone, over the change of the clocks', () => {
    const next = parseSchedule('cron(30 9 * * ? *)', 'Europe/Berlin');
    expect(next(new Date('2026-03-28T00:00:00Z'))?.toISOString()).toBe('2026-03-28T08:30:00.000Z');
    expect(next(new Date('2026-03-29T00:00:00Z'))?.toISOString()).toBe('2026-03-29T07:30:00.000Z');
  });

  it('never runs again once its time or its last year is over', () => {
    expect(parseSchedule('at(2020-01-01T00:00:00)')(now)).toBeUndefined();
    expect(parseSchedule('cron(0 0 1 1 ? 2020)')(now)).toBeUndefined();
  });

  it.each(['5 minutes', 'rate(0 minutes)', 'rate(x)', 'cron(* * * * *)', 'cron(99 * * * ? *)', 'at(tomorrow)', ''])(
    'is not "%s", and the error quotes it',
    (expression) => {
      expect(() => parseSchedule(expression)).toThrow(`"${expression}"`);
    },
  );

  it('runs later than the time before, whatever its fields', () => {
    const minute = fc.integer({ min: 0, max: 59 });
    const hour = fc.integer({ min: 0, max: 23 });
    const weekday = fc.integer({ min: 1, max: 7 });
    fc.assert(
      fc.property(minute, hour, weekday, (minutes, hours, day) => {
        const next = parseSchedule(`cron(${minutes} ${hours} ? * ${day} *)`)(now);
        expect(next?.getTime()).toBeGreaterThan(now.getTime());
        expect([next?.getUTCMinutes(), next?.getUTCHours(), next?.getUTCDay()]).toEqual([minutes, hours, day - 1]);
      }),
    );
  });
});
