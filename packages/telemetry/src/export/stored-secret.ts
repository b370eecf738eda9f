import { suppressTracing } from '../context/suppress-tracing.ts';
import type { ParameterStore } from './parameter-store.ts';

/** A key that is rotated is in use everywhere after this time. */
const maxAgeSeconds = 300;

/** The store has not answered, and no value is known: what waits for the secret is kept. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** Compares by name: the layer and the function's bundle each hold a copy of the class. */
export function isStoreUnavailable(error: unknown): boolean {
  return error instanceof Error && error.name === 'StoreUnavailable';
}

export interface SecretPlace {
  /** The tool that the secret is for, as the warning names it. */
  tool: string;
  /** @returns the secret itself, as on a laptop; then no store is asked. */
  variable(): string | undefined;
  /**
   * @returns the name of an SSM SecureString, or of a Secrets Manager secret as
   *   `/aws/reference/secretsmanager/<name>`.
   */
  parameter(): string | undefined;
  warn(message: string): void;
}

/** One store for all secrets of a copy of this code, loaded when the first one is read. */
let store: Promise<ParameterStore> | undefined;

/**
 * A back end's key. It is read when the first batch is sent, after a response, and kept for five
 * minutes.
 */
export class StoredSecret {
  readonly #place: SecretPlace;
  #known: string | undefined;
  /** Epoch milliseconds until which an absent secret is not asked for again. */
  #absentUntil = 0;
  #warned = false;

  constructor(place: SecretPlace) {
    this.#place = place;
  }

  get isConfigured(): boolean {
    return this.#place.variable() !== undefined || this.#place.parameter() !== undefined;
  }

  /**
   * @returns undefined where there is none, after one warning.
   * @throws {StoreUnavailable} when the store does not answer and no earlier value is known.
   */
  async value(): Promise<string | undefined> {
    const variable = this.#place.variable();
    const parameter = this.#place.parameter();
    if (variable !== undefined || parameter === undefined) return variable;
    if (Date.now() < this.#absentUntil) return undefined;
    return this.#read(parameter, false);
  }

  /**
   * Reads the secret again, because the back end has refused it.
   * @returns whether it is another one now.
   */
  async renew(): Promise<boolean> {
    const parameter = this.#place.parameter();
    if (this.#place.variable() !== undefined || parameter === undefined) return false;
    const before = this.#known;
    return (await this.#read(parameter, true)) !== before;
  }

  async #read(parameter: string, forceFetch: boolean): Promise<string | undefined> {
    try {
      // Loading the SDK takes about 50 ms: never during INIT, and never before a response.
      store ??= import('./parameter-store.ts').then(({ ParameterStore }) => new ParameterStore());
      const loaded = await store;
      this.#known = await suppressTracing(() => loaded.read(parameter, { maxAge: maxAgeSeconds, forceFetch }));
    } catch (error) {
      store = undefined;
      // A value that cannot be read again is better than none.
      if (this.#known !== undefined) return this.#known;
      throw new StoreUnavailable(`the parameter ${parameter} could not be read: ${reasonOf(error)}`);
    }
    if (this.#known === undefined) this.#missing(parameter);
    return this.#known;
  }

  #missing(parameter: string): void {
    this.#absentUntil = Date.now() + maxAgeSeconds * 1_000;
    if (this.#warned) return;
    this.#warned = true;
    this.#place.warn(`${this.#place.tool} is off: its key, the SSM parameter ${parameter}, does not exist.`);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
