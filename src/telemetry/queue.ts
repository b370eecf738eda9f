import { type HttpPost, type OpenPost, openPost, type PostResult } from './delivery.ts';

/** A back end that telemetry is sent to. */
export interface Destination {
  /** `OTLP`, `Rollbar`: for the warning. */
  readonly name: string;
  /** What a loss is counted as: `spans`, `items`. */
  readonly unit: string;
  /** The most records that go into one POST. */
  readonly batch: number;
  /** After which a POST that is not answered is given up; default 10,000. */
  readonly limitMilliseconds?: number;
  readonly url: string;
  /** Makes the POST; called after the answer, so that what it costs costs no caller anything. */
  build(payloads: readonly unknown[]): Promise<HttpPost> | HttpPost;
  /** How many records an answer of 2xx says it did not take; it may throw for one that it cannot read. */
  rejected?(answer: Buffer): number;
}

/** Records for one destination that are sent together or not at all. */
export interface Shipment {
  readonly destination: Destination;
  readonly payload: unknown;
  /** How many records the payload holds. */
  readonly count: number;
  /** About how much memory the payload holds, in characters; what is little need not be counted. */
  readonly size?: number;
}

/** The most that is kept of what could not be sent yet, in records; the oldest go first. */
const queueLimit = 2_000;
/** The most of what they hold, in characters: 2,000 records are seldom a tenth of it, and a function may have 128 MB for all. */
const queueSizeLimit = 16_000_000;
/** The most that goes into one POST, in characters, unless one shipment has more: collectors take 4 to 20 MB, and writing it takes memory again. */
const postSizeLimit = 1_000_000;
const longestPost = 10_000;
/** A destination that failed gets this much of the environment's time until it answers again. */
const shippingAfterFailure = 500;

interface Health {
  failures: number;
  /** Epoch milliseconds of the last failure: an environment may be frozen after it, when no other clock of the process runs. */
  failedAt: number;
  /** Milliseconds after that for which it is left alone. */
  pause: number;
  pending: Set<Promise<unknown>>;
  /** Records that are on their way. */
  sending: number;
}

/**
 * What waits to be sent, and what is on its way: bounded, and every loss counted. Nothing here throws.
 */
export class ShipmentQueue {
  readonly #warn: (message: string, details: Record<string, unknown>) => void;
  #queue: Shipment[] = [];
  #queued = 0;
  #size = 0;
  #lost = new Map<string, number>();
  #warned = new Set<string>();
  #health = new Map<Destination, Health>();
  #prepared = new Map<Destination, OpenPost>();

  /** @param warn is told of each kind of loss once. */
  constructor(warn: (message: string, details: Record<string, unknown>) => void) {
    this.#warn = warn;
  }

  /** Whether nothing waits, and nothing is on its way. */
  get isIdle(): boolean {
    return this.#queue.length === 0 && [...this.#health.values()].every(({ pending }) => pending.size === 0);
  }

  /** Takes what is to be sent. Never waits and never throws: a full queue loses its oldest. */
  add(shipment: Shipment): void {
    this.#queue.push(shipment);
    this.#weigh([shipment], 1);
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
  async ship(milliseconds: number): Promise<void> {
    if (milliseconds <= 0) return;
    const destinations = new Set(this.#queue.map(({ destination }) => destination));
    for (const [destination, { pending }] of this.#health) if (pending.size > 0) destinations.add(destination);
    const all = Promise.all([...destinations].map((destination) => this.#shipTo(destination, milliseconds)));
    await within(milliseconds, all);
  }

  /** Connects, so that the next POST can leave at once. Sends nothing. */
  prepare(destination: Destination): void {
    if (this.#prepared.has(destination)) return;
    this.#prepared.set(destination, openPost(destination.url));
  }

  /** Takes back what has been prepared and was not needed. */
  unprepare(): void {
    for (const post of this.#prepared.values()) post.close();
    this.#prepared.clear();
  }

  /** Gives up what waits and what is not answered yet, and counts it. */
  clear(): void {
    for (const { destination, count } of this.#queue.splice(0)) this.countLoss(destination.unit, count);
    this.#queued = 0;
    this.#size = 0;
    for (const [{ unit }, health] of this.#health) {
      if (health.sending > 0) this.countLoss(unit, health.sending);
      health.sending = 0;
    }
  }

  /** There will be no later time: back ends that have failed are tried again, and what is small goes first. */
  hurry(): void {
    for (const health of this.#health.values()) health.pause = 0;
    this.#queue.sort((one, other) => (one.size ?? 0) - (other.size ?? 0));
  }

  async #shipTo(destination: Destination, milliseconds: number): Promise<void> {
    const health = this.#healthOf(destination);
    const { failures, pending } = health;
    const until = performance.now() + (failures > 0 ? Math.min(milliseconds, shippingAfterFailure) : milliseconds);
    // One failure is enough for one round, whatever the back end says of when to come again.
    while (health.failures <= failures && performance.now() < until) {
      if (pending.size > 0) {
        // One that has not answered yet is asked no more: what it is sent would only be lost with the rest.
        await within(until - performance.now(), Promise.all(pending));
        continue;
      }
      if (isLeftAlone(health)) return;
      const shipments = this.#take(destination);
      if (shipments.length === 0) return;
      const count = countOf(shipments);
      const work = this.#send(destination, shipments);
      health.sending += count;
      pending.add(work);
      work.finally(() => {
        pending.delete(work);
        health.sending -= count;
      });
      await within(until - performance.now(), work);
      if (pending.has(work)) health.failures += 1;
    }
  }

  async #send(destination: Destination, shipments: Shipment[]): Promise<void> {
    const health = this.#healthOf(destination);
    const count = countOf(shipments);
    let result: PostResult;
    try {
      const post = await destination.build(shipments.map(({ payload }) => payload));
      const opened = this.#prepared.get(destination) ?? openPost(destination.url);
      this.#prepared.delete(destination);
      result = await opened.send(post, destination.limitMilliseconds ?? longestPost);
    } catch (error) {
      this.#lose(destination, count, `it could not be written: ${error instanceof Error ? error.message : error}`);
      return;
    }
    if (result.kind === 'answered' && result.status >= 200 && result.status < 300) {
      health.failures = 0;
      const rejected = Math.min(rejectedBy(destination, result.body), count);
      if (rejected > 0) this.#lose(destination, rejected, 'it was rejected');
      return;
    }
    health.failures += 1;
    const wait = result.kind === 'answered' ? result.retryAfterMilliseconds : undefined;
    health.failedAt = Date.now();
    health.pause = wait ?? Math.min(60_000, 500 * 2 ** Math.min(health.failures, 8));
    const reason = result.kind === 'answered' ? `it answered ${result.status}` : result.reason;
    if (mayBeSentAgain(result)) this.#putBack(shipments, reason);
    else this.#lose(destination, count, reason);
  }

  #take(destination: Destination): Shipment[] {
    const taken: Shipment[] = [];
    let count = 0;
    let size = 0;
    this.#queue = this.#queue.filter((shipment) => {
      if (shipment.destination !== destination) return true;
      count += shipment.count;
      size += shipment.size ?? 0;
      if (taken.length > 0 && (count > destination.batch || size > postSizeLimit)) return true;
      taken.push(shipment);
      return false;
    });
    this.#weigh(taken, -1);
    return taken;
  }

  #putBack(shipments: Shipment[], reason: string): void {
    const first = shipments[0];
    if (first) this.#warnOnce(first.destination, `${reason}; it is tried again`);
    this.#queue.unshift(...shipments);
    this.#weigh(shipments, 1);
    this.#dropOldest();
  }

  #weigh(shipments: readonly Shipment[], sign: 1 | -1): void {
    for (const { count, size = 0 } of shipments) {
      this.#queued += sign * count;
      this.#size += sign * size;
    }
  }

  #dropOldest(): void {
    while (this.#queued > queueLimit || this.#size > queueSizeLimit) {
      const oldest = this.#queue.shift();
      if (!oldest) return;
      this.#weigh([oldest], -1);
      this.#lose(oldest.destination, oldest.count, 'the queue was full');
    }
  }

  #lose(destination: Destination, count: number, reason: string): void {
    this.countLoss(destination.unit, count);
    this.#warnOnce(destination, `${reason}; it is lost and counted`);
  }

  #warnOnce(destination: Destination, reason: string): void {
    const key = `${destination.name} ${reason}`;
    if (this.#warned.has(key) || this.#warned.size > 50) return;
    this.#warned.add(key);
    try {
      this.#warn(`Telemetry was not delivered to ${destination.name}: ${reason}`, { destination: destination.name });
    } catch {
      // A warning that cannot be written stays unwritten.
    }
  }

  #healthOf(destination: Destination): Health {
    const known = this.#health.get(destination);
    if (known) return known;
    const health: Health = { failures: 0, failedAt: 0, pause: 0, pending: new Set(), sending: 0 };
    this.#health.set(destination, health);
    return health;
  }
}

/** A clock that is set back is no reason to wait longer: the time since the failure is negative then. */
function isLeftAlone({ failedAt, pause }: Health): boolean {
  const since = Date.now() - failedAt;
  return since >= 0 && since < pause;
}

/** "Not now", after which nothing has been taken. Source: the OTLP specification, "Retryable Response Codes", which forbids it for others. */
const notNow = new Set([429, 502, 503, 504]);

/** What was written and not answered, or answered 500, may have been taken, and counts must not double. */
function mayBeSentAgain(result: PostResult): boolean {
  return result.kind === 'answered' ? notNow.has(result.status) : result.kind === 'unsent';
}

function rejectedBy(destination: Destination, answer: Buffer): number {
  try {
    return destination.rejected?.(answer) ?? 0;
  } catch {
    // Some back ends answer 200 with a body of their own.
    return 0;
  }
}

function countOf(shipments: readonly Shipment[]): number {
  return shipments.reduce((sum, { count }) => sum + count, 0);
}

/** Waits for `work`, but no longer than this. The timer keeps the process alive, as somebody is waiting. */
export async function within(milliseconds: number, work: Promise<unknown>): Promise<void> {
  if (milliseconds <= 0) return;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work.catch(() => {}), limit]);
  clearTimeout(timer);
}
