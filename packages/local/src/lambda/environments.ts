import { localAccountId } from '../service/read.ts';
import { ExecutionEnvironment } from './environment.ts';
import type { LambdaOptions } from './invocation/types.ts';
import type { Pool } from './pool.ts';
import { type LayeredFunction, layOut } from './sandbox/layers.ts';
import { ProcessGroups } from './sandbox/processes.ts';

const defaultIdleMilliseconds = 5 * 60_000;

interface Home {
  pool: Pool;
  generation: number;
}

/** Starts, keeps and ends the environments of all functions. */
export class Environments {
  readonly #options: LambdaOptions;
  readonly #placeFreed: () => void;
  readonly #processes = new ProcessGroups();
  readonly #homes = new Map<ExecutionEnvironment, Home>();
  readonly #ending = new Set<Promise<unknown>>();
  readonly #warned = new Set<string>();
  /** Environments that exist or are being started, over all functions. */
  live = 0;
  #stopped = false;

  /** @param placeFreed is called when an environment has ended. */
  constructor(options: LambdaOptions, placeFreed: () => void) {
    this.#options = options;
    this.#placeFreed = placeFreed;
  }

  /** @returns the environment that was used last, so that the ones not needed grow old and end. */
  takeIdle(pool: Pool): ExecutionEnvironment | undefined {
    for (let last = pool.idle.pop(); last; last = pool.idle.pop()) {
      clearTimeout(last.timer);
      if (!last.environment.ended) return last.environment;
      // Its process ended while nobody was looking.
      this.#endLater(last.environment);
    }
    return undefined;
  }

  /** Ends the environment that has been idle longest in `pool`. @returns whether there was one. */
  evictIdle(pool: Pool): boolean {
    const oldest = pool.idle.shift();
    if (!oldest) return false;
    clearTimeout(oldest.timer);
    this.#endLater(oldest.environment);
    return true;
  }

  /**
   * Makes a new environment; its processes start with its first invocation.
   * @throws where the function has no code that could be started, or a layer cannot be read.
   */
  async create(pool: Pool): Promise<ExecutionEnvironment> {
    const { generation } = pool;
    this.live += 1;
    pool.live += 1;
    try {
      pool.layered ??= layOut(pool.lambda);
      const [layered, codeDirectory] = await Promise.all([pool.layered, this.#options.codeDirectory(pool.lambda)]);
      if (this.#stopped) throw new Error('The platform is stopping');
      this.#warn(layered.warnings);
      const environment = new ExecutionEnvironment({
        layered,
        codeDirectory,
        accountId: localAccountId,
        options: this.#options,
        processes: this.#processes,
      });
      this.#homes.set(environment, { pool, generation });
      return environment;
    } catch (error) {
      pool.layered = undefined;
      this.live -= 1;
      pool.live -= 1;
      throw error;
    }
  }

  /** Takes back an environment after its invocation: it becomes idle, or ends. */
  release(environment: ExecutionEnvironment, isSurplus: boolean): void {
    const home = this.#homes.get(environment);
    if (!home) return;
    const { pool, generation } = home;
    if (environment.ended || isSurplus || this.#stopped || generation !== pool.generation) {
      this.#endLater(environment);
      return;
    }
    const timer = setTimeout(() => {
      const at = pool.idle.findIndex((one) => one.environment === environment);
      if (at >= 0) pool.idle.splice(at, 1);
      this.#endLater(environment);
    }, this.#options.idleMilliseconds ?? defaultIdleMilliseconds);
    pool.idle.push({ environment, timer: timer.unref() });
  }

  /** Makes the next invocation of a function run new code; what runs now finishes first. */
  reload(pool: Pool): void {
    pool.generation += 1;
    const { layered, generation } = pool;
    pool.layered = undefined;
    while (this.evictIdle(pool));
    if (layered) this.#track(this.#removeLayersAfter(layered, pool, generation).catch(() => {}));
  }

  /** Ends all of them. Resolves when no process is left, and `work` has come to its end. */
  async stop(pools: Iterable<Pool>, work: () => Promise<unknown>): Promise<void> {
    this.#stopped = true;
    for (const pool of pools) for (const { timer } of pool.idle.splice(0)) clearTimeout(timer);
    await Promise.all([...this.#homes.keys()].map((environment) => this.#end(environment)));
    await work();
    // One that was being created when the stop came.
    await Promise.all([...this.#homes.keys()].map((environment) => this.#end(environment)));
    while (this.#ending.size > 0) await Promise.all(this.#ending);
    for (const pool of pools) await pool.layered?.then((layered) => layered.remove()).catch(() => {});
    await this.#processes.close();
  }

  async #end(environment: ExecutionEnvironment): Promise<void> {
    await environment.shutdown();
    const home = this.#homes.get(environment);
    if (!home || !this.#homes.delete(environment)) return;
    this.live -= 1;
    home.pool.live -= 1;
  }

  #endLater(environment: ExecutionEnvironment): void {
    this.#track(this.#end(environment).then(this.#placeFreed));
  }

  #track(work: Promise<unknown>): void {
    const tracked = work.finally(() => this.#ending.delete(tracked));
    this.#ending.add(tracked);
  }

  /** Environments that still work need the layers' folder until they are done. */
  async #removeLayersAfter(layered: Promise<LayeredFunction>, pool: Pool, generation: number): Promise<void> {
    const isOlder = (home: Home) => home.pool === pool && home.generation < generation;
    while ([...this.#homes.values()].some(isOlder)) await new Promise((resolve) => setTimeout(resolve, 100));
    await (await layered).remove();
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
