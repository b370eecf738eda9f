import { type RunningProcess, readMemory } from './processes.ts';

const pollMilliseconds = 50;

/**
 * Watches the memory of one environment's runtime while it works, and kills it when it is over the
 * function's limit.
 */
export class MemoryWatch {
  readonly #limitBytes: number;
  readonly #runtime: () => RunningProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #watching = false;
  /** The most that has been seen, bytes. */
  peakBytes = 0;
  /** It has killed the runtime. */
  exceeded = false;

  constructor(limitBytes: number, runtime: () => RunningProcess | undefined) {
    this.#limitBytes = limitBytes;
    this.#runtime = runtime;
  }

  begin(): void {
    this.#watching = true;
    this.#timer = setTimeout(async () => {
      await this.#look();
      if (this.#watching) this.begin();
    }, pollMilliseconds);
  }

  /** Looks once more, for the peak. */
  async end(): Promise<void> {
    this.#watching = false;
    clearTimeout(this.#timer);
    await this.#look();
  }

  async #look(): Promise<void> {
    const runtime = this.#runtime();
    const memory = runtime && (await readMemory(runtime.pid));
    if (!memory) return;
    this.peakBytes = Math.max(this.peakBytes, memory.peak);
    if (memory.counted <= this.#limitBytes || !this.#watching) return;
    this.exceeded = true;
    this.peakBytes = this.#limitBytes;
    runtime.signal('SIGKILL');
  }
}
