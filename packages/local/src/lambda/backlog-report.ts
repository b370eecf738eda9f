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
  readonly #reported = new Set<Pool>();
  #timer: NodeJS.Timeout | undefined;

  constructor(pools: readonly Pool[], report: (sentence: string) => void) {
    this.#pools = pools;
    this.#report = report;
  }

  /** Begins to look, after something has been queued; ends by itself when no queue is left. */
  watch(): void {
    this.#timer ??= setTimeout(() => this.#look(notableMilliseconds), notableMilliseconds).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #look(notable: number): void {
    for (const pool of this.#pools) {
      const { oldest, waiting, lambda } = pool;
      const waited = oldest ? performance.now() - oldest.since : 0;
      if (waited >= notable) {
        this.#reported.add(pool);
        const at =
          lambda.reservedConcurrency === undefined ? '' : `, reservedConcurrency ${lambda.reservedConcurrency}`;
        this.#report(
          `${lambda.key}: ${count(waiting.size, 'invocation')} waiting for ${count(pool.live, 'environment')}${at}, the oldest for ${(waited / 1000).toFixed(1)} s`,
        );
      } else if (this.#reported.delete(pool)) {
        this.#report(`${lambda.key}: no invocation is waiting any more`);
      }
    }
    const isOver = this.#pools.every(({ waiting }) => waiting.size === 0);
    this.#timer = isOver ? undefined : setTimeout(() => this.#look(notableMilliseconds), intervalMilliseconds).unref();
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
