import { type HttpPost, type PostResult, startPost } from './delivery.ts';
import { type Extension, registerExtension, registerExtensionNow } from './extension.ts';

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
  /** Makes the POST; called after the answer, so that what it costs costs no caller anything. */
  build(payloads: readonly unknown[]): Promise<HttpPost> | HttpPost;
  /** How many records an answer of 2xx says it did not take. */
  rejected?(answer: Buffer): number;
}

/** Records for one destination that are sent together or not at all. */
export interface Shipment {
  readonly destination: Destination;
  readonly payload: unknown;
  /** How many records the payload holds. */
  readonly count: number;
}

/** Who knows the OpenTelemetry spans that have not ended: the layer, where there is one. */
export interface OpenSpans {
  /** @returns the spans around this one as if all had ended now, the open ones with `mark`; they themselves go on. */
  unfinished(spanId: string, mark: Record<string, string | number | boolean>): Shipment | undefined;
  /** Sends nothing more of the spans around this one. */
  forget(spanId: string): void;
}

/** Shipments that are on the wire but for their last bytes. */
export interface Staged {
  /** Lets them go; resolves when the last bytes have been handed to the system. */
  release(): void;
  /** Takes them back: nobody has received anything. */
  abandon(): void;
}

/** The least that is kept of what could not be sent yet, in records; the oldest go first. */
const queueLimit = 2_000;
const longestShipping = 2_000;
/** Left untouched before the deadline, so that shipping never is what makes a function time out. */
const reserve = 200;
/** Milliseconds that an answer waits for telemetry where nothing can be sent after it. */
export const longestWaitBeforeAnswer = 200;
const longestPost = 10_000;
const shippingAtShutdown = 300;
/** A destination that failed gets this much of the environment's time until it answers again. */
const shippingAfterFailure = 500;

interface Health {
  failures: number;
  /** Epoch milliseconds before which it is left alone. */
  notBefore: number;
  pending: Set<Promise<unknown>>;
}

/**
 * Sends telemetry when nobody waits for it. As a Lambda extension it sends after the answer; where there is no Extensions API it sends
 * before answering, for at most 200 ms. There is one in a process, shared by the layer and the function's bundle: see `sharedShipper`.
 */
export class Shipper {
  /** Raised when a member changes: a layer and a bundle of different versions then keep to themselves. */
  readonly version = 1;
  /** Told of each kind of loss once; replaced by the function's logger. */
  warn: (message: string, details: Record<string, unknown>) => void = (message, details) => {
    process.stderr.write(`${JSON.stringify({ level: 'WARN', message, ...details })}\n`);
  };

  openSpans: OpenSpans | undefined;
  /** Writes losses that no later request will write; replaced by the function's metrics. */
  writeLosses: (lost: ReadonlyMap<string, number>) => void = () => {};

  #queue: Shipment[] = [];
  #queued = 0;
  #lost = new Map<string, number>();
  #warned = new Set<string>();
  #health = new Map<Destination, Health>();
  #registration: Promise<void> | undefined;
  #mode: 'direct' | 'registering' | 'extension' = 'direct';
  #ended = new Set<string>();
  #begun = new Set<string>();
  #wake: () => void = () => {};

  /**
   * Becomes a Lambda extension. Called during INIT; a second call does nothing.
   * @returns when Lambda has accepted or refused it.
   */
  register(api: string): Promise<void> {
    this.#registration ??= this.#register(api);
    return this.#registration;
  }

  /** Like `register`, for a module that is being loaded and cannot wait: it stops this thread, for some 40 ms of INIT. */
  registerNow(api: string): void {
    if (this.#registration) return;
    this.#registration = Promise.resolve();
    this.#become(registerExtensionNow(api));
  }

  async #register(api: string): Promise<void> {
    this.#mode = 'registering';
    this.#become(await registerExtension(api));
  }

  #become(extension: Extension | undefined): void {
    this.#mode = extension ? 'extension' : 'direct';
    if (extension) this.#follow(extension);
  }

  /** Takes what is to be sent. Never waits and never throws: a full queue loses its oldest. */
  add(shipment: Shipment): void {
    this.#queue.push(shipment);
    this.#queued += shipment.count;
    while (this.#queued > queueLimit) {
      const oldest = this.#queue.shift();
      if (!oldest) break;
      this.#queued -= oldest.count;
      this.#lose(oldest.destination, oldest.count, 'the queue was full');
    }
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

  /** A request has begun; its handler will say when it is done. */
  begin(requestId: string | undefined): void {
    if (requestId) this.#begun.add(requestId);
    this.#wake();
  }

  /**
   * The handler is done. As an extension this returns at once, and what is queued goes out after the answer; otherwise it is sent now.
   * @param deadline epoch milliseconds at which the function is killed.
   * @returns when the answer may be given.
   */
  async end(requestId: string | undefined, deadline = Number.POSITIVE_INFINITY): Promise<void> {
    if (requestId) {
      this.#begun.delete(requestId);
      if (this.#mode !== 'direct') this.#ended.add(requestId);
      // Ids of invocations that no event came for; there is no more than one at a time.
      if (this.#ended.size > 100) this.#ended.clear();
    }
    this.#wake();
    if (this.#mode !== 'direct' || this.#queue.length === 0) return;
    await this.ship(Math.min(longestWaitBeforeAnswer, deadline - Date.now() - reserve));
  }

  /** Sends what is queued, for so long at most. What is not answered by then is left on its way. */
  async ship(milliseconds: number): Promise<void> {
    if (milliseconds <= 0) return;
    const destinations = new Set(this.#queue.map(({ destination }) => destination));
    for (const [destination, { pending }] of this.#health) if (pending.size > 0) destinations.add(destination);
    const all = Promise.all([...destinations].map((destination) => this.#shipTo(destination, milliseconds)));
    await within(milliseconds, all);
  }

  /** Brings shipments on the wire but for their last byte: see `Staged`. */
  async stage(shipments: readonly Shipment[], milliseconds: number): Promise<Staged> {
    const posts = await Promise.all(
      shipments.map(async ({ destination, payload }) => {
        const post = await destination.build([payload]);
        return startPost(post, milliseconds, { held: true });
      }),
    );
    return {
      release: () => {
        for (const post of posts) post.release();
      },
      abandon: () => {
        for (const post of posts) post.abort();
      },
    };
  }

  /** Lambda says that the environment ends: what is left has a moment. */
  async shutDown(): Promise<void> {
    for (const health of this.#health.values()) health.notBefore = 0;
    await this.ship(shippingAtShutdown);
    for (const { destination, count } of this.#queue.splice(0)) this.countLoss(destination.unit, count);
    const lost = this.takeLost();
    if (lost.size > 0) this.writeLosses(lost);
  }

  async #follow(extension: Extension): Promise<void> {
    for (;;) {
      const event = await extension.next();
      if (!event) {
        this.#mode = 'direct';
        return;
      }
      await this.#untilEnded(event.requestId);
      await answerPosted();
      await this.ship(Math.min(longestShipping, event.deadline - Date.now() - reserve));
      // X-Ray's SDK hands its datagrams to the system some turns of the event loop later; asking for the next event may freeze them.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** An invocation that never reaches a handler, because its event was no JSON, must not hold the environment until it times out. */
  async #untilEnded(requestId: string): Promise<void> {
    const patience = Date.now() + 1_000;
    while (!this.#ended.delete(requestId)) {
      const begun = this.#begun.has(requestId);
      if (!begun && Date.now() >= patience) return;
      await new Promise<void>((resolve) => {
        const timer = begun ? undefined : setTimeout(resolve, patience - Date.now()).unref();
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async #shipTo(destination: Destination, milliseconds: number): Promise<void> {
    const health = this.#healthOf(destination);
    const until = Date.now() + (health.failures > 0 ? Math.min(milliseconds, shippingAfterFailure) : milliseconds);
    // One that has not answered yet is asked no more: what it is sent would only be lost with the rest.
    await within(until - Date.now(), Promise.all(health.pending));
    const { failures } = health;
    // One failure is enough for one round, whatever the back end says of when to come again.
    while (
      health.pending.size === 0 &&
      health.failures <= failures &&
      Date.now() < until &&
      Date.now() >= health.notBefore
    ) {
      const shipments = this.#take(destination);
      if (shipments.length === 0) return;
      const work = this.#send(destination, shipments);
      health.pending.add(work);
      work.finally(() => health.pending.delete(work));
      await within(until - Date.now(), work);
    }
    if (health.pending.size > 0) health.failures += 1;
  }

  async #send(destination: Destination, shipments: Shipment[]): Promise<void> {
    const health = this.#healthOf(destination);
    const count = countOf(shipments);
    let result: PostResult;
    try {
      const post = await destination.build(shipments.map(({ payload }) => payload));
      result = await startPost(post, destination.limitMilliseconds ?? longestPost).result;
    } catch (error) {
      this.#lose(destination, count, `it could not be written: ${error instanceof Error ? error.message : error}`);
      return;
    }
    if (result.kind === 'answered' && result.status >= 200 && result.status < 300) {
      health.failures = 0;
      const rejected = destination.rejected?.(result.body) ?? 0;
      if (rejected > 0) this.#lose(destination, rejected, 'it was rejected');
      return;
    }
    health.failures += 1;
    const wait = result.kind === 'answered' ? result.retryAfterMilliseconds : undefined;
    health.notBefore = Date.now() + (wait ?? Math.min(60_000, 500 * 2 ** Math.min(health.failures, 8)));
    const reason = result.kind === 'answered' ? `it answered ${result.status}` : result.reason;
    if (mayBeSentAgain(result)) this.#putBack(shipments, reason);
    else this.#lose(destination, count, reason);
  }

  #take(destination: Destination): Shipment[] {
    const taken: Shipment[] = [];
    let count = 0;
    this.#queue = this.#queue.filter((shipment) => {
      if (shipment.destination !== destination) return true;
      if (taken.length > 0 && count + shipment.count > destination.batch) return true;
      taken.push(shipment);
      count += shipment.count;
      return false;
    });
    this.#queued -= count;
    return taken;
  }

  #putBack(shipments: Shipment[], reason: string): void {
    const first = shipments[0];
    if (first) this.#warnOnce(first.destination, `${reason}; it is tried again`);
    this.#queue.unshift(...shipments);
    this.#queued += countOf(shipments);
    while (this.#queued > queueLimit) {
      const oldest = this.#queue.shift();
      if (!oldest) return;
      this.#queued -= oldest.count;
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
      this.warn(`Telemetry was not delivered to ${destination.name}: ${reason}`, { destination: destination.name });
    } catch {
      // A warning that cannot be written stays unwritten.
    }
  }

  #healthOf(destination: Destination): Health {
    const known = this.#health.get(destination);
    if (known) return known;
    const health: Health = { failures: 0, notBefore: 0, pending: new Set() };
    this.#health.set(destination, health);
    return health;
  }
}

/** 4xx says that the same will be refused again; what was written and not answered may have been taken, and counts must not double. */
function mayBeSentAgain(result: PostResult): boolean {
  if (result.kind === 'answered') return result.status === 408 || result.status === 429 || result.status >= 500;
  return result.kind === 'unsent';
}

function countOf(shipments: readonly Shipment[]): number {
  return shipments.reduce((sum, { count }) => sum + count, 0);
}

/**
 * Resolves when AWS's runtime client has posted the answer: it posts in the turn of the event loop after the handler's promise resolves,
 * and without giving way. A client in JavaScript has written it to its socket by then.
 */
async function answerPosted(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
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

const key = Symbol.for('throughline.shipper');

/** @returns the one shipper of this process; the layer and the function's bundle each hold a copy of this code, and share it. */
export function sharedShipper(): Shipper {
  const holder = globalThis as { [key]?: Shipper };
  if (holder[key]?.version === 1) return holder[key];
  const shipper = new Shipper();
  holder[key] = shipper;
  process.once('SIGTERM', () => {
    // Whoever else listens has its own time; the signal's default is restored once this is done.
    shipper.shutDown().finally(() => {
      if (process.listenerCount('SIGTERM') === 0) process.kill(process.pid, 'SIGTERM');
    });
  });
  return shipper;
}
