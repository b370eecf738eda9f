import { type Backend, BatchQueue } from './batch-queue.ts';
import { type Extension, type InvokeEvent, registerExtension, registerExtensionNow } from './extension.ts';
import { observeInvocations } from './invocations.ts';
import { writeWarning } from './warning.ts';

const longestFlush = 2_000;
/** Left untouched before the deadline, so that shipping never is what makes a function time out. */
const reserve = 200;
/** Milliseconds that an answer waits for telemetry where nothing can be sent after it. */
export const longestWaitBeforeAnswer = 200;
/** What Lambda gives a runtime after SIGTERM: 300 ms, or 500 ms. */
const flushAtShutdown = 300;
/**
 * After which an Extensions API that failed is asked again: Lambda holds every invocation until
 * this extension asks for the next.
 */
const retryMilliseconds = 200;

/**
 * Sends telemetry when nobody waits for it. As a Lambda extension it sends after the answer; where
 * there is no Extensions API it sends before answering, for at most 200 ms. There is one in a
 * process, shared by the layer and the function's bundle: see `sharedExporter`.
 */
export class Exporter {
  /**
   * Raised when a member changes: a layer and a bundle of different versions then keep to
   * themselves.
   */
  readonly version = 4;
  /** Told of each kind of loss once; replaced by the function's logger. */
  warn: (message: string, details: Record<string, unknown>) => void = writeWarning;

  /** All back ends that something may be sent to. */
  readonly backends = new Set<Backend>();
  /** Whether OpenTelemetry's spans leave by this: the layer says so, where there is one. */
  exportsSpans = false;
  /** Told that the environment ends, before what is left is sent. */
  readonly endings = new Set<() => void>();
  /** Writes losses that no later request will write; replaced by the function's metrics. */
  writeLosses: (lost: ReadonlyMap<string, number>) => void = () => {};

  readonly queue = new BatchQueue((message, details) => this.warn(message, details));
  #registration: Promise<void> | undefined;
  #mode: 'direct' | 'registering' | 'extension' = 'direct';
  #ended = new Set<string>();
  #begun = new Set<string>();
  /** The runtime says when an answer has been posted, whoever wrote the handler. */
  #observed = false;
  #wake: () => void = () => {};

  /**
   * Becomes a Lambda extension. Called during INIT; a second call does nothing.
   * @returns when Lambda has accepted or refused it.
   */
  register(api: string): Promise<void> {
    this.#registration ??= this.#register(api);
    return this.#registration;
  }

  /**
   * Like `register`, for a module that is being loaded and cannot wait: it stops this thread until
   * Lambda has answered, for about a millisecond.
   */
  registerNow(api: string): void {
    if (this.#registration) return;
    this.#registration = Promise.resolve();
    this.#observe();
    this.#become(registerExtensionNow(api, (late) => this.#become(late)));
  }

  async #register(api: string): Promise<void> {
    this.#mode = 'registering';
    this.#observe();
    this.#become(await registerExtension(api, (late) => this.#become(late)));
  }

  #observe(): void {
    try {
      observeInvocations({
        began: (requestId) => {
          this.#observed = true;
          this.begin(requestId);
        },
        answered: (requestId) => this.#markEnded(requestId),
      });
    } catch {
      // A global that cannot be changed: then this knows of handlers that use our Middy stack, and
      // waits a second for any other.
    }
  }

  #become(extension: Extension | undefined): void {
    this.#mode = extension ? 'extension' : 'direct';
    // A failure in there is a defect, but must not end the function's process.
    if (extension) this.#follow(extension).catch(() => {});
  }

  /** Whether Lambda has accepted this as an extension. */
  get isExtension(): boolean {
    return this.#mode === 'extension';
  }

  /** A request has begun; its handler will say when it is done. */
  begin(requestId: string | undefined): void {
    if (requestId) this.#begun.add(requestId);
    this.#wake();
  }

  /**
   * The handler is done. As an extension this returns at once, and what is queued goes out after
   * the answer; otherwise it is sent now.
   * @param deadline epoch milliseconds at which the function is killed.
   * @returns when the answer may be given.
   */
  async end(requestId: string | undefined, deadline = Number.POSITIVE_INFINITY): Promise<void> {
    if (requestId && !this.#observed) this.#markEnded(requestId);
    // A batch on its way may hold spans of this request.
    if (this.#mode !== 'direct' || this.queue.isIdle) return;
    await this.queue.flush(Math.min(longestWaitBeforeAnswer, deadline - Date.now() - reserve));
  }

  #markEnded(requestId: string): void {
    this.#begun.delete(requestId);
    if (this.#registration) this.#ended.add(requestId);
    // Ids of invocations that no event came for; there is no more than one at a time.
    if (this.#ended.size > 100) this.#ended.clear();
    this.#wake();
  }

  /**
   * Connects to every back end, for a moment when there will be no time for that. Sends nothing.
   */
  prepare(): void {
    for (const backend of this.backends) this.queue.prepare(backend);
  }

  /** Lambda says that the environment ends: what is left has a moment. */
  async shutDown(): Promise<void> {
    for (const tell of [...this.endings]) tell();
    this.queue.hurry();
    await this.queue.flush(flushAtShutdown);
    await datagramsSent();
    this.queue.clear();
    const lost = this.queue.takeLost();
    if (lost.size > 0) this.writeLosses(lost);
  }

  async #follow(extension: Extension): Promise<void> {
    for (;;) {
      const event = await extension.next();
      if (event) await this.#afterAnswer(event);
      else {
        // Until events come again, the queue is exported before the answer.
        this.#mode = 'direct';
        await new Promise<void>((resolve) => setTimeout(resolve, retryMilliseconds).unref());
      }
    }
  }

  async #afterAnswer({ requestId, deadline }: InvokeEvent): Promise<void> {
    this.#mode = 'extension';
    // Of the clock that may be set meanwhile, only this is taken.
    const killed = performance.now() + deadline - Date.now();
    await this.#untilEnded(requestId);
    if (!this.#observed) await answerPosted();
    await this.queue.flush(Math.min(longestFlush, killed - performance.now() - reserve));
    // Asking for the next event may freeze what is not on its way.
    await datagramsSent();
  }

  /**
   * An invocation that never reaches a handler, because its event was no JSON, must not hold the
   * environment until it times out.
   */
  async #untilEnded(requestId: string): Promise<void> {
    const patience = performance.now() + 1_000;
    while (!this.#ended.delete(requestId)) {
      const begun = this.#begun.has(requestId);
      if (!begun && performance.now() >= patience) return;
      await new Promise<void>((resolve) => {
        const timer = begun ? undefined : setTimeout(resolve, patience - performance.now()).unref();
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

/**
 * Resolves when AWS's runtime client has posted the answer: it posts in the turn of the event loop
 * after the handler's promise resolves, and without giving way. A client in JavaScript has written
 * it to its socket by then.
 */
async function answerPosted(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** X-Ray's SDK hands its datagrams to the system some turns of the event loop later. */
async function datagramsSent(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 2));
}

const key = Symbol.for('throughline.exporter');

/**
 * @returns the one exporter of this process; the layer and the function's bundle each hold a copy
 * of this code, and share it.
 */
export function sharedExporter(): Exporter {
  const holder = globalThis as { [key]?: Exporter };
  if (holder[key]?.version === 4) return holder[key];
  const exporter = new Exporter();
  holder[key] = exporter;
  process.once('SIGTERM', () => {
    // Other listeners take their own time; the signal's default is restored once this is done.
    const end = (): void => {
      if (process.listenerCount('SIGTERM') === 0) process.kill(process.pid, 'SIGTERM');
    };
    exporter.shutDown().then(end, end);
  });
  return exporter;
}
