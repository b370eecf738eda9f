import type { LocalFunction } from '../../service/model.ts';
import { localAccountId } from '../../service/read.ts';
import { ExecutionEnvironment } from './environment.ts';
import { createInvocation, type Invocation } from './invocation.ts';
import { type LayeredFunction, layOut } from './layers.ts';
import { ProcessGroups } from './processes.ts';
import { answerWithoutCode, type Refusal, refuse, throttled, tooLargeRequest } from './refusal.ts';
import type { InvokeRequest, InvokeResult, LambdaOptions, LambdaPlatform } from './types.ts';

export type { InvokeRequest, InvokeResult, LambdaOptions, LambdaPlatform } from './types.ts';

const DEFAULT_ENVIRONMENTS = 20;
/** Together with those that run, what an account may have at a time on Lambda. */
const MAXIMUM_WAITING = 1000 - DEFAULT_ENVIRONMENTS;
/**
 * A runtime asks for its next event a moment after it has answered, and a caller on the same machine can be faster than that. On Lambda the
 * answer takes longer to arrive than the runtime to ask, so a request waits so long for an environment that has answered already.
 */
const PATIENCE_MILLISECONDS = 50;
/** So long where it cannot have another one, and would be throttled for coming too soon. */
const RESERVED_PATIENCE_MILLISECONDS = 1000;
const DEFAULT_IDLE_MILLISECONDS = 5 * 60_000;

/**
 * Starts the local Lambda for the functions of a service. Nothing is started before the first invocation.
 * @throws nothing; what a function cannot honour is told to `sink.rejected` once, when the function is first started.
 */
export async function createLambdaPlatform(options: LambdaOptions): Promise<LambdaPlatform> {
  return new Platform(options);
}

interface Pool {
  lambda: LocalFunction;
  idle: { environment: ExecutionEnvironment; timer: NodeJS.Timeout }[];
  /** Invocations that run or wait. */
  active: number;
  /** Those of them that have an environment. */
  running: number;
  /** Environments that have answered, and whose runtime or extensions are not done yet. */
  finishing: number;
  layered?: Promise<LayeredFunction>;
  /** Which of its environments came before the last reload. */
  generation: number;
}

interface Waiting {
  pool: Pool;
  invocation: Invocation;
  /** Set while it hopes for an environment that has answered. */
  timer?: NodeJS.Timeout;
}

class Platform implements LambdaPlatform {
  readonly #options: LambdaOptions;
  readonly #pools: Map<string, Pool>;
  readonly #processes = new ProcessGroups();
  readonly #environments = new Map<ExecutionEnvironment, { pool: Pool; generation: number }>();
  /** Environments that are being started or have been: what the limit counts. */
  #live = 0;
  readonly #waiting: Waiting[] = [];
  readonly #closing = new Set<Promise<unknown>>();
  readonly #warned = new Set<string>();
  #stopped = false;

  constructor(options: LambdaOptions) {
    this.#options = options;
    this.#pools = new Map(
      options.service.functions.map((lambda) => [
        lambda.key,
        { lambda, idle: [], active: 0, running: 0, finishing: 0, generation: 0 },
      ]),
    );
  }

  async invoke(functionKey: string, request: InvokeRequest): Promise<InvokeResult> {
    const pool = this.#pools.get(functionKey);
    if (!pool) throw new Error(`The service ${this.#options.service.name} has no function ${functionKey}`);
    return new Promise((resolve) => {
      const { name, tracing } = pool.lambda;
      const functionArn = `arn:aws:lambda:${this.#options.service.region}:${localAccountId}:function:${name}`;
      const invocation = createInvocation({
        functionName: name,
        functionArn,
        tracing,
        payload: request.payload,
        trace: request.trace,
        answer: resolve,
      });
      const refused = this.#refusal(pool, request);
      if (refused) refuse(this.#options.sink, invocation, refused);
      else this.#schedule({ pool, invocation });
    });
  }

  reload(functionKeys?: string[]): void {
    for (const [key, pool] of this.#pools) {
      if (functionKeys && !functionKeys.includes(key)) continue;
      pool.generation += 1;
      const layered = pool.layered;
      pool.layered = undefined;
      const ended = pool.idle.splice(0).map(({ environment, timer }) => {
        clearTimeout(timer);
        return this.#end(environment);
      });
      // Environments that still work need the layers' folder until they are done.
      if (layered) this.#removeLayersAfter(layered, pool, ended);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const { pool, invocation, timer } of this.#waiting.splice(0)) {
      clearTimeout(timer);
      pool.active -= 1;
      refuse(this.#options.sink, invocation, throttled('The platform is stopping'));
    }
    for (const pool of this.#pools.values()) for (const { timer } of pool.idle.splice(0)) clearTimeout(timer);
    await Promise.all([...this.#environments.keys()].map((environment) => this.#end(environment)));
    while (this.#closing.size > 0) await Promise.all(this.#closing);
    for (const pool of this.#pools.values()) await pool.layered?.then((layered) => layered.remove()).catch(() => {});
    await this.#processes.close();
  }

  #refusal(pool: Pool, request: InvokeRequest): Refusal | undefined {
    const tooLarge = tooLargeRequest(request.payload);
    if (tooLarge) return tooLarge;
    if (this.#stopped) return throttled('The platform has been stopped');
    const { reservedConcurrency } = pool.lambda;
    const reserved = reservedConcurrency !== undefined && pool.active - pool.finishing >= reservedConcurrency;
    if (reserved || this.#waiting.length >= MAXIMUM_WAITING) return throttled('Rate Exceeded.');
    return undefined;
  }

  #schedule(waiting: Waiting): void {
    waiting.pool.active += 1;
    this.#waiting.push(waiting);
    this.#dispatch();
  }

  /** Gives out what waits, in order, to idle environments, to new ones while the limit allows, or in the place of another function's idle one. */
  #dispatch(): void {
    const hoping = new Map<Pool, number>();
    let isFull = false;
    for (const next of [...this.#waiting]) {
      const { pool, invocation } = next;
      const idle = this.#takeIdle(pool);
      const before = hoping.get(pool) ?? 0;
      const full = pool.running >= (pool.lambda.reservedConcurrency ?? Number.POSITIVE_INFINITY);
      const limit = full ? RESERVED_PATIENCE_MILLISECONDS : PATIENCE_MILLISECONDS;
      const patience = invocation.receivedAt + limit - Date.now();
      if (!idle && before < pool.finishing && patience > 0) {
        hoping.set(pool, before + 1);
        next.timer ??= setTimeout(() => this.#dispatch(), patience);
        continue;
      }
      if (!idle && !full && (isFull || !this.#room(pool))) {
        isFull = true;
        continue;
      }
      clearTimeout(next.timer);
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      if (!idle && full) {
        pool.active -= 1;
        refuse(this.#options.sink, invocation, throttled('Rate Exceeded.'));
        continue;
      }
      this.#track(this.#work(next, idle));
    }
  }

  /** @returns the environment that was used last, so that those that are not needed grow old. */
  #takeIdle(pool: Pool): ExecutionEnvironment | undefined {
    for (let last = pool.idle.pop(); last; last = pool.idle.pop()) {
      clearTimeout(last.timer);
      if (!last.environment.ended) return last.environment;
      // Its process has ended while nobody was looking.
      this.#track(this.#end(last.environment).then(() => this.#dispatch()));
    }
    return undefined;
  }

  /**
   * A function that has an environment waits for it while others have work for theirs: with two functions in one burst, each would otherwise
   * end the other's environments in turn, and nearly every second request would be a cold start.
   */
  #room(wanting: Pool): boolean {
    if (this.#live < (this.#options.maximumEnvironments ?? DEFAULT_ENVIRONMENTS)) return true;
    const busy = new Set(wanting.running > 0 ? this.#waiting.map(({ pool }) => pool) : []);
    for (const pool of this.#pools.values()) {
      if (busy.has(pool)) continue;
      const oldest = pool.idle.shift();
      if (!oldest) continue;
      clearTimeout(oldest.timer);
      // Its place is free when its processes are gone; then this is asked again.
      this.#track(this.#end(oldest.environment).then(() => this.#dispatch()));
      return false;
    }
    return false;
  }

  async #work({ pool, invocation }: Waiting, idle: ExecutionEnvironment | undefined): Promise<void> {
    pool.running += 1;
    if (!idle) this.#live += 1;
    const environment = idle ?? (await this.#create(pool, invocation));
    if (environment) {
      let answered = false;
      const answer = (result: InvokeResult) => {
        if (!answered) pool.finishing += 1;
        answered = true;
        invocation.answer(result);
      };
      // What goes wrong in here is a defect of the platform; the caller still gets an answer.
      await environment.run({ ...invocation, answer }).catch(async (error: unknown) => {
        refuse(this.#options.sink, invocation, {
          kind: 'crash',
          type: 'Sandbox.Failure',
          message: String(error),
          status: 500,
        });
        await environment.shutdown();
      });
      if (answered) pool.finishing -= 1;
    }
    pool.active -= 1;
    pool.running -= 1;
    if (environment) this.#release(environment);
    else this.#live -= 1;
    this.#dispatch();
  }

  async #create(pool: Pool, invocation: Invocation): Promise<ExecutionEnvironment | undefined> {
    const generation = pool.generation;
    try {
      pool.layered ??= layOut(pool.lambda);
      const [layered, codeDirectory] = await Promise.all([pool.layered, this.#options.codeDirectory(pool.lambda)]);
      this.#warn(layered.warnings);
      const environment = new ExecutionEnvironment({
        layered,
        codeDirectory,
        accountId: localAccountId,
        options: this.#options,
        processes: this.#processes,
      });
      this.#environments.set(environment, { pool, generation });
      return environment;
    } catch (error) {
      pool.layered = undefined;
      answerWithoutCode(
        this.#options.sink,
        pool.lambda,
        invocation,
        error instanceof Error ? error.message : String(error),
      );
      return undefined;
    }
  }

  #release(environment: ExecutionEnvironment): void {
    const home = this.#environments.get(environment);
    if (!home) return;
    if (environment.ended || this.#stopped || home.generation !== home.pool.generation) {
      this.#track(this.#end(environment).then(() => this.#dispatch()));
      return;
    }
    const timer = setTimeout(() => {
      const at = home.pool.idle.findIndex((one) => one.environment === environment);
      home.pool.idle.splice(at, 1);
      this.#track(this.#end(environment).then(() => this.#dispatch()));
    }, this.#options.idleMilliseconds ?? DEFAULT_IDLE_MILLISECONDS);
    home.pool.idle.push({ environment, timer: timer.unref() });
  }

  async #end(environment: ExecutionEnvironment): Promise<void> {
    await environment.shutdown();
    if (this.#environments.delete(environment)) this.#live -= 1;
  }

  #track(work: Promise<unknown>): void {
    const tracked = work.finally(() => this.#closing.delete(tracked));
    this.#closing.add(tracked);
  }

  #removeLayersAfter(layered: Promise<LayeredFunction>, pool: Pool, ended: Promise<void>[]): void {
    const generation = pool.generation;
    const remove = async () => {
      await Promise.all(ended);
      const older = () =>
        [...this.#environments.values()].some((home) => home.pool === pool && home.generation < generation);
      while (older()) await new Promise((resolve) => setTimeout(resolve, 100));
      await (await layered).remove();
    };
    this.#track(remove().catch(() => {}));
  }

  #warn(warnings: string[]): void {
    for (const warning of warnings) {
      if (this.#warned.has(warning)) continue;
      this.#warned.add(warning);
      this.#options.sink.rejected('lambda', 'a setting of a function cannot be honoured here', warning);
      if (this.#options.warn) this.#options.warn(warning);
      else console.warn(warning);
    }
  }
}
