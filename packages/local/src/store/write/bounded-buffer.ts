/** A queue of bounded length: what is pushed onto a full one costs the oldest, and is counted. */
export class BoundedBuffer<T> {
  readonly #most: number;
  #items: T[] = [];
  #head = 0;
  /** How many were dropped for want of room. */
  dropped = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    if (this.length >= this.#most) {
      this.#head++;
      this.dropped++;
    }
    this.#items.push(item);
    // Taking from the front of an array copies all of it: done only when half of it is gone, it
    // costs next to nothing.
    if (this.#head > 1024 && this.#head > this.#items.length / 2) this.#compact();
  }

  /** @returns up to `count` of the oldest, which are then no longer here. */
  take(count: number): T[] {
    const taken = this.#items.slice(this.#head, this.#head + count);
    this.#head += taken.length;
    this.#compact();
    return taken;
  }

  #compact(): void {
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}
