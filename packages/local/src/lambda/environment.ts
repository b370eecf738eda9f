import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { newSegmentId } from '../trace/trace-id.ts';
import type { PostedResponse } from './apis/runtime-exchange.ts';
import { failureResult, type Invocation, tracingNote } from './invocation/invocation.ts';
import * as events from './invocation/platform-events.ts';
import { type Failure, functionSegment, lambdaSegment } from './invocation/segments.ts';
import type { InvokeResult } from './invocation/types.ts';
import { EnvironmentLog } from './sandbox/environment-log.ts';
import { MemoryWatch } from './sandbox/memory-watch.ts';
import { type PhaseResult, Sandbox, type SandboxSetup } from './sandbox/sandbox.ts';

const initMilliseconds = 10_000;
/** How long the end of an environment waits for an invocation that has been answered. */
const finishingMilliseconds = 1000;
/** For a function that is being debugged: the longest that a timer can wait, 24 days. */
const suspendedMilliseconds = 2 ** 31 - 1;

export type EnvironmentSetup = Omit<SandboxSetup, 'logGroup' | 'logStream' | 'log'>;

type FailedPhase = Exclude<PhaseResult, { kind: 'ready' }>;

interface Init {
  id: string;
  startedAt: number;
  endedAt: number;
  milliseconds: number;
  outcome: PhaseResult;
  failure?: Failure;
}

/**
 * An invocation's data at its end. `…At` are epoch milliseconds, the others of
 * `performance.now()`.
 */
interface Work {
  invocation: Invocation;
  /** Absent when warm. */
  init?: Init;
  startedAt: number;
  started: number;
  endedAt: number;
  ended: number;
  outcome: PhaseResult;
  response?: PostedResponse;
  failure?: Failure;
}

/**
 * One execution environment: a sandbox and its log stream. It works on one invocation at a time;
 * `run` begins with the init where there has been none. Once `ended` is true it takes no further
 * invocation.
 */
export class ExecutionEnvironment {
  readonly #setup: SandboxSetup;
  readonly #log: EnvironmentLog;
  #sandbox: Sandbox;
  readonly #memory: MemoryWatch;
  #initialized = false;
  #running: Promise<void> | undefined;
  #response: PostedResponse | undefined;
  #stopping = false;
  /** How long its init took; undefined before it. */
  startMilliseconds: number | undefined;

  constructor(setup: EnvironmentSetup) {
    const { lambda } = setup.layered;
    const variables = { ...setup.options.environment, ...lambda.environment };
    const logFormat = lambda.logging?.format ?? variables.AWS_LAMBDA_LOG_FORMAT;
    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
    const stream = {
      logGroup: lambda.logging?.logGroup ?? `/aws/lambda/${lambda.name}`,
      logStream: `${day}/[$LATEST]${randomBytes(16).toString('hex')}`,
    };
    this.#log = new EnvironmentLog({
      ...stream,
      sink: setup.options.sink,
      functionName: lambda.name,
      json: logFormat?.toUpperCase() === 'JSON',
      levels: { application: lambda.logging?.applicationLevel, system: lambda.logging?.systemLevel },
    });
    this.#setup = { ...setup, ...stream, log: this.#log };
    this.#sandbox = this.#newSandbox();
    this.#memory = new MemoryWatch(lambda.memoryMegabytes * 1024 * 1024, () => this.#sandbox.runtime);
  }

  /**
   * Gets ready before there is an invocation, as with provisioned concurrency: the first one is no
   * cold start then.
   */
  async initialize(): Promise<void> {
    this.#running = this.#firstInit().then(() => {});
    await this.#running.finally(() => {
      this.#running = undefined;
    });
  }

  get #isInspected(): boolean {
    const { layered, options } = this.#setup;
    return options.inspect?.functionKey === layered.lambda.key;
  }

  get ended(): boolean {
    return this.#stopping || this.#sandbox.broken;
  }

  /**
   * Works on one invocation, to the end of its extensions. Resolves when the next one can come, or
   * when the environment has ended.
   * @param started is called after a cold start's init, however it ended.
   */
  async run(invocation: Invocation, started: () => void): Promise<void> {
    this.#running = this.#run(invocation, started);
    try {
      await this.#running;
    } finally {
      this.#running = undefined;
    }
  }

  /**
   * Ends the environment; see `Sandbox.end`. An invocation that has been answered is let finish, as
   * its extensions are sending.
   */
  async shutdown(): Promise<void> {
    this.#stopping = true;
    if (this.#response && this.#running) {
      await Promise.race([this.#running, sleep(finishingMilliseconds, undefined, { ref: false })]);
    }
    await this.#sandbox.end('spindown');
    await this.#running;
  }

  async #run(invocation: Invocation, onStarted: () => void): Promise<void> {
    const { lambda } = this.#setup.layered;
    const limit = this.#isInspected ? suspendedMilliseconds : lambda.timeoutSeconds * 1000;
    const coldStart = !this.#initialized;
    this.#response = undefined;
    this.#log.invocation = invocation;
    this.#emitLambdaSegment(invocation);
    this.#memory.begin();
    const init = coldStart ? await this.#firstInit() : undefined;
    onStarted();

    const startedAt = Date.now();
    const started = performance.now();
    this.#log.platform(events.start(invocation.requestId, tracingNote(invocation)));
    this.#emitFunctionSegment({ invocation, startedAt, init });
    let outcome = init?.outcome ?? { kind: 'ready' };
    if (!this.#initialized && !this.#stopping) outcome = await this.#secondInit(limit);
    if (outcome.kind === 'ready') {
      const left = limit - (performance.now() - started);
      outcome = await this.#sandbox.work(invocation, Math.floor(startedAt + limit), left, (response) => {
        this.#response = response;
        this.#answer(invocation, coldStart, response);
      });
    }
    const times = { startedAt, started, endedAt: Date.now(), ended: performance.now() };

    const failure =
      outcome.kind === 'ready'
        ? postedFailure(this.#response)
        : this.#answerFailure(invocation, coldStart, outcome, limit);
    await this.#memory.end();
    if (outcome.kind === 'ready') {
      await settledOutput();
      this.#sandbox.flushLines();
    } else await this.#sandbox.end(outcome.kind === 'timeout' ? 'timeout' : 'failure');
    this.#report({ invocation, init, ...times, outcome, failure, response: this.#response });
    this.#log.invocation = undefined;
  }

  async #firstInit(): Promise<Init> {
    this.#log.platform(events.initStart(this.#setup.options.service.region));
    const limit = this.#setup.options.initMilliseconds ?? initMilliseconds;
    const init = await this.#init('init', this.#isInspected ? suspendedMilliseconds : limit);
    if (!this.#initialized && !this.#stopping) this.#sandbox = this.#newSandbox();
    return init;
  }

  /**
   * A failed init is repeated once within the invocation, whose timeout then counts for it.
   */
  async #secondInit(limit: number): Promise<PhaseResult> {
    return (await this.#init('invoke', limit)).outcome;
  }

  async #init(phase: 'init' | 'invoke', limit: number): Promise<Init> {
    const startedAt = Date.now();
    const started = performance.now();
    const outcome = await this.#sandbox.start(limit);
    const times = { startedAt, endedAt: Date.now(), milliseconds: performance.now() - started };
    this.#initialized = outcome.kind === 'ready';
    this.startMilliseconds = times.milliseconds;
    const failure = outcome.kind === 'ready' ? undefined : initFailure(outcome, limit);
    if (failure) await this.#sandbox.end('failure');
    const status = outcome.kind === 'ready' ? 'success' : outcome.kind === 'timeout' ? 'timeout' : 'error';
    const errorType = status === 'error' ? failure?.type : undefined;
    this.#log.platform(events.initReport(phase, status, times.milliseconds, errorType));
    return { id: newSegmentId(), ...times, outcome, failure };
  }

  #newSandbox(): Sandbox {
    const sandbox = new Sandbox(this.#setup);
    this.#log.subscriptions = sandbox.subscriptions;
    return sandbox;
  }

  #answer(invocation: Invocation, coldStart: boolean, { payload, error }: PostedResponse): void {
    this.#emitLambdaSegment(invocation, Date.now());
    invocation.answer({ requestId: invocation.requestId, coldStart, payload, ...(error && { error }) });
  }

  /** Answers where the runtime has not. @returns why the invocation failed. */
  #answerFailure(invocation: Invocation, coldStart: boolean, outcome: FailedPhase, limit: number): Failure {
    const error = platformError(invocation, outcome, limit, this.#initialized);
    if (!this.#response) {
      this.#emitLambdaSegment(invocation, Date.now());
      const result = failureResult(invocation, coldStart, error);
      invocation.answer(outcome.kind === 'init-error' ? { ...result, payload: outcome.error.payload } : result);
    }
    if (outcome.kind === 'timeout') this.#log.line(error.message, 'ERROR');
    else if (outcome.kind === 'exit') this.#log.line(`${error.message}\n${error.type}`, 'ERROR');
    // The process that ends after a posted error ends because of that error.
    return postedFailure(this.#response) ?? { type: error.type, message: error.message };
  }

  #report(work: Work): void {
    const { lambda } = this.#setup.layered;
    const { invocation, init, outcome, failure, response } = work;
    const { requestId } = invocation;
    const note = tracingNote(invocation);
    const errorType = this.#memory.exceeded ? 'Runtime.OutOfMemory' : failure?.type;
    const status =
      outcome.kind === 'timeout' ? 'timeout' : outcome.kind !== 'ready' ? 'failure' : failure ? 'error' : 'success';
    const runtimeEnd = outcome.kind === 'ready' ? this.#sandbox.runtimeWaitingSince : work.ended;
    const phases = response && {
      responseLatency: Math.max(0, response.startedAt - work.started),
      responseDuration: response.endedAt - response.startedAt,
      runtimeOverhead: Math.max(0, runtimeEnd - response.endedAt),
      extensionOverhead: Math.max(0, work.ended - runtimeEnd),
    };
    const done: events.RuntimeDone = {
      requestId,
      status,
      errorType,
      durationMs: runtimeEnd - work.started,
      producedBytes: response?.producedBytes ?? 0,
      responseLatencyMs: phases?.responseLatency,
      responseDurationMs: phases?.responseDuration,
      startedAt: work.startedAt,
    };
    this.#log.platform(events.runtimeDone(done, note));
    this.#log.platform(events.end(requestId));
    const metrics: events.ReportMetrics = {
      durationMs: outcome.kind === 'timeout' ? lambda.timeoutSeconds * 1000 : work.ended - work.started,
      memorySizeMB: lambda.memoryMegabytes,
      maxMemoryUsedMB: Math.min(lambda.memoryMegabytes, Math.ceil(this.#memory.peakBytes / 1024 / 1024)),
      // An init that was tried again within the invocation is part of its duration.
      ...(init && !init.failure && { initDurationMs: init.milliseconds }),
    };
    this.#log.platform(events.report(requestId, status, metrics, errorType, note));
    this.#emitFunctionSegment({ ...work, phases });
  }

  #emitLambdaSegment(invocation: Invocation, endedAt?: number): void {
    if (!invocation.traced) return;
    const ending = endedAt !== undefined && { endedAt, status: 200 };
    this.#setup.options.sink.segment(lambdaSegment({ invocation, ...ending }));
  }

  #emitFunctionSegment(input: Omit<Parameters<typeof functionSegment>[0], 'accountId' | 'logGroup'>): void {
    if (!input.invocation.traced) return;
    const { accountId, logGroup, options } = this.#setup;
    options.sink.segment(functionSegment({ ...input, accountId, logGroup }));
  }
}

function postedFailure(response: PostedResponse | undefined): Failure | undefined {
  return response?.error && { type: response.error.type, message: response.error.message, cause: response.cause };
}

function initFailure(outcome: FailedPhase, limit: number): Failure {
  if (outcome.kind === 'init-error') return { type: outcome.error.type, message: outcome.error.message };
  if (outcome.kind === 'exit') return { type: outcome.type, message: outcome.reason };
  return { type: 'Sandbox.Timedout', message: `Init timed out after ${(limit / 1000).toFixed(2)} seconds` };
}

function platformError(
  { requestId }: Invocation,
  outcome: FailedPhase,
  limit: number,
  initialized: boolean,
): NonNullable<InvokeResult['error']> {
  if (outcome.kind === 'init-error') return { kind: 'init', type: outcome.error.type, message: outcome.error.message };
  if (outcome.kind === 'exit') {
    return {
      kind: initialized ? 'crash' : 'init',
      type: outcome.type,
      message: `RequestId: ${requestId} Error: ${outcome.reason}`,
    };
  }
  const message = `${new Date().toISOString()} ${requestId} Task timed out after ${(limit / 1000).toFixed(2)} seconds`;
  return { kind: 'timeout', type: 'Sandbox.Timedout', message };
}

/**
 * Resolves when what the process had written before its last call to the Runtime API has been read:
 * it came before that call, but Node reads its sockets and pipes in no order.
 */
async function settledOutput(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
