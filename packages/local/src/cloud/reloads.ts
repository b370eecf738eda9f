/** An editor that saves several files, or one file twice, makes several builds within this time. */
const quietMilliseconds = 200;

/** Collects reloads, so that one change of the code is told once. */
export class Reloads {
  readonly #tell: (keys: string[]) => void;
  readonly #keys = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param tell is called once for reloads that follow each other closely, with the functions of
   * all of them.
   */
  constructor(tell: (keys: string[]) => void) {
    this.#tell = tell;
  }

  add(keys: readonly string[]): void {
    for (const key of keys) this.#keys.add(key);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#tell([...this.#keys]);
      this.#keys.clear();
    }, quietMilliseconds);
    this.#timer.unref();
  }
}
