/** So that one trace is told of at most ten times a second, however many pieces it arrives in. */
const tellEveryMilliseconds = 100;

/** Tells listeners which traces have something new. */
export class Changes {
  readonly #listeners = new Set<(traceId: string) => void>();
  #changed = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  add(traceIds: Iterable<string>): void {
    if (this.#listeners.size === 0) return;
    for (const id of traceIds) this.#changed.add(id);
    this.#timer ??= setTimeout(() => this.#tell(), tellEveryMilliseconds);
    this.#timer.unref();
  }

  listen(listener: (traceId: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }

  #tell(): void {
    this.#timer = undefined;
    const ids = this.#changed;
    this.#changed = new Set();
    for (const id of ids) {
      for (const listener of this.#listeners) {
        try {
          listener(id);
        } catch {
          // A listener's own failure is not the store's, and the others still want to know.
        }
      }
    }
  }
}
