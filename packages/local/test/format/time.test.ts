import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clock, duration, timeOfDay } from '../../src/format/time.ts';

describe('clock', () => {
  const time = new Date(2026, 10, 22, 15, 44, 1, 123).getTime();

  it('leaves the date out on the same day, and only then', () => {
    expect(clock(time, new Date(2026, 10, 22, 23, 59).getTime())).toBe('15:44:01.123');
    expect(clock(time, new Date(2026, 10, 23, 0, 0).getTime())).toBe('2026-11-22 15:44:01.123');
  });

  it('has 24 hours, and a question mark for an invalid time', () => {
    expect(timeOfDay(new Date(2026, 0, 1, 0, 5).getTime())).toBe('00:05:00.000');
    expect(timeOfDay(Number.NaN)).toBe('?');
    expect(clock(Number.POSITIVE_INFINITY)).toBe('?');
  });
});

describe('duration', () => {
  it.each([
    [0, '0.00 ms'],
    [0.4249, '0.42 ms'],
    [9.996, '10.0 ms'],
    [342.4, '342 ms'],
    [999.6, '1.00 s'],
    [12_345, '12.3 s'],
    [59_960, '1m 0s'],
    [65_000, '1m 5s'],
    [4_000_000, '1h 6m'],
    [Number.NaN, '?'],
    [-1, '?'],
  ])('shows %s ms as %s', (milliseconds, shown) => {
    expect(duration(milliseconds)).toBe(shown);
  });

  it('fits eight columns, however long it takes', () => {
    fc.assert(
      fc.property(fc.double(), (milliseconds) => {
        expect(duration(milliseconds).length).toBeLessThanOrEqual(8);
      }),
    );
  });
});
