import { describe, expect, it, onTestFinished } from 'vitest';
import type { InvokeRequest, LambdaPlatform } from '../../src/lambda/invocation/types.ts';
import { type Clock, startSchedules } from '../../src/lambda/schedules.ts';
import type { LocalSchedule, LocalService } from '../../src/service/model.ts';
import { lambda, until } from './platform.ts';

/** Time that goes on as far as the earliest sleeper, each time that it is asked to. */
function manualClock(start: string) {
  let now = Date.parse(start);
  const sleepers: { at: number; wake: () => void }[] = [];
  const clock: Clock = {
    now: () => new Date(now),
    sleep: (milliseconds, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        sleepers.push({ at: now + milliseconds, wake: resolve });
      }),
  };
  return {
    clock,
    async advance() {
      await until(() => sleepers.length > 0);
      sleepers.sort((one, other) => one.at - other.at);
      const next = sleepers.shift();
      now = next?.at ?? now;
      next?.wake();
    },
  };
}

function schedule(schedules: LocalSchedule[], start = '2026-01-14T10:00:00Z') {
  const requests: (InvokeRequest & { key: string })[] = [];
  const platform: LambdaPlatform = {
    invoke: async (key, request) => {
      requests.push({ key, ...request });
      return { requestId: 'r', coldStart: false, payload: 'null' };
    },
    reload: () => {},
    stop: async () => {},
  };
  const time = manualClock(start);
  const service = {
    region: 'eu-west-1',
    functions: [lambda({ key: 'nightly', schedules })],
  } as unknown as LocalService;
  const running = startSchedules(service, platform, time.clock);
  onTestFinished(() => running.stop());
  return { requests, ...time, stop: () => running.stop() };
}

describe('a function with a schedule', () => {
  it("gets EventBridge's event at each of its times, each in a trace of its own", async () => {
    const { requests, advance } = schedule([{ expression: 'rate(5 minutes)' }]);
    await advance();
    await advance();
    await until(() => requests.length === 2);
    const events = requests.map(({ payload }) => JSON.parse(payload));
    expect(events.map(({ time }) => time)).toEqual(['2026-01-14T10:05:00Z', '2026-01-14T10:10:00Z']);
    expect(events[0]).toMatchObject({ 'detail-type': 'Scheduled Event', source: 'aws.events', region: 'eu-west-1' });
    expect(new Set(requests.map(({ trace }) => trace.root)).size).toBe(2);
  });

  it('gets its input instead, where it has one', async () => {
    const { requests, advance } = schedule([{ expression: 'cron(0 3 * * ? *)', input: '{"job":"clean"}' }]);
    await advance();
    await until(() => requests.length === 1);
    expect(requests[0]).toMatchObject({ key: 'nightly', payload: '{"job":"clean"}' });
  });

  it('waits for a time that is further away than a timer can wait', async () => {
    const { requests, advance } = schedule([{ expression: 'at(2026-04-01T00:00:00)' }]);
    for (let sleeps = 0; requests.length === 0; sleeps += 1) {
      expect(sleeps).toBeLessThan(5);
      await advance();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(JSON.parse(requests[0]?.payload ?? '')).toMatchObject({ time: '2026-04-01T00:00:00Z' });
  });
});
