import { basename, dirname } from 'node:path';
import { withTimeout } from '../../with-timeout.ts';
import { Extensions } from '../apis/extensions.ts';
import { type ApiAnswer, type ApiRequest, type RuntimeApi, refusal, startRuntimeApi } from '../apis/runtime-api.ts';
import { type InitError, type PostedResponse, RuntimeExchange } from '../apis/runtime-exchange.ts';
import { TelemetrySubscriptions } from '../apis/telemetry-subscriptions.ts';
import type { Invocation } from '../invocation/invocation.ts';
import type { LambdaOptions } from '../invocation/types.ts';
import type { EnvironmentLog } from './environment-log.ts';
import type { LayeredFunction } from './layers.ts';
import { type OutputRecord, readFrames, splitLines } from './output.ts';
import type { ProcessGroups, RunningProcess } from './processes.ts';
import { ownClient, runtimeCommand } from './runtime-command.ts';
import { functionVariables } from './variables.ts';

/**
 * The file descriptor on which runtime clients frame console calls: the first one after the
 * standard three.
 */
const telemetryFileDescriptor = 3;
/**
 * The time that an ending environment gets: the runtime after SIGTERM, by whether an extension is
 * inside its process; external extensions after SHUTDOWN, counted from the beginning. Where there
 * is no extension at all there is neither, and no SIGTERM.
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown
 */
const shutdownMilliseconds = { runtime: 300, runtimeWithExtensionInside: 500, external: 2000 };

/** Node's own lines about the inspector, which are not the function's. */
const inspectorLine =
  /^(Debugger listening on ws:|For help, see: https:\/\/nodejs|Debugger attached\.|Waiting for the debugger to disconnect)/;

export interface SandboxSetup {
  layered: LayeredFunction;
  /** The function's code: LAMBDA_TASK_ROOT. */
  codeDirectory: string;
  accountId: string;
  options: LambdaOptions;
  processes: ProcessGroups;
  logGroup: string;
  logStream: string;
  log: EnvironmentLog;
}

/** The result of a phase, init or invocation. Everything but `ready` is the end of the sandbox. */
export type PhaseResult =
  | { kind: 'ready' }
  | { kind: 'timeout' }
  | { kind: 'init-error'; error: InitError }
  | { kind: 'exit'; type: string; reason: string };

/** Why a sandbox is ended, in the words of the SHUTDOWN event. */
export type EndReason = 'spindown' | 'timeout' | 'failure';

/**
 * The processes of an environment and the server that they speak to, from one start to their end:
 * an init that is tried again has a new one.
 */
export class Sandbox {
  readonly subscriptions = new TelemetrySubscriptions();
  readonly #setup: SandboxSetup;
  readonly #exchange: RuntimeExchange;
  readonly #extensions: Extensions;
  #api: RuntimeApi | undefined;
  #runtime: RunningProcess | undefined;
  readonly #processes: RunningProcess[] = [];
  readonly #lines: ReturnType<typeof splitLines>[] = [];
  #ready = false;
  /** Ends the phase that is open; absent between phases. */
  #settle: ((outcome: PhaseResult) => void) | undefined;
  #extensionsHaveRegistered: (() => void) | undefined;
  #ending: Promise<void> | undefined;
  #runtimeWaitingSince = 0;
  #onResponse: ((response: PostedResponse) => void) | undefined;
  /** A process of it has ended: it takes no further invocation. */
  broken = false;

  constructor(setup: SandboxSetup) {
    const { lambda, extensions } = setup.layered;
    this.#setup = setup;
    this.#exchange = new RuntimeExchange({
      waiting: () => {
        this.#runtimeWaitingSince = performance.now();
        this.#advance();
      },
      responded: (response) => this.#onResponse?.(response),
      initFailed: (error) => this.#settle?.({ kind: 'init-error', error }),
    });
    this.#extensions = new Extensions({
      functionName: lambda.name,
      handler: lambda.handler,
      accountId: setup.accountId,
      externalNames: extensions.map((path) => basename(path)),
      changed: () => this.#advance(),
      failed: (errorType, phase) => {
        const type = phase === 'init' ? 'Extension.InitError' : 'Extension.ExitError';
        this.#settle?.({ kind: 'exit', type, reason: `An extension gave up: ${errorType}` });
      },
    });
  }

  /** When the runtime last asked for an invocation, by `performance.now()`. */
  get runtimeWaitingSince(): number {
    return this.#runtimeWaitingSince;
  }

  get runtime(): RunningProcess | undefined {
    return this.#runtime;
  }

  /**
   * Starts the processes and waits, for `limit` milliseconds at most, until the runtime and every
   * extension have asked for their first event.
   */
  async start(limit: number): Promise<PhaseResult> {
    const phase = this.#openPhase(limit);
    await this.#startProcesses().catch((error: NodeJS.ErrnoException) => this.#settle?.(invalidEntrypoint(error)));
    const outcome = await phase;
    if (outcome.kind === 'ready') {
      this.#ready = true;
      this.#extensions.closeRegistration();
      this.subscriptions.initEnded();
    }
    return outcome;
  }

  /**
   * Hands over an invocation and waits, for `limit` milliseconds at most, until the runtime and
   * every extension have asked for the next one.
   */
  async work(
    invocation: Invocation,
    deadlineMs: number,
    limit: number,
    onResponse: (response: PostedResponse) => void,
  ): Promise<PhaseResult> {
    const phase = this.#openPhase(limit);
    this.#onResponse = onResponse;
    this.#extensions.send('INVOKE', {
      deadlineMs,
      requestId: invocation.requestId,
      invokedFunctionArn: invocation.functionArn,
      tracing: { type: 'X-Amzn-Trace-Id', value: invocation.traceHeader },
    });
    const headers = {
      'Lambda-Runtime-Deadline-Ms': String(deadlineMs),
      'Lambda-Runtime-Invoked-Function-Arn': invocation.functionArn,
      'Lambda-Runtime-Trace-Id': invocation.traceHeader,
      ...(invocation.clientContext !== undefined && { 'Lambda-Runtime-Client-Context': invocation.clientContext }),
    };
    this.#exchange.give(invocation.requestId, headers, invocation.payload);
    const outcome = await phase;
    this.#onResponse = undefined;
    return outcome;
  }

  /**
   * Gives out what was written without a line end: at the end of an invocation it belongs to that
   * one, not to the next.
   */
  flushLines(): void {
    for (const take of this.#lines) take(undefined);
  }

  /**
   * Ends everything as Lambda does, whatever the reason: SIGTERM to the runtime where there is an
   * extension, SIGKILL when its time is over; then SHUTDOWN to the external extensions, and SIGKILL
   * to what is left. Resolves when no process is left and the port is free; an open phase ends with
   * it.
   */
  end(reason: EndReason): Promise<void> {
    this.#ending ??= this.#end(reason);
    return this.#ending;
  }

  async #end(reason: EndReason): Promise<void> {
    this.broken = true;
    this.#settle?.({
      kind: 'exit',
      type: 'Runtime.ExitError',
      reason: 'Runtime exited with error: signal: terminated',
    });
    const { runtime, runtimeWithExtensionInside, external } = shutdownMilliseconds;
    const { hasExternal, hasInternal } = this.#extensions;
    const deadlineMs = Date.now() + external;
    if (hasExternal || hasInternal) {
      this.#runtime?.signal('SIGTERM');
      await this.#endedWithin(this.#runtime ? [this.#runtime] : [], hasInternal ? runtimeWithExtensionInside : runtime);
    }
    this.#runtime?.signal('SIGKILL');
    if (hasExternal) {
      await this.subscriptions.flush();
      this.#extensions.send('SHUTDOWN', { shutdownReason: reason, deadlineMs });
      await this.#endedWithin(this.#processes, deadlineMs - Date.now());
    }
    for (const one of this.#processes) one.signal('SIGKILL');
    await Promise.all(this.#processes.map((one) => one.ended));
    await this.subscriptions.flush();
    await this.#api?.close();
  }

  async #endedWithin(processes: readonly RunningProcess[], milliseconds: number): Promise<void> {
    await withTimeout(Promise.all(processes.map((one) => one.ended)), milliseconds);
  }

  async #startProcesses(): Promise<void> {
    const { layered, codeDirectory, options } = this.#setup;
    this.#api = await startRuntimeApi((request) => this.#answer(request));
    const client = options.runtimeClient ?? [ownClient];
    const variables = functionVariables({
      lambda: layered.lambda,
      region: options.service.region,
      cloud: options.environment,
      taskRoot: codeDirectory,
      runtimeDirectory: dirname(client[0] ?? ownClient),
      runtimeApi: this.#api.address,
      logGroup: this.#setup.logGroup,
      logStream: this.#setup.logStream,
      layerRoot: layered.layerRoot,
      telemetryDescriptor: telemetryFileDescriptor,
    });
    for (const path of layered.extensions) {
      const { _LAMBDA_TELEMETRY_LOG_FD: _descriptor, ...environment } = variables;
      await this.#start([path], environment, 'extension');
    }
    await this.#untilExtensionsHaveRegistered();
    const inspect = options.inspect?.functionKey === layered.lambda.key ? options.inspect : undefined;
    const wrapper = variables.AWS_LAMBDA_EXEC_WRAPPER;
    const command = runtimeCommand(client, layered.lambda.memoryMegabytes, wrapper, inspect);
    this.#runtime = await this.#start(command, variables, 'function');
  }

  /**
   * On Lambda the runtime starts when the extensions have registered. Resolves at the end of the
   * phase, too.
   */
  async #untilExtensionsHaveRegistered(): Promise<void> {
    if (this.#extensions.allRegistered) return;
    await new Promise<void>((resolve) => {
      this.#extensionsHaveRegistered = resolve;
      if (!this.#settle) resolve();
    });
  }

  async #start(
    [command = '', ...commandArguments]: string[],
    environment: Record<string, string>,
    source: 'function' | 'extension',
  ): Promise<RunningProcess | undefined> {
    // The phase may be over before everything has been started.
    if (!this.#settle) return undefined;
    const isInspected = this.#setup.options.inspect !== undefined;
    const write = (record: OutputRecord) => {
      if (!isInspected || !inspectorLine.test(record.message)) this.#setup.log.output(source, record);
    };
    const running = await this.#setup.processes.start({
      command,
      arguments: commandArguments,
      workingDirectory: this.#setup.codeDirectory,
      environment,
      output: {
        stdout: this.#splitLines(write),
        stderr: this.#splitLines(write),
        frames: readFrames(write, (bytes) => this.#setup.log.lost(bytes)),
      },
    });
    this.#processes.push(running);
    if (this.#ending) running.signal('SIGKILL');
    running.ended.then(({ reason }) => {
      this.broken = true;
      const why = reason ? `exited with error: ${reason}` : 'exited without providing a reason';
      const runtime = source === 'function';
      const what = runtime ? 'Runtime' : `Extension ${basename(command)}`;
      this.#settle?.({
        kind: 'exit',
        type: runtime ? 'Runtime.ExitError' : 'Extension.Crash',
        reason: `${what} ${why}`,
      });
    });
    return running;
  }

  #splitLines(write: (record: OutputRecord) => void): ReturnType<typeof splitLines> {
    const take = splitLines(write);
    this.#lines.push(take);
    return take;
  }

  async #answer(request: ApiRequest): Promise<ApiAnswer> {
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
    if (this.#ready) {
      return refusal(403, 'Telemetry.SubscriptionClosed', 'Telemetry API subscription is closed already');
    }
    return this.subscriptions.subscribe(request);
  }

  #advance(): void {
    if (this.#extensions.allRegistered) this.#extensionsHaveRegistered?.();
    if (!this.#exchange.waiting) return;
    if (this.#ready ? this.#extensions.invokeDone : this.#extensions.allReady) this.#settle?.({ kind: 'ready' });
  }

  /** Only one phase is open at a time; what happens when none is changes nothing. */
  #openPhase(limit: number): Promise<PhaseResult> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle?.({ kind: 'timeout' }), limit);
      this.#settle = (outcome) => {
        this.#settle = undefined;
        clearTimeout(timer);
        this.#extensionsHaveRegistered?.();
        resolve(outcome);
      };
    });
  }
}

const errnoWords: Record<string, string> = { ENOENT: 'no such file or directory', EACCES: 'permission denied' };

function invalidEntrypoint(error: NodeJS.ErrnoException): PhaseResult {
  const reason = `fork/exec ${error.path ?? ''}: ${errnoWords[error.code ?? ''] ?? error.message}`;
  return { kind: 'exit', type: 'Runtime.InvalidEntrypoint', reason };
}
