import { type HttpPost, type OpenPost, openPost, type PostResult } from './http-client.ts';
import { isStoreUnavailable } from './stored-secret.ts';
import { withTimeout } from './with-timeout.ts';

/** A back end that telemetry is sent to. */
export interface Backend {
  /** `OTLP`, `Rollbar`: for the warning. */
  readonly name: string;
  /** The unit in which a loss is counted: `spans`, `items`. */
  readonly unit: string;
  /** The most records that go into one POST. */
  readonly recordsPerPost: number;
  /** After which a POST that is not answered is given up; default 10,000. */
  readonly limitMilliseconds?: number;
  readonly url: string;
  /**
   * Makes the POST; called after the answer, so that it costs no caller anything.
   * @returns undefined where the back end is off: it has no key. The records are dropped, and the
   *   back end has said so.
   * @throws {StoreUnavailable} when its key cannot be read now: the records are kept.
   */
  build(payloads: readonly unknown[]): Promise<HttpPost | undefined> | HttpPost | undefined;
  /**
   * Called when it has answered 401 or 403.
   * @returns whether its key is another one now, so that the POST is worth a second try.
   */
  renewKey?(): Promise<boolean>;
  /**
   * How many records an answer of 2xx says it did not take; it may throw for one that it cannot
   * read.
   */
  rejected?(answer: Buffer): number;
}

/** Records for one backend that are sent together or not at all. */
export interface Batch {
  readonly backend: Backend;
  readonly payload: unknown;
  /** How many records the payload holds. */
  readonly count: number;
  /** About how much memory the payload holds, in characters; what is little need not be counted. */
  readonly size?: number;
}

/** The most that is kept of what could not be sent yet, in records; the oldest go first. */
const queueLimit = 2_000;
/**
 * The most of what they hold, in characters: 2,000 records are seldom a tenth of it, and a function
 * may have 128 MB for all.
 */
const queueSizeLimit = 16_000_000;
/**
 * The most that goes into one POST, in characters, unless one batch has more: collectors take 4 to
 * 20 MB, and writing it takes memory again.
 */
const postSizeLimit = 1_000_000;
const longestPost = 10_000;
/** A backend that failed gets this much of the environment's time until it answers again. */
const flushAfterFailure = 500;

interface Health {
  failures: number;
  /**
   * Epoch milliseconds of the last failure: an environment may be frozen after it, when no other
   * clock of the process runs.
   */
  failedAt: number;
  /** Milliseconds after that for which it is left alone. */
  pause: number;
  pending: Set<Promise<unknown>>;
  /** Records that are on their way. */
  sending: number;
}

/**
 * Records that wait to be sent or are on their way: bounded, and every loss counted. Nothing here
 * throws.
 */
export class BatchQueue {
  readonly #warn: (message: string, details: Record<string, unknown>) => void;
  #queue: Batch[] = [];
  #queued = 0;
  #size = 0;
  #lost = new Map<string, number>();
  #warned = new Set<string>();
  #health = new Map<Backend, Health>();
  #prepared = new Map<Backend, OpenPost>();

  /** @param warn is told of each kind of loss once. */
  constructor(warn: (message: string, details: Record<string, unknown>) => void) {
    this.#warn = warn;
  }

  /** Whether nothing waits, and nothing is on its way. */
  get isIdle(): boolean {
    return this.#queue.length === 0 && [...this.#health.values()].every(({ pending }) => pending.size === 0);
  }

  /** Takes what is to be sent. Never waits and never throws: a full queue loses its oldest. */
  add(batch: Batch): void {
    this.#queue.push(batch);
    this.#weigh([batch], 1);
    this.#dropOldest();
  }

  /** Counts records that are lost before they got here. */
  countLoss(unit: string, count: number): void {
    this.#lost.set(unit, (this.#lost.get(unit) ?? 0) + count);
  }

  /** @returns how many records were lost since the last call, by unit. */
  takeLost(): ReadonlyMap<string, number> {
    const lost = this.#lost;
    this.#lost = new Map();
    return lost;
  }

  /** Sends what is queued, for so long at most. What is not answered by then is left on its way. */
  async flush(milliseconds: number): Promise<void> {
    if (milliseconds <= 0) return;
    const backends = new Set(this.#queue.map(({ backend }) => backend));
    for (const [backend, { pending }] of this.#health) if (pending.size > 0) backends.add(backend);
    const all = Promise.all([...backends].map((backend) => this.#flushTo(backend, milliseconds)));
    await withTimeout(milliseconds, all);
  }

  /** Connects, so that the next POST can leave at once. Sends nothing. */
  prepare(backend: Backend): void {
    if (this.#prepared.has(backend)) return;
    this.#prepared.set(backend, openPost(backend.url));
  }

  /** Takes back what has been prepared and was not needed. */
  unprepare(): void {
    for (const post of this.#prepared.values()) post.close();
    this.#prepared.clear();
  }

  /** Gives up what waits and what is not answered yet, and counts it. */
  clear(): void {
    for (const { backend, count } of this.#queue.splice(0)) this.countLoss(backend.unit, count);
    this.#queued = 0;
    this.#size = 0;
    for (const [{ unit }, health] of this.#health) {
      if (health.sending > 0) this.countLoss(unit, health.sending);
      health.sending = 0;
    }
  }

  /**
   * There will be no later time: back ends that have failed are tried again, and what is small goes
   * first.
   */
  hurry(): void {
    for (const health of this.#health.values()) health.pause = 0;
    this.#queue.sort((one, other) => (one.size ?? 0) - (other.size ?? 0));
  }

  async #flushTo(backend: Backend, milliseconds: number): Promise<void> {
    const health = this.#healthOf(backend);
    const { failures, pending } = health;
    const until = performance.now() + (failures > 0 ? Math.min(milliseconds, flushAfterFailure) : milliseconds);
    // One failure is enough for one round, whatever the back end says of when to come again.
    while (health.failures <= failures && performance.now() < until) {
      if (pending.size > 0) {
        // One that has not answered yet is asked no more: what it is sent would only be lost with
        // the rest.
        await withTimeout(until - performance.now(), Promise.all(pending));
        continue;
      }
      if (isLeftAlone(health)) return;
      const batches = this.#take(backend);
      if (batches.length === 0) return;
      const count = countOf(batches);
      const work = this.#send(backend, batches);
      health.sending += count;
      pending.add(work);
      work.finally(() => {
        pending.delete(work);
        health.sending -= count;
      });
      await withTimeout(until - performance.now(), work);
      if (pending.has(work)) health.failures += 1;
    }
  }

  async #send(backend: Backend, batches: Batch[]): Promise<void> {
    const health = this.#healthOf(backend);
    const count = countOf(batches);
    let result: PostResult;
    try {
      const posted = await this.#post(backend, batches);
      if (!posted) return;
      result = posted;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (!isStoreUnavailable(error)) this.#lose(backend, count, `it could not be written: ${reason}`);
      else {
        pauseAfterFailure(health, undefined);
        this.#putBack(batches, reason);
      }
      return;
    }
    if (result.kind === 'answered' && result.status >= 200 && result.status < 300) {
      health.failures = 0;
      const rejected = Math.min(rejectedBy(backend, result.body), count);
      if (rejected > 0) this.#lose(backend, rejected, 'it was rejected');
      return;
    }
    pauseAfterFailure(health, result.kind === 'answered' ? result.retryAfterMilliseconds : undefined);
    const reason = result.kind === 'answered' ? `it answered ${result.status}` : result.reason;
    if (mayBeSentAgain(result)) this.#putBack(batches, reason);
    else this.#lose(backend, count, reason);
  }

  /** @returns undefined where the back end is off. */
  async #post(backend: Backend, batches: readonly Batch[]): Promise<PostResult | undefined> {
    for (let tries = 1; ; tries += 1) {
      const post = await backend.build(batches.map(({ payload }) => payload));
      if (!post) return undefined;
      const opened = this.#prepared.get(backend) ?? openPost(backend.url);
      this.#prepared.delete(backend);
      const result = await opened.send(post, backend.limitMilliseconds ?? longestPost);
      const isRefused = result.kind === 'answered' && (result.status === 401 || result.status === 403);
      if (!isRefused || tries > 1 || !(await backend.renewKey?.())) return result;
    }
  }

  #take(backend: Backend): Batch[] {
    const taken: Batch[] = [];
    let count = 0;
    let size = 0;
    this.#queue = this.#queue.filter((batch) => {
      if (batch.backend !== backend) return true;
      count += batch.count;
      size += batch.size ?? 0;
      if (taken.length > 0 && (count > backend.recordsPerPost || size > postSizeLimit)) return true;
      taken.push(batch);
      return false;
    });
    this.#weigh(taken, -1);
    return taken;
  }

  #putBack(batches: Batch[], reason: string): void {
    const first = batches[0];
    if (first) this.#warnOnce(first.backend, `${reason}; it is tried again`);
    this.#queue.unshift(...batches);
    this.#weigh(batches, 1);
    this.#dropOldest();
  }

  #weigh(batches: readonly Batch[], sign: 1 | -1): void {
    for (const { count, size = 0 } of batches) {
      this.#queued += sign * count;
      this.#size += sign * size;
    }
  }

  #dropOldest(): void {
    while (this.#queued > queueLimit || this.#size > queueSizeLimit) {
      const oldest = this.#queue.shift();
      if (!oldest) return;
      this.#weigh([oldest], -1);
      this.#lose(oldest.backend, oldest.count, 'the queue was full');
    }
  }

  #lose(backend: Backend, count: number, reason: string): void {
    this.countLoss(backend.unit, count);
    this.#warnOnce(backend, `${reason}; it is lost and counted`);
  }

  #warnOnce(backend: Backend, reason: string): void {
    const key = `${backend.name} ${reason}`;
    if (this.#warned.has(key) || this.#warned.size > 50) return;
    this.#warned.add(key);
    try {
      this.#warn(`Telemetry was not delivered to ${backend.name}: ${reason}`, { backend: backend.name });
    } catch {
      // A warning that cannot be written stays unwritten.
    }
  }

  #healthOf(backend: Backend): Health {
    const known = this.#health.get(backend);
    if (known) return known;
    const health: Health = { failures: 0, failedAt: 0, pause: 0, pending: new Set(), sending: 0 };
    this.#health.set(backend, health);
    return health;
  }
}

/** @param wait what the back end has asked for, in milliseconds. */
function pauseAfterFailure(health: Health, wait: number | undefined): void {
  health.failures += 1;
  health.failedAt = Date.now();
  health.pause = wait ?? Math.min(60_000, 500 * 2 ** Math.min(health.failures, 8));
}

/**
 * A clock that is set back must not make the wait longer: the time since the failure is negative
 * then.
 */
function isLeftAlone({ failedAt, pause }: Health): boolean {
  const since = Date.now() - failedAt;
  return since >= 0 && since < pause;
}

/**
 * "Not now", after which nothing has been taken. Source: the OTLP specification, "Retryable
 * Response Codes", which forbids it for others.
 */
const notNow = new Set([429, 502, 503, 504]);

/**
 * A batch that was written and not answered, or answered 500, may have been taken, and counts must
 * not double.
 */
function mayBeSentAgain(result: PostResult): boolean {
  return result.kind === 'answered' ? notNow.has(result.status) : result.kind === 'unsent';
}

function rejectedBy(backend: Backend, answer: Buffer): number {
  try {
    return backend.rejected?.(answer) ?? 0;
  } catch {
    // Some back ends answer 200 with a body of their own.
    return 0;
  }
}

function countOf(batches: readonly Batch[]): number {
  return batches.reduce((sum, { count }) => sum + count, 0);
}
