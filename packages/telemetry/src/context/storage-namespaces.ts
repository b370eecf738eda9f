/**
 * The functions of `cls-hooked/context`, on AsyncLocalStorage. The X-Ray SDK keeps its current
 * segment in such a namespace. cls-hooked enables an async hook with `destroy` for each namespace,
 * and Node then tracks every promise of the process: a seventh of a warm request's processor time.
 * A bundler may put this in the place of the library; see `install-storage-namespaces.ts`.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { EventEmitter } from 'node:events';
import wrapEmitter from 'emitter-listener';

type Context = Record<PropertyKey, unknown>;
type Work<T> = (context: Context) => T;
type Listener = (...args: unknown[]) => unknown;

/** Under which cls-hooked leaves the context on an error that comes out of it. */
export const ERROR_SYMBOL = 'error@context';

/** Values that follow a chain of calls across `await`, timers and streams. */
export class StorageNamespace {
  readonly name: string;
  readonly #storage = new AsyncLocalStorage<Context>();
  /** Entered outside of every `run`: it holds wherever there is no other, as in cls-hooked. */
  #outermost: Context | null = null;
  readonly #before = new WeakMap<Context, Context>();

  constructor(name: string) {
    this.name = name;
  }

  get active(): Context | null {
    return this.#storage.getStore() ?? this.#outermost;
  }

  /** @throws outside of every context. */
  set<T>(key: string, value: T): T {
    const { active } = this;
    if (!active) throw new Error('No context available. ns.run() or ns.bind() must be called first.');
    active[key] = value;
    return value;
  }

  get(key: string): unknown {
    return this.active?.[key];
  }

  /** @returns a context that sees the values of the current one. */
  createContext(): Context {
    return Object.create(this.active ?? Object.prototype) as Context;
  }

  run(work: Work<unknown>): Context {
    const context = this.createContext();
    this.#within(context, () => work(context));
    return context;
  }

  runAndReturn<T>(work: Work<T>): T {
    const context = this.createContext();
    return this.#within(context, () => work(context));
  }

  async runPromise<T>(work: Work<Promise<T>>): Promise<T> {
    const context = this.createContext();
    try {
      return await this.#storage.run(context, () => work(context));
    } catch (error) {
      throw marked(error, context);
    }
  }

  /** @returns `work`, which will run in `context`, or else in the one that is current now. */
  bind<Args extends unknown[], T>(
    work: (...args: Args) => T,
    context: Context = this.active ?? this.createContext(),
  ): (...args: Args) => T {
    const within = this.#within.bind(this);
    return function (this: unknown, ...args: Args) {
      return within(context, () => work.apply(this, args)) as T;
    };
  }

  /** Makes `context` the current one for the rest of this call chain. */
  enter(context: Context): void {
    const current = this.#storage.getStore();
    if (!current) this.#outermost = context;
    else {
      this.#before.set(context, current);
      this.#storage.enterWith(context);
    }
  }

  /** Undoes an `enter` of the same call chain. */
  exit(context: Context): void {
    if (this.#outermost === context) this.#outermost = null;
    const before = this.#before.get(context);
    if (before && this.#storage.getStore() === context) this.#storage.enterWith(before);
  }

  /** Lets each listener of `emitter` run in the context in which it was added. */
  bindEmitter(emitter: EventEmitter): void {
    const contexts = new WeakMap<Listener, Context | null>();
    wrapEmitter(
      emitter,
      (listener) => {
        if (listener && !contexts.has(listener)) contexts.set(listener, this.active);
      },
      (listener) => {
        const context = contexts.get(listener);
        return context ? this.bind(listener, context) : listener;
      },
    );
  }

  /** @returns the context out of which an error has come. */
  fromException(error: { [ERROR_SYMBOL]?: Context }): Context | undefined {
    return error[ERROR_SYMBOL];
  }

  #within<T>(context: Context, work: () => T): T {
    try {
      return this.#storage.run(context, work);
    } catch (error) {
      throw marked(error, context);
    }
  }
}

function marked(error: unknown, context: Context): unknown {
  if (typeof error === 'object' && error !== null && Object.isExtensible(error)) {
    Object.defineProperty(error, ERROR_SYMBOL, { value: context, configurable: true, writable: true });
  }
  return error;
}

type Namespaces = Record<string, StorageNamespace | null>;

/** Where cls-hooked has them, so that several copies of the SDK find the same one. */
function registry(): Namespaces {
  const holder = process as typeof process & { namespaces?: Namespaces };
  holder.namespaces ??= {};
  return holder.namespaces;
}

export function createNamespace(name: string): StorageNamespace {
  const namespace = new StorageNamespace(name);
  registry()[name] = namespace;
  return namespace;
}

export function getNamespace(name: string): StorageNamespace | null | undefined {
  return registry()[name];
}

export function destroyNamespace(name: string): void {
  registry()[name] = null;
}

export function reset(): void {
  for (const name of Object.keys(registry())) destroyNamespace(name);
}

export default { ERROR_SYMBOL, createNamespace, getNamespace, destroyNamespace, reset };
