import type { LocalFunction } from '../service/model.ts';
import type { ExecutionEnvironment } from './environment.ts';
import type { Invocation } from './invocation/invocation.ts';
import type { LayeredFunction } from './sandbox/layers.ts';

/** An invocation that has no environment yet. */
export interface Waiting {
  invocation: Invocation;
  /** By `performance.now()`. */
  since: number;
}

export interface IdleEnvironment {
  environment: ExecutionEnvironment;
  /** Ends it when it has been idle for too long. */
  timer: NodeJS.Timeout;
}

/** A place in which an invocation is being worked on. */
export interface Busy {
  generation: number;
  /** Its environment has been through its init. */
  started: boolean;
  /** It has answered, and its runtime or extensions are not done yet. */
  answered: boolean;
}

/** Cold start of a small function on this machine, until one has been measured. */
const assumedStartMilliseconds = 250;
const patienceLimits = { minimum: 50, maximum: 1000 };

/** The environments of one function, and the invocations that wait for one, oldest first. */
export class Pool {
  readonly lambda: LocalFunction;
  /** A debugger can be attached: one process at a time, as there is one port. */
  readonly isInspected: boolean;
  readonly waiting = new Set<Waiting>();
  readonly idle: IdleEnvironment[] = [];
  readonly busy = new Set<Busy>();
  /** Processes of it that exist or are being started. */
  live = 0;
  starting = 0;
  /** Increases at each reload: environments of an earlier generation run old code. */
  generation = 0;
  layered?: Promise<LayeredFunction>;
  #startMilliseconds: number | undefined;
  #workMilliseconds: number | undefined;

  constructor(lambda: LocalFunction, isInspected: boolean) {
    this.lambda = lambda;
    this.isInspected = isInspected;
  }

  /**
   * Counts what Lambda calls concurrency: invocations that run or wait, without those that have
   * been answered.
   */
  get concurrency(): number {
    return this.waiting.size + [...this.busy].filter(({ answered }) => !answered).length;
  }

  /** Whether it must not have another environment. */
  get isFull(): boolean {
    if (this.isInspected) return this.live > 0;
    return this.busy.size >= (this.lambda.reservedConcurrency ?? Number.POSITIVE_INFINITY);
  }

  get oldest(): Waiting | undefined {
    return this.waiting.values().next().value;
  }

  /**
   * Tells how much longer the oldest waiting invocation should hope for an environment that is at
   * work. Starting a process costs its own time and everybody else's, so it begins only after a
   * wait as long as a cold start would have been.
   * @returns milliseconds; 0 where waiting is of no use.
   */
  patienceLeft(): number {
    const { oldest } = this;
    if (!oldest || ![...this.busy].some(({ generation }) => generation === this.generation)) return 0;
    const { minimum, maximum } = patienceLimits;
    const patience = Math.min(maximum, Math.max(minimum, this.#startMilliseconds ?? assumedStartMilliseconds));
    if (this.#workMilliseconds !== undefined && this.#workMilliseconds > patience) return 0;
    return Math.max(0, oldest.since + patience - performance.now());
  }

  /** Remembers how long a cold start and the work itself took, as moving averages. */
  measured(startMilliseconds: number | undefined, workMilliseconds: number): void {
    this.#workMilliseconds = average(this.#workMilliseconds, workMilliseconds);
    if (startMilliseconds !== undefined) this.#startMilliseconds = average(this.#startMilliseconds, startMilliseconds);
  }
}

function average(before: number | undefined, value: number): number {
  return before === undefined ? value : before * 0.7 + value * 0.3;
}
