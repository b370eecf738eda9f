import { randomBytes } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { newSegmentId } from '../trace-context.ts';
import { EnvironmentLog } from './environment-log.ts';
import { Extensions } from './extensions.ts';
import { failureResult, type Invocation, tracingNote } from './invocation.ts';
import type { LayeredFunction } from './layers.ts';
import { type OutputRecord, readFrames, splitLines } from './output.ts';
import * as events from './platform-events.ts';
import { type ProcessGroups, type RunningProcess, readMemory } from './processes.ts';
import { type ApiAnswer, type ApiRequest, type RuntimeApi, refusal, startRuntimeApi } from './runtime-api.ts';
import { type InitError, type PostedResponse, RuntimeExchange } from './runtime-exchange.ts';
import { type Failure, functionSegment, lambdaSegment } from './segments.ts';
import { TelemetrySubscriptions } from './telemetry-subscriptions.ts';
import type { InvokeResult, LambdaOptions } from './types.ts';
import { functionVariables } from './variables.ts';

/** The file descriptor on which runtime clients frame console calls: the first one after the standard three. */
const TELEMETRY_DESCRIPTOR = 3;
const MEMORY_POLL_MILLISECONDS = 50;
/** https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown */
const SHUTDOWN_MILLISECONDS = { withExternalExtensions: 2000, otherwise: 500 };
/** How long the end of an environment waits for an invocation that has been answered. */
const FINISHING_MILLISECONDS = 1000;
const OWN_CLIENT = join(import.meta.dirname, 'runtime', 'index.cjs');

export interface EnvironmentSetup {
  layered: LayeredFunction;
  /** The function's code: LAMBDA_TASK_ROOT. */
  codeDirectory: string;
  accountId: string;
  options: LambdaOptions;
  processes: ProcessGroups;
}

/** What a phase came to. Everything but `ready` is the end of the environment. */
type Outcome =
  | { kind: 'ready' }
  | { kind: 'timeout' }
  | { kind: 'init-error'; error: InitError }
  | { kind: 'exit'; type: string; reason: string };

interface Init {
  id: string;
  startedAt: number;
  endedAt: number;
  milliseconds: number;
  failure?: Failure;
}

/**
 * One execution environment: a process with its Runtime API, its extensions, its log stream. It works on one invocation at a time;
 * `run` begins with the init where there has been none. Once `ended` is true it takes no further invocation.
 */
export class ExecutionEnvironment {
  readonly #setup: EnvironmentSetup;
  readonly #log: EnvironmentLog;
  readonly #logGroup: string;
  readonly #logStream: string;
  readonly #subscriptions = new TelemetrySubscriptions();
  #api: RuntimeApi | undefined;
  #exchange: RuntimeExchange;
  #extensions: Extensions;
  #runtime: RunningProcess | undefined;
  readonly #extensionProcesses = new Map<string, RunningProcess>();
  #settle: ((outcome: Outcome) => void) | undefined;
  #initialized = false;
  #response: PostedResponse | undefined;
  #onResponse: ((response: PostedResponse) => void) | undefined;
  #runtimeWaitingAt = 0;
  #peakBytes = 0;
  #outOfMemory = false;
  #terminating: Promise<void> | undefined;
  #running: Promise<void> | undefined;
  ended = false;

  constructor(setup: EnvironmentSetup) {
    const { lambda } = setup.layered;
    this.#setup = setup;
    this.#logGroup = `/aws/lambda/${lambda.name}`;
    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
    this.#logStream = `${day}/[$LATEST]${randomBytes(16).toString('hex')}`;
    this.#log = new EnvironmentLog({
      sink: setup.options.sink,
      functionName: lambda.name,
      logGroup: this.#logGroup,
      logStream: this.#logStream,
      json: lambda.environment['AWS_LAMBDA_LOG_FORMAT']?.toUpperCase() === 'JSON',
      subscriptions: this.#subscriptions,
    });
    this.#exchange = this.#newExchange();
    this.#extensions = this.#newExtensions();
  }

  /** Works on one invocation, to the end of its extensions. Resolves when the next one can come, or when the environment has ended. */
  async run(invocation: Invocation): Promise<void> {
    this.#running = this.#run(invocation);
    await this.#running.finally(() => {
      this.#running = undefined;
    });
  }

  async #run(invocation: Invocation): Promise<void> {
    const { lambda } = this.#setup.layered;
    this.#log.invocation = invocation;
    this.#response = undefined;
    this.#emitLambdaSegment(invocation);
    const coldStart = !this.#initialized;
    const stopWatching = this.#watchMemory();
    let init: Init | undefined;
    if (coldStart) {
      this.#log.platform(events.initStart(this.#setup.options.service.region));
      init = await this.#initialize(invocation, 'init', this.#setup.options.initMilliseconds ?? 10_000);
    }

    const startedAt = Date.now();
    const started = performance.now();
    const limit = lambda.timeoutSeconds * 1000;
    const note = tracingNote(invocation);
    this.#log.platform(events.start(invocation.requestId, note));
    this.#emitFunctionSegment({ invocation, startedAt, init });

    // What failed in init is tried once more within the invocation, whose timeout then counts for it.
    let outcome: Outcome = { kind: 'ready' };
    if (!this.#initialized) outcome = await this.#retryInit(invocation, limit);
    let deadlineTimer: NodeJS.Timeout | undefined;
    if (outcome.kind === 'ready') {
      const working = this.#beginPhase();
      const left = limit - (performance.now() - started);
      deadlineTimer = setTimeout(() => this.#settle?.({ kind: 'timeout' }), left);
      this.#onResponse = (response) => this.#answer(invocation, coldStart, response);
      this.#handOver(invocation, Math.floor(startedAt + limit));
      outcome = await working;
      clearTimeout(deadlineTimer);
    }
    const endedAt = Date.now();
    const ended = performance.now();
    await stopWatching();

    const failure = this.#conclude(invocation, coldStart, outcome, limit);
    if (outcome.kind !== 'ready') await this.#terminate(outcome.kind === 'timeout' ? 'timeout' : 'failure');
    else await settledOutput();
    this.#reportEnd(invocation, {
      outcome,
      failure,
      started,
      startedAt,
      ended,
      endedAt,
      init: coldStart ? init : undefined,
    });
    this.#log.invocation = undefined;
    if (outcome.kind !== 'ready') await this.#close();
  }

  /** Ends the environment: SHUTDOWN to extensions, SIGTERM to the runtime, SIGKILL to what is left after the time that Lambda gives. */
  async shutdown(): Promise<void> {
    // What has been answered is let finish: its extensions are sending.
    if (this.#response && this.#running)
      await Promise.race([this.#running, sleep(FINISHING_MILLISECONDS, undefined, { ref: false })]);
    this.#settle?.({
      kind: 'exit',
      type: 'Runtime.ExitError',
      reason: 'Runtime exited with error: signal: terminated',
    });
    await this.#terminate('spindown');
    await this.#close();
  }

  // --- Init ---------------------------------------------------------------------------------------------------------------------

  async #retryInit(invocation: Invocation, limit: number): Promise<Outcome> {
    const { failure, outcome } = await this.#initialize(invocation, 'invoke', limit);
    return failure ? outcome : { kind: 'ready' };
  }

  /** Starts the processes and waits until the runtime and every extension have asked for their first event. */
  async #initialize(
    _invocation: Invocation,
    phase: 'init' | 'invoke',
    limit: number,
  ): Promise<Init & { outcome: Outcome }> {
    const startedAt = Date.now();
    const started = performance.now();
    const settled = this.#beginPhase();
    const timer = setTimeout(() => this.#settle?.({ kind: 'timeout' }), limit);
    await this.#startProcesses().catch((error: NodeJS.ErrnoException) => this.#settle?.(invalidEntrypoint(error)));
    const outcome = await settled;
    clearTimeout(timer);
    const milliseconds = performance.now() - started;
    const failure = outcome.kind === 'ready' ? undefined : this.#initFailure(outcome, limit);
    const status = outcome.kind === 'ready' ? 'success' : outcome.kind === 'timeout' ? 'timeout' : 'error';
    if (failure) await this.#terminate('failure');
    this.#log.platform(
      events.initReport(phase, status, milliseconds, outcome.kind === 'timeout' ? undefined : failure?.type),
    );
    if (!failure) {
      this.#initialized = true;
      this.#extensions.closeRegistration();
      this.#subscriptions.initEnded();
    } else if (phase === 'init') {
      this.#renew();
    }
    return { id: newSegmentId(), startedAt, endedAt: Date.now(), milliseconds, failure, outcome };
  }

  #initFailure(outcome: Exclude<Outcome, { kind: 'ready' }>, limit: number): Failure {
    if (outcome.kind === 'init-error') return { type: outcome.error.type, message: outcome.error.message };
    if (outcome.kind === 'timeout')
      return { type: 'Sandbox.Timedout', message: `Init timed out after ${(limit / 1000).toFixed(2)} seconds` };
    return { type: outcome.type, message: outcome.reason };
  }

  /** After a failed init: everything anew but the log stream. */
  #renew(): void {
    this.#exchange = this.#newExchange();
    this.#extensions = this.#newExtensions();
    this.#extensionProcesses.clear();
    this.#runtime = undefined;
    this.#terminating = undefined;
    this.#outOfMemory = false;
  }

  async #startProcesses(): Promise<void> {
    const { layered, codeDirectory, options } = this.#setup;
    this.#api ??= await startRuntimeApi((request) => this.#answerApi(request));
    const client = options.runtimeClient ?? [OWN_CLIENT];
    const variables = functionVariables({
      lambda: layered.lambda,
      region: options.service.region,
      cloud: options.environment,
      taskRoot: codeDirectory,
      runtimeDirectory: dirname(client[0] ?? OWN_CLIENT),
      runtimeApi: this.#api.address,
      logGroup: this.#logGroup,
      logStream: this.#logStream,
      layerRoot: layered.layerRoot,
      telemetryDescriptor: TELEMETRY_DESCRIPTOR,
    });
    for (const path of layered.extensions) {
      const { _LAMBDA_TELEMETRY_LOG_FD: _descriptor, ...environment } = variables;
      this.#extensionProcesses.set(path, await this.#start(path, [], environment, 'extension'));
    }
    if (!(await this.#extensionsRegistered())) return;
    const wrapper = variables['AWS_LAMBDA_EXEC_WRAPPER'];
    const command = [process.execPath, ...memoryFlags(layered.lambda.memoryMegabytes), ...client];
    if (wrapper?.startsWith('/opt/')) throw Object.assign(new Error(wrapper), { code: 'ENOENT', path: wrapper });
    if (wrapper) this.#runtime = await this.#start(wrapper, command, variables, 'function');
    else this.#runtime = await this.#start(process.execPath, command.slice(1), variables, 'function');
  }

  #registered: (() => void) | undefined;

  /** On Lambda the runtime starts when the extensions have registered. */
  async #extensionsRegistered(): Promise<boolean> {
    const phase = this.#settle;
    if (!this.#extensions.allRegistered) {
      await new Promise<void>((resolve) => {
        this.#registered = resolve;
      });
    }
    return this.#settle === phase && phase !== undefined;
  }

  async #start(
    command: string,
    commandArguments: string[],
    environment: Record<string, string>,
    source: 'function' | 'extension',
  ): Promise<RunningProcess> {
    const write = (record: OutputRecord) => this.#log.output(source, record);
    const running = await this.#setup.processes.start({
      command,
      arguments: commandArguments,
      workingDirectory: this.#setup.codeDirectory,
      environment,
      output: {
        stdout: splitLines(write),
        stderr: splitLines(write),
        frames: readFrames(write, (bytes) => this.#log.lost(bytes)),
      },
    });
    const generation = this.#exchange;
    running.ended.then(({ reason }) => {
      // Of an init that has been given up.
      if (generation !== this.#exchange) return;
      this.ended = this.#initialized || this.ended;
      const runtime = source === 'function';
      const why = reason ? `exited with error: ${reason}` : 'exited without providing a reason';
      this.#settle?.({
        kind: 'exit',
        type: runtime ? 'Runtime.ExitError' : 'Extension.Crash',
        reason: `${runtime ? 'Runtime' : `Extension ${basename(command)}`} ${why}`,
      });
    });
    return running;
  }

  // --- The APIs -----------------------------------------------------------------------------------------------------------------

  async #answerApi(request: ApiRequest): Promise<ApiAnswer> {
    const host = request.headers.host;
    // A name that leads to loopback is how a web page would get around the browser's rules.
    if (host !== undefined && host !== this.#api?.address && !host.startsWith('localhost:')) {
      return refusal(403, 'InvalidHost', `The Runtime API is ${this.#api?.address}, not ${host}`);
    }
    if (request.path.startsWith('/2020-01-01/extension/')) return this.#extensions.answer(request);
    if (request.path === '/2022-07-01/telemetry' && request.method === 'PUT') return this.#subscribe(request);
    return this.#exchange.answer(request);
  }

  #subscribe(request: ApiRequest): ApiAnswer {
    const identifier = request.headers['lambda-extension-identifier'];
    if (typeof identifier !== 'string' || !this.#extensions.knows(identifier)) {
      return refusal(403, 'Extension.UnknownExtensionIdentifier', `Unknown extension ${String(identifier)}`);
    }
    if (this.#initialized)
      return refusal(403, 'Telemetry.SubscriptionClosed', 'Telemetry API subscription is closed already');
    return this.#subscriptions.subscribe(request);
  }

  #newExchange(): RuntimeExchange {
    return new RuntimeExchange({
      waiting: () => {
        this.#runtimeWaitingAt = performance.now();
        this.#advance();
      },
      responded: (response) => {
        this.#response = response;
        this.#onResponse?.(response);
      },
      initFailed: (error) => this.#settle?.({ kind: 'init-error', error }),
    });
  }

  #newExtensions(): Extensions {
    const { lambda, extensions } = this.#setup.layered;
    return new Extensions({
      functionName: lambda.name,
      handler: lambda.handler,
      accountId: this.#setup.accountId,
      externalNames: extensions.map((path) => basename(path)),
      changed: () => this.#advance(),
      failed: (errorType, phase) =>
        this.#settle?.({
          kind: 'exit',
          type: phase === 'init' ? 'Extension.InitError' : 'Extension.ExitError',
          reason: `An extension gave up: ${errorType}`,
        }),
    });
  }

  #advance(): void {
    if (this.#extensions.allRegistered) this.#registered?.();
    if (!this.#exchange.waiting) return;
    if (this.#initialized ? this.#extensions.invokeDone : this.#extensions.allReady) this.#settle?.({ kind: 'ready' });
  }

  /** Only one phase is open at a time; what happens when none is changes nothing. */
  #beginPhase(): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#settle = (outcome) => {
        this.#settle = undefined;
        this.#registered?.();
        this.#registered = undefined;
        resolve(outcome);
      };
    });
  }

  // --- The invocation -----------------------------------------------------------------------------------------------------------

  #handOver(invocation: Invocation, deadlineMs: number): void {
    this.#extensions.send('INVOKE', {
      deadlineMs,
      requestId: invocation.requestId,
      invokedFunctionArn: invocation.functionArn,
      tracing: { type: 'X-Amzn-Trace-Id', value: invocation.traceHeader },
    });
    this.#exchange.give(
      invocation.requestId,
      {
        'Lambda-Runtime-Deadline-Ms': String(deadlineMs),
        'Lambda-Runtime-Invoked-Function-Arn': invocation.functionArn,
        'Lambda-Runtime-Trace-Id': invocation.traceHeader,
      },
      invocation.payload,
    );
  }

  #answer(invocation: Invocation, coldStart: boolean, response: PostedResponse): void {
    this.#onResponse = undefined;
    const { payload, error } = response;
    this.#emitLambdaSegment(invocation, Date.now());
    invocation.answer({ requestId: invocation.requestId, coldStart, payload, ...(error && { error }) });
  }

  /** Answers where the runtime has not. @returns why the invocation failed, if it did. */
  #conclude(invocation: Invocation, coldStart: boolean, outcome: Outcome, limit: number): Failure | undefined {
    this.#onResponse = undefined;
    const posted = this.#response;
    if (outcome.kind === 'ready') {
      return posted?.error && { type: posted.error.type, message: posted.error.message, cause: posted.cause };
    }
    const error = this.#platformError(invocation, outcome, limit);
    if (!posted) {
      this.#emitLambdaSegment(invocation, Date.now());
      const result: InvokeResult = failureResult(invocation, coldStart, error);
      invocation.answer(outcome.kind === 'init-error' ? { ...result, payload: outcome.error.payload } : result);
    }
    if (outcome.kind === 'timeout') this.#log.line(error.message, 'ERROR');
    else if (outcome.kind === 'exit') this.#log.line(`${error.message}\n${error.type}`, 'ERROR');
    // The process that ends after a posted error ends because of that error.
    return posted?.error ? { ...posted.error, cause: posted.cause } : { type: error.type, message: error.message };
  }

  #platformError(
    invocation: Invocation,
    outcome: Exclude<Outcome, { kind: 'ready' }>,
    limit: number,
  ): NonNullable<InvokeResult['error']> {
    if (outcome.kind === 'init-error')
      return { kind: 'init', type: outcome.error.type, message: outcome.error.message };
    if (outcome.kind === 'timeout') {
      const message = `${new Date().toISOString()} ${invocation.requestId} Task timed out after ${(limit / 1000).toFixed(2)} seconds`;
      return { kind: 'timeout', type: 'Sandbox.Timedout', message };
    }
    const message = `RequestId: ${invocation.requestId} Error: ${outcome.reason}`;
    return { kind: this.#initialized ? 'crash' : 'init', type: outcome.type, message };
  }

  #reportEnd(
    invocation: Invocation,
    end: {
      outcome: Outcome;
      failure: Failure | undefined;
      started: number;
      startedAt: number;
      ended: number;
      endedAt: number;
      init: Init | undefined;
    },
  ): void {
    const { lambda } = this.#setup.layered;
    const { outcome, failure, init } = end;
    const { requestId } = invocation;
    const posted = this.#response;
    const note = tracingNote(invocation);
    const status: events.Status =
      outcome.kind === 'timeout' ? 'timeout' : outcome.kind !== 'ready' ? 'failure' : failure ? 'error' : 'success';
    const errorType = this.#outOfMemory ? 'Runtime.OutOfMemory' : failure?.type;
    const runtimeEnd = outcome.kind === 'ready' ? Math.max(this.#runtimeWaitingAt, end.started) : end.ended;
    const phases = posted && {
      responseLatency: Math.max(0, posted.startedAt - end.started),
      responseDuration: posted.endedAt - posted.startedAt,
      runtimeOverhead: Math.max(0, runtimeEnd - posted.endedAt),
      extensionOverhead: Math.max(0, end.ended - runtimeEnd),
    };
    const done: events.RuntimeDone = {
      requestId,
      status,
      errorType,
      durationMs: runtimeEnd - end.started,
      producedBytes: posted?.producedBytes ?? 0,
      responseLatencyMs: phases?.responseLatency,
      responseDurationMs: phases?.responseDuration,
      startedAt: end.startedAt,
    };
    this.#log.platform(events.runtimeDone(done, note));
    this.#log.platform(events.end(requestId));
    const metrics: events.ReportMetrics = {
      durationMs: outcome.kind === 'timeout' ? lambda.timeoutSeconds * 1000 : end.ended - end.started,
      memorySizeMB: lambda.memoryMegabytes,
      maxMemoryUsedMB: Math.min(lambda.memoryMegabytes, Math.ceil(this.#peakBytes / 1024 / 1024)),
      // An init that was tried again within the invocation is part of its duration.
      ...(init && !init.failure && { initDurationMs: init.milliseconds }),
    };
    this.#log.platform(events.report(requestId, status, metrics, errorType, note));
    this.#emitFunctionSegment({ invocation, startedAt: end.startedAt, endedAt: end.endedAt, init, phases, failure });
  }

  #emitLambdaSegment(invocation: Invocation, endedAt?: number): void {
    if (!invocation.traced) return;
    const { accountId } = this.#setup;
    this.#setup.options.sink.segment(
      lambdaSegment({ invocation, accountId, ...(endedAt !== undefined && { endedAt, status: 200 }) }),
    );
  }

  #emitFunctionSegment(input: Omit<Parameters<typeof functionSegment>[0], 'accountId' | 'logGroup'>): void {
    if (!input.invocation.traced) return;
    const { accountId, options } = this.#setup;
    options.sink.segment(functionSegment({ ...input, accountId, logGroup: this.#logGroup }));
  }

  // --- Memory and the end -------------------------------------------------------------------------------------------------------

  /** Looks at the runtime's memory until the returned function is called, and kills it when it is over the function's limit. */
  #watchMemory(): () => Promise<void> {
    const limit = this.#setup.layered.lambda.memoryMegabytes * 1024 * 1024;
    let watching = true;
    const look = async () => {
      const runtime = this.#runtime;
      const memory = runtime && (await readMemory(runtime.pid));
      if (!memory) return;
      this.#peakBytes = Math.max(this.#peakBytes, memory.peak);
      if (memory.counted <= limit || !watching) return;
      this.#outOfMemory = true;
      this.#peakBytes = limit;
      runtime.signal('SIGKILL');
    };
    let timer: NodeJS.Timeout;
    const repeat = () => {
      timer = setTimeout(() => look().finally(() => watching && repeat()), MEMORY_POLL_MILLISECONDS);
    };
    repeat();
    return async () => {
      watching = false;
      clearTimeout(timer);
      await look();
    };
  }

  #terminate(reason: 'spindown' | 'timeout' | 'failure'): Promise<void> {
    this.#terminating ??= this.#endProcesses(reason);
    return this.#terminating;
  }

  async #endProcesses(reason: 'spindown' | 'timeout' | 'failure'): Promise<void> {
    if (reason !== 'failure' || this.#initialized) this.ended = true;
    const runtime = this.#runtime;
    const extensions = [...this.#extensionProcesses.values()];
    const limit =
      extensions.length > 0 ? SHUTDOWN_MILLISECONDS.withExternalExtensions : SHUTDOWN_MILLISECONDS.otherwise;
    runtime?.signal(reason === 'spindown' ? 'SIGTERM' : 'SIGKILL');
    if (extensions.length > 0) await this.#subscriptions.flush();
    this.#extensions.send('SHUTDOWN', { shutdownReason: reason, deadlineMs: Date.now() + limit });
    const running = runtime ? [...extensions, runtime] : extensions;
    const timer = setTimeout(() => {
      for (const one of running) one.signal('SIGKILL');
    }, limit);
    await Promise.all(running.map((one) => one.ended));
    clearTimeout(timer);
  }

  async #close(): Promise<void> {
    this.ended = true;
    await this.#subscriptions.flush();
    await this.#api?.close();
  }
}

/** The limits that Lambda's bootstrap gives V8, so that a leak ends in V8's own words where it can. */
function memoryFlags(megabytes: number): string[] {
  const oldSpace = Math.floor(megabytes * 0.9);
  const semiSpace = Math.max(1, Math.floor(megabytes * 0.05));
  return [`--max-old-space-size=${oldSpace}`, `--max-semi-space-size=${semiSpace}`, '--max-http-header-size=81920'];
}

const ERRNO_WORDS: Record<string, string> = { ENOENT: 'no such file or directory', EACCES: 'permission denied' };

function invalidEntrypoint(error: NodeJS.ErrnoException): Outcome {
  const reason = `fork/exec ${error.path ?? ''}: ${ERRNO_WORDS[error.code ?? ''] ?? error.message}`;
  return { kind: 'exit', type: 'Runtime.InvalidEntrypoint', reason };
}

/**
 * Resolves when what the process had written before its last call to the Runtime API has been read: it came before that call,
 * but Node reads its sockets and pipes in no order.
 */
async function settledOutput(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
