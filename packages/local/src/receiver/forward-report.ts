/**
 * At most one sentence in so many milliseconds: a service that comes and goes is not news each
 * request.
 */
const quietMilliseconds = 5_000;

/**
 * Says when a real service stops taking what is sent on to it, and when it takes it again; never
 * for each request.
 */
export class ForwardReport {
  readonly #service: string;
  readonly #say: (sentence: string) => void;
  #reason: string | undefined;
  #saidFailing = false;
  #lost = 0;
  #waiting: NodeJS.Timeout | undefined;

  /** @param service how it is called: `otlp (api.honeycomb.io)`. */
  constructor(service: string, say: (sentence: string) => void) {
    this.#service = service;
    this.#say = say;
  }

  /** @param reason as in "it answered 401"; nothing secret. */
  failed(reason: string): void {
    this.#reason = reason.replace(/\.$/, '');
    this.#lost += 1;
    this.#tell();
  }

  arrived(): void {
    this.#reason = undefined;
    this.#tell();
  }

  /** Says nothing more. */
  stop(): void {
    clearTimeout(this.#waiting);
    this.#waiting = undefined;
  }

  #tell(): void {
    const failing = this.#reason !== undefined;
    if (this.#waiting || failing === this.#saidFailing) return;
    this.#saidFailing = failing;
    if (failing)
      this.#say(`${this.#service} does not take what is sent on to it: ${this.#reason}. Here nothing is lost.`);
    else {
      const requests = this.#lost === 1 ? '1 request' : `${this.#lost} requests`;
      this.#say(`${this.#service} takes what is sent on to it again; ${requests} did not arrive there.`);
      this.#lost = 0;
    }
    this.#waiting = setTimeout(() => {
      this.#waiting = undefined;
      this.#tell();
    }, quietMilliseconds).unref();
  }
}
