import { describe, expect, it } from 'vitest';
import { createUsageMeter } from '../../../src/gateway/guards/usage.ts';

const key = { name: 'k', value: 'v', enabled: true, generated: false, plan: 'gold' };

describe('a usage plan', () => {
  it('refills its bucket at the rate, up to the burst', () => {
    let time = 0;
    const use = createUsageMeter([{ name: 'gold', throttle: { burstLimit: 2, rateLimit: 1 } }], () => time);
    const tries = (count: number) => Array.from({ length: count }, () => use(key)?.status ?? 200);
    expect(tries(3)).toEqual([200, 200, 429]);
    time = 1000;
    expect(tries(2)).toEqual([200, 429]);
    time = 60_000;
    expect(tries(3)).toEqual([200, 200, 429]);
  });

  it.each([
    ['DAY', '2026-11-26T23:59:59Z', '2026-11-27T00:00:01Z'],
    ['WEEK', '2026-11-28T23:59:59Z', '2026-11-29T00:00:01Z'],
    ['MONTH', '2026-11-30T23:59:59Z', '2026-12-01T00:00:01Z'],
  ] as const)('counts its quota anew each %s', (period, before, after) => {
    let time = Date.parse(before);
    const use = createUsageMeter([{ name: 'gold', quota: { limit: 1, period, offset: 0 } }], () => time);
    expect([use(key)?.message, use(key)?.message]).toEqual([undefined, 'Limit Exceeded']);
    time = Date.parse(after);
    expect(use(key)).toBeUndefined();
  });

  it('of another key is not touched', () => {
    const use = createUsageMeter([{ name: 'gold', quota: { limit: 1, period: 'DAY', offset: 0 } }]);
    expect([use(key), use({ ...key, value: 'w' })]).toEqual([undefined, undefined]);
  });
});
