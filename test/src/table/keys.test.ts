import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { feedPartitions, longestLifeMilliseconds, positionOf, shards, timelines } from '../../../src/table/keys.ts';

const dates = fc.date({ min: new Date('2020-01-01'), max: new Date('2090-01-01'), noInvalidDate: true });

describe('the partitions of the feed', () => {
  it('hold every activity that has not expired', () => {
    fc.assert(
      fc.property(dates, fc.integer({ min: 0, max: longestLifeMilliseconds }), fc.uuid(), (now, age, uuid) => {
        const written = new Date(now.getTime() - age).toISOString();
        expect(feedPartitions(now).flat()).toContain(timelines.feed(written, uuid));
      }),
    );
  });

  it('are three months of shards at most, newest month first', () => {
    fc.assert(
      fc.property(dates, (now) => {
        const months = feedPartitions(now);
        expect(months.length).toBeGreaterThanOrEqual(1);
        expect(months.length).toBeLessThanOrEqual(3);
        for (const month of months) expect(month).toHaveLength(shards);
        const names = months.map(([first = '']) => first);
        expect(names).toEqual([...names].sort().reverse());
      }),
    );
  });

  it("begin with the month of the page's cursor", () => {
    const before = positionOf({ created_at: '2026-10-31T23:59:59.999Z', uuid: 'x' });
    expect(feedPartitions(new Date('2026-11-22T00:00:00Z'), before).map(([first]) => first)).toEqual([
      'FEED#2026-10#0',
    ]);
  });
});
