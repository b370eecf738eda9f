import type { Pool } from './pool.ts';

/** A wait shorter than this is ordinary, and not worth a line. */
const notableMilliseconds = 2000;
const intervalMilliseconds = 5000;

/**
 * Reports, every few seconds while they last, which functions have invocations that wait for an
 * environment.
 */
export class BacklogReport {
  readonly #pools: readonly Pool[];
  readonly #report: (sentence: string) => void;
  /** When each pool that has a backlog was last reported, as `performance.now()`. */
  readonly #reported = new Map<Pool, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(pools: readonly Pool[], report: (sentence: string) => void) {
    this.#pools = pools;
    this.#report = report;
  }

  /** Begins to look, after something has been queued; ends by itself when no queue is left. */
  watch(): void {
    this.#timer ??= setTimeout(() => this.#look(), notableMilliseconds).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    const waits = this.#pools.map((pool) => this.#lookAt(pool)).filter((wait) => wait !== undefined);
    // A timer may fire a fraction of a millisecond early: look again soon, never in a busy loop.
    this.#timer =
      waits.length === 0 ? undefined : setTimeout(() => this.#look(), Math.max(10, Math.min(...waits))).unref();
  }

  /** @returns the milliseconds until this pool may need a line; undefined if nothing waits. */
  #lookAt(pool: Pool): number | undefined {
    const now = performance.now();
    const { oldest, waiting, lambda } = pool;
    const waited = oldest ? now - oldest.since : 0;
    if (waited < notableMilliseconds) {
      if (!oldest && this.#reported.delete(pool)) this.#report(`${lambda.key}: no invocation is waiting any more`);
      return oldest && notableMilliseconds - waited;
    }
    const reported = this.#reported.get(pool);
    if (reported !== undefined && now - reported < intervalMilliseconds) return reported + intervalMilliseconds - now;
    this.#reported.set(pool, now);
    const at = lambda.reservedConcurrency === undefined ? '' : `, reservedConcurrency ${lambda.reservedConcurrency}`;
    this.#report(
      `${lambda.key}: ${count(waiting.size, 'invocation')} waiting for ${count(pool.live, 'environment')}${at}, the oldest for ${(waited / 1000).toFixed(1)} s`,
    );
    return intervalMilliseconds;
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
