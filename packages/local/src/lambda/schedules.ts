import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseSchedule } from '../service/events/schedule-expression.ts';
import type { LocalFunction, LocalService } from '../service/model.ts';
import { localAccountId } from '../service/read.ts';
import { newRoot } from '../trace/trace-id.ts';
import type { LambdaPlatform } from './invocation/types.ts';

/** Time, as a test can replace it. */
export interface Clock {
  now(): Date;
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
}

/** A timer cannot wait for longer. */
const longestSleep = 2 ** 31 - 1;

const systemClock: Clock = {
  now: () => new Date(),
  sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { signal, ref: false }),
};

/**
 * Invokes functions by the schedules of the service, each time with its input or EventBridge's
 * event.
 * @returns what ends it.
 */
export function startSchedules(service: LocalService, platform: LambdaPlatform, clock = systemClock) {
  const ended = new AbortController();
  for (const lambda of service.functions) {
    for (const schedule of lambda.schedules ?? []) {
      const next = parseSchedule(schedule.expression, schedule.timezone);
      const run = async () => {
        for (let at = next(clock.now()); at; at = next(at)) {
          for (let left = at.getTime() - clock.now().getTime(); left > 0; left = at.getTime() - clock.now().getTime()) {
            await clock.sleep(Math.min(left, longestSleep), ended.signal);
          }
          // Nobody waits for the result; the trace has it.
          void platform.invoke(lambda.key, {
            payload: schedule.input ?? JSON.stringify(scheduledEvent(service, lambda, at)),
            trace: { root: newRoot(), sampled: true },
          });
        }
      };
      // Only the end rejects.
      run().catch(() => {});
    }
  }
  return { stop: async () => ended.abort() };
}

function scheduledEvent({ region }: LocalService, lambda: LocalFunction, at: Date): Record<string, unknown> {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    account: localAccountId,
    time: at.toISOString().replace(/\.\d+Z$/, 'Z'),
    region,
    resources: [`arn:aws:events:${region}:${localAccountId}:rule/${lambda.name}-schedule`],
    detail: {},
  };
}
