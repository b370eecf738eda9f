/** Hears of every invocation, whoever wrote its handler. */
export interface InvocationObserver {
  /** The handler is about to be called. */
  began(requestId: string): void;
  /** The runtime has posted the handler's answer, or its error. */
  answered(requestId: string): void;
}

interface InvokeStore {
  run(context: object, work: () => unknown): unknown;
}

interface Runtime {
  InvokeStore?: InvokeStore;
}

const requestIdKey = Symbol.for('_AWS_LAMBDA_REQUEST_ID');

/**
 * Observes the invocations of this process: Lambda's runtime runs each one, from before the handler
 * is called until its answer has been posted, inside `globalThis.awslambda.InvokeStore.run()`.
 * Called before the runtime has made its store, as from a preload, this waits for it to be
 * assigned. Where a runtime has no such store the observer hears nothing. Source: AWS's runtime
 * client for Node 4.0 (`runWithInvokeContext`) and the package @aws/lambda-invoke-store.
 */
export function observeInvocations(observer: InvocationObserver): void {
  const holder = globalThis as { awslambda?: Runtime };
  let runtime = holder.awslambda;
  const settle = (): void => defineValue(holder, 'awslambda', runtime);

  const watch = (): void => {
    if (typeof runtime !== 'object' || runtime === null) return;
    const owner = runtime;
    if (owner.InvokeStore) {
      settle();
      observeStore(owner.InvokeStore, observer);
      return;
    }
    // Not enumerable: the runtime copies what it finds there into a new object, which is then
    // watched in place of this one.
    Object.defineProperty(owner, 'InvokeStore', {
      configurable: true,
      enumerable: false,
      get: () => undefined,
      set: (store: InvokeStore) => {
        defineValue(owner, 'InvokeStore', store);
        watch();
      },
    });
  };

  Object.defineProperty(holder, 'awslambda', {
    configurable: true,
    enumerable: true,
    get: () => runtime,
    set: (assigned: Runtime) => {
      runtime = assigned;
      watch();
    },
  });
  watch();
}

function defineValue(owner: object, name: string, value: unknown): void {
  Object.defineProperty(owner, name, { configurable: true, enumerable: true, writable: true, value });
}

function observeStore(store: InvokeStore, observer: InvocationObserver): void {
  const { run } = store;
  store.run = (context, work) => {
    const requestId = (context as Record<symbol, unknown> | undefined)?.[requestIdKey];
    if (typeof requestId !== 'string') return run.call(store, context, work);
    observer.began(requestId);
    const answered = (): void => observer.answered(requestId);
    try {
      const result = run.call(store, context, work);
      Promise.resolve(result).then(answered, answered);
      return result;
    } catch (error) {
      answered();
      throw error;
    }
  };
}
