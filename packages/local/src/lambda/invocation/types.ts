import type { LocalFunction, LocalService } from '../../service/model.ts';
import type { TelemetrySink } from '../../trace/records.ts';
import type { TraceContext } from '../../trace/trace-header.ts';

export interface LambdaOptions {
  service: LocalService;
  sink: TelemetrySink;
  /**
   * Where the code of a function is, as it would be in /var/task: absolute. Asked at every cold
   * start.
   */
  codeDirectory(lambda: LocalFunction): Promise<string>;
  /**
   * Variables of the local cloud (endpoints, dummy credentials, X-Ray daemon), below the function's
   * own.
   */
  environment: Record<string, string>;
  /** Environments that have had nothing to do for so long are stopped, as Lambda does. */
  idleMilliseconds?: number;
  /**
   * The program that speaks to the Runtime API, with its arguments; default: this project's own
   * client. AWS's is `aws-lambda-ric`'s index.mjs.
   */
  runtimeClient?: string[];
  /**
   * Told once of each setting of a function that cannot be honoured here, one sentence; default:
   * `console.warn`.
   */
  warn?: (sentence: string) => void;
  /**
   * How many environments run at a time over all functions; further invocations wait for one.
   * Default 20.
   */
  maximumEnvironments?: number;
  /**
   * The account's quota of concurrent executions: beyond it an invocation is throttled at once.
   * Default 1,000, as on AWS.
   */
  accountConcurrency?: number;
  /** Called every few seconds while invocations wait for an environment, with a sentence. */
  onBacklog?(sentence: string): void;
  /** The function that a debugger can be attached to; it has one environment and no timeout. */
  inspect?: InspectOptions;
  /**
   * How long an environment may take to get ready, before Lambda tries once more within the
   * invocation. Default 10,000, as on Lambda.
   */
  initMilliseconds?: number;
}

export interface InspectOptions {
  functionKey: string;
  /** The inspector's port on 127.0.0.1. */
  port: number;
  /** Whether the process waits for the debugger before it loads any code. */
  breakAtStart: boolean;
}

/** Lambda on this machine. */
export interface LambdaPlatform {
  /**
   * Invokes a function once and resolves when the caller of Lambda would have its answer: that is
   * when the runtime has posted its response, not when extensions are done. Never rejects for what
   * the function does.
   */
  invoke(functionKey: string, request: InvokeRequest): Promise<InvokeResult>;
  /**
   * Stops every environment of these functions once what it does is done, so that the next
   * invocation runs new code.
   */
  reload(functionKeys?: string[]): void;
  /**
   * Whether a debugger can be attached to the function: its timeouts, also its callers', are
   * suspended.
   */
  isInspected?(functionKey: string): boolean;
  /**
   * SHUTDOWN to extensions, SIGTERM, then SIGKILL after 2 s at most; resolves when no process is
   * left.
   */
  stop(): Promise<void>;
}

export interface InvokeRequest {
  /** The event as JSON text; at most 6 MB (6,291,556 bytes), else `RequestTooLarge`. */
  payload: string;
  trace: TraceContext;
  /** JSON text that the function gets as `context.clientContext`. */
  clientContext?: string;
  /** Whether the caller wants the log of the invocation, and waits for its end. */
  tail?: boolean;
  /**
   * Aborts when the caller no longer waits: an invocation that has no environment by then is
   * dropped.
   */
  signal?: AbortSignal;
}

export interface InvokeResult {
  requestId: string;
  coldStart: boolean;
  /**
   * JSON text: the function's answer, or the error document `{errorType, errorMessage,
   * stackTrace?}`.
   */
  payload: string;
  /** All lines of the invocation, for a request with `tail`. */
  log?: string;
  /** Absent on success. */
  error?: {
    /**
     * thrown: handled by the runtime, the function threw or rejected; no-code: it does not build,
     * or a layer's folder is missing; the others are the platform's.
     */
    kind:
      | 'thrown'
      | 'timeout'
      | 'crash'
      | 'init'
      | 'no-code'
      | 'response-too-large'
      | 'request-too-large'
      | 'throttled'
      | 'abandoned';
    type: string;
    message: string;
  };
}
