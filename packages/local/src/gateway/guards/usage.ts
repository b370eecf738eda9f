import type { LocalApiKey, LocalUsagePlan } from '../../service/apis/api-model.ts';
import { type GatewayError, gatewayErrors } from '../responses/gateway-responses.ts';

/** @returns the error of a key that must not be used now, or undefined and counts the request. */
export type UseKey = (key: LocalApiKey) => GatewayError | undefined;

const dayMilliseconds = 86_400_000;

/**
 * @returns which day, week or month of a quota a time is in; `offset` moves its beginning by so
 * many days.
 */
function periodOf({ period, offset }: NonNullable<LocalUsagePlan['quota']>, time: number): string {
  const shifted = new Date(time - offset * dayMilliseconds);
  if (period === 'MONTH') return shifted.toISOString().slice(0, 7);
  if (period === 'DAY') return shifted.toISOString().slice(0, 10);
  // Weeks begin on Sunday; 1970-01-04 was one.
  return String(Math.floor((shifted.getTime() - 3 * dayMilliseconds) / (7 * dayMilliseconds)));
}

/**
 * Counts the use of API keys by their plans: a token bucket per key for the rate, a number per key
 * and period for the quota.
 * @param now epoch milliseconds
 */
export function createUsageMeter(plans: LocalUsagePlan[], now: () => number = Date.now): UseKey {
  const buckets = new Map<string, { tokens: number; at: number }>();
  const used = new Map<string, { period: string; count: number }>();
  return (key) => {
    const plan = plans.find(({ name }) => name === key.plan);
    const time = now();
    if (plan?.throttle) {
      const { burstLimit, rateLimit } = plan.throttle;
      const before = buckets.get(key.value) ?? { tokens: burstLimit, at: time };
      const tokens = Math.min(burstLimit, before.tokens + ((time - before.at) / 1000) * rateLimit);
      buckets.set(key.value, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: time });
      if (tokens < 1) return gatewayErrors.tooManyRequests;
    }
    if (plan?.quota) {
      const period = periodOf(plan.quota, time);
      const before = used.get(key.value);
      const count = before?.period === period ? before.count : 0;
      if (count >= plan.quota.limit) return gatewayErrors.quotaExceeded;
      used.set(key.value, { period, count: count + 1 });
    }
    return undefined;
  };
}
