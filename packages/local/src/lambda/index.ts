import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { localAccountId } from '../service/read.ts';
import { BacklogReport } from './backlog-report.ts';
import type { ExecutionEnvironment } from './environment.ts';
import { Environments } from './environments.ts';
import { createInvocation } from './invocation/invocation.ts';
import type { InvokeRequest, InvokeResult, LambdaOptions, LambdaPlatform } from './invocation/types.ts';
import { type Busy, Pool, type Waiting } from './pool.ts';
import {
  abandoned,
  answerWithoutCode,
  platformFailure,
  type RejectedInvocation,
  rejectInvocation,
  throttled,
  tooLargeRequest,
} from './rejected-invocation.ts';

const defaultEnvironments = 20;
/** Lambda's default quota of concurrent executions for an account and a region. */
const accountConcurrency = 1000;
/** More processes of one function that start at a time only slow each other down. */
const startsAtATime = Math.max(2, availableParallelism());

/**
 * Starts the local Lambda for the functions of a service. No process starts before the first
 * invocation.
 * @throws nothing; settings of a function that cannot be honoured go to `sink.rejected` once,
 *   when the function first starts.
 */
export async function createLambdaPlatform(options: LambdaOptions): Promise<LambdaPlatform> {
  const platform = new Platform(options);
  platform.prepareInspected();
  return platform;
}

class Platform implements LambdaPlatform {
  readonly #options: LambdaOptions;
  readonly #pools: Map<string, Pool>;
  readonly #environments: Environments;
  readonly #backlog: BacklogReport;
  readonly #work = new Set<Promise<void>>();
  /** Asks again when the patience of a waiting invocation is over. */
  readonly #patience = new Map<Pool, NodeJS.Timeout>();
  /** Pools that wait for a place, by the last dispatch. */
  #wanting = new Set<Pool>();
  #concurrency = 0;
  /** The function that is served first in the next round. */
  #turn = 0;
  #stopped = false;

  constructor(options: LambdaOptions) {
    this.#options = options;
    this.#pools = new Map(
      options.service.functions.map((lambda) => [
        lambda.key,
        new Pool(lambda, lambda.key === options.inspect?.functionKey),
      ]),
    );
    this.#environments = new Environments(options, () => this.#dispatch());
    this.#backlog = new BacklogReport([...this.#pools.values()], options.onBacklog ?? (() => {}));
  }

  async invoke(functionKey: string, request: InvokeRequest): Promise<InvokeResult> {
    const pool = this.#pools.get(functionKey);
    if (!pool) throw new Error(`The service ${this.#options.service.name} has no function ${functionKey}`);
    return new Promise((resolve) => {
      const { name, tracing, untracedOnAws } = pool.lambda;
      const functionArn = `arn:aws:lambda:${this.#options.service.region}:${localAccountId}:function:${name}`;
      const { payload, trace, clientContext } = request;
      const invocation = createInvocation({
        functionName: name,
        functionArn,
        tracing,
        ...(untracedOnAws ? { untracedOnAws } : {}),
        payload,
        trace,
        clientContext,
        lines: request.tail ? [] : undefined,
        answer: resolve,
      });
      const rejected = this.#rejection(pool, request);
      if (rejected) return rejectInvocation(this.#options.sink, invocation, rejected);
      this.#enqueue(pool, { invocation, since: performance.now() }, request.signal);
    });
  }

  reload(functionKeys?: string[]): void {
    for (const [key, pool] of this.#pools) {
      if (!functionKeys || functionKeys.includes(key)) this.#environments.reload(pool);
    }
    this.prepareInspected();
  }

  isInspected(functionKey: string): boolean {
    return this.#pools.get(functionKey)?.isInspected === true;
  }

  /**
   * Starts the function to be debugged before its first call, so that the debugger is there when it
   * comes.
   */
  prepareInspected(): void {
    const pool = [...this.#pools.values()].find(({ isInspected }) => isInspected);
    if (!pool || this.#stopped) return;
    const { generation } = pool;
    const prepare = async () => {
      // After a reload, the process before has to leave the port first.
      while (pool.live > 0 && pool.generation === generation && !this.#stopped) await sleep(20);
      if (pool.generation !== generation || pool.waiting.size > 0 || this.#stopped) return;
      const environment = await this.#environments.create(pool);
      await environment.initialize();
      this.#environments.release(environment, false);
      this.#dispatch();
    };
    // The first call says why it does not start.
    const work = prepare()
      .catch(() => {})
      .finally(() => this.#work.delete(work));
    this.#work.add(work);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#backlog.stop();
    for (const timer of this.#patience.values()) clearTimeout(timer);
    for (const pool of this.#pools.values()) {
      for (const waiting of pool.waiting) {
        this.#dequeue(pool, waiting);
        rejectInvocation(this.#options.sink, waiting.invocation, throttled('The platform is stopping'));
      }
    }
    await this.#environments.stop([...this.#pools.values()], () => Promise.all(this.#work));
  }

  /**
   * Refuses only what Lambda would refuse: how many processes this machine can run is not a limit
   * of AWS.
   */
  #rejection(pool: Pool, request: InvokeRequest): RejectedInvocation | undefined {
    const tooLarge = tooLargeRequest(request.payload);
    if (tooLarge) return tooLarge;
    if (this.#stopped) return throttled('The platform has been stopped');
    const { reservedConcurrency = Number.POSITIVE_INFINITY } = pool.lambda;
    const limit = this.#options.accountConcurrency ?? accountConcurrency;
    if (this.#concurrency >= limit || pool.concurrency >= reservedConcurrency) return throttled('Rate Exceeded.');
    return undefined;
  }

  #enqueue(pool: Pool, waiting: Waiting, signal: AbortSignal | undefined): void {
    const abandon = () => {
      // A function that has begun runs to its end on Lambda too, whether or not anybody waits for
      // its answer.
      if (!pool.waiting.has(waiting)) return;
      this.#dequeue(pool, waiting);
      waiting.invocation.answer(abandoned(waiting.invocation));
      this.#dispatch();
    };
    if (signal?.aborted) {
      waiting.invocation.answer(abandoned(waiting.invocation));
      return;
    }
    signal?.addEventListener('abort', abandon, { once: true });
    const { invocation } = waiting;
    const answer = (result: InvokeResult) => {
      signal?.removeEventListener('abort', abandon);
      invocation.answer(result);
    };
    waiting.invocation = { ...invocation, answer };
    pool.waiting.add(waiting);
    this.#concurrency += 1;
    this.#backlog.watch();
    this.#dispatch();
  }

  #dequeue(pool: Pool, waiting: Waiting): void {
    pool.waiting.delete(waiting);
    this.#concurrency -= 1;
  }

  /** Gives environments to waiting invocations, one to each function in turn. */
  #dispatch(): void {
    if (this.#stopped) return;
    const pools = [...this.#pools.values()].filter((pool) => pool.waiting.size > 0);
    this.#wanting = new Set();
    for (let served = true; served; ) {
      served = false;
      this.#turn += 1;
      for (const index of pools.keys()) {
        const pool = pools[(index + this.#turn) % pools.length];
        if (pool && this.#serveOldest(pool)) served = true;
      }
    }
  }

  #serveOldest(pool: Pool): boolean {
    const { oldest } = pool;
    if (!oldest) return false;
    const idle = this.#environments.takeIdle(pool);
    if (!idle) {
      if (pool.isFull || pool.starting >= startsAtATime) return false;
      const patience = pool.patienceLeft();
      if (patience > 0) {
        this.#dispatchAfter(pool, patience);
        return false;
      }
      if (!this.#hasRoom(pool)) return false;
    }
    // A running invocation counts as concurrency until it has answered.
    pool.waiting.delete(oldest);
    const work = this.#serve(pool, oldest, idle).finally(() => this.#work.delete(work));
    this.#work.add(work);
    return true;
  }

  #dispatchAfter(pool: Pool, milliseconds: number): void {
    if (this.#patience.has(pool)) return;
    const timer = setTimeout(() => {
      this.#patience.delete(pool);
      this.#dispatch();
    }, milliseconds);
    this.#patience.set(pool, timer);
  }

  /**
   * Looks for a place for a new environment: below the limit, or in the place of another function's
   * idle one. A function that has none at all gets its first one beyond the limit, so that
   * functions which are saturated keep no other from being served.
   */
  #hasRoom(pool: Pool): boolean {
    if (this.#environments.live < this.#limit) return true;
    this.#wanting.add(pool);
    for (const other of this.#pools.values()) {
      // An idle environment of a function with waiting invocations is about to be used.
      if (other !== pool && other.waiting.size === 0 && this.#environments.evictIdle(other)) break;
    }
    return pool.live === 0;
  }

  get #limit(): number {
    return this.#options.maximumEnvironments ?? defaultEnvironments;
  }

  /**
   * Whether an environment must make place: others want one, and this function has more than its
   * share.
   */
  #isSurplus(pool: Pool): boolean {
    if (this.#environments.live > this.#limit && pool.waiting.size === 0 && this.#wanting.size > 0) return true;
    const others = [...this.#wanting].filter((one) => one !== pool);
    const share = Math.ceil(this.#limit / (others.length + 1));
    return others.some((one) => one.live < Math.floor(this.#limit / (others.length + 1))) && pool.live > share;
  }

  async #serve(pool: Pool, { invocation }: Waiting, idle: ExecutionEnvironment | undefined): Promise<void> {
    const busy: Busy = { generation: pool.generation, started: false, answered: false };
    pool.busy.add(busy);
    if (!idle) pool.starting += 1;
    const started = () => {
      if (idle || busy.started) return;
      busy.started = true;
      pool.starting -= 1;
      this.#dispatch();
    };
    const answered = () => {
      if (busy.answered) return;
      busy.answered = true;
      this.#concurrency -= 1;
    };
    let tail: InvokeResult | undefined;
    const answer = (result: InvokeResult) => {
      answered();
      // A caller that wants the log waits for its last line.
      if (invocation.lines) tail ??= result;
      else invocation.answer(result);
    };
    const environment = idle ?? (await this.#create(pool, { ...invocation, answer }));
    if (environment) {
      const begun = performance.now();
      // A failure in here is a defect of the platform; the caller still gets an answer.
      await environment.run({ ...invocation, answer }, started).catch(async (error: unknown) => {
        rejectInvocation(this.#options.sink, { ...invocation, answer }, platformFailure(error));
        await environment.shutdown();
      });
      const start = idle ? undefined : environment.startMilliseconds;
      pool.measured(start, performance.now() - begun - (start ?? 0));
    }
    started();
    answered();
    if (tail) invocation.answer({ ...tail, log: invocation.lines?.map((line) => `${line}\n`).join('') ?? '' });
    pool.busy.delete(busy);
    if (environment) this.#environments.release(environment, this.#isSurplus(pool));
    this.#dispatch();
  }

  async #create(pool: Pool, invocation: Waiting['invocation']): Promise<ExecutionEnvironment | undefined> {
    try {
      return await this.#environments.create(pool);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      answerWithoutCode(this.#options.sink, pool.lambda, invocation, message);
      return undefined;
    }
  }
}
