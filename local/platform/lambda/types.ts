import type { LocalFunction, LocalService } from '../../service/model.ts';
import type { TelemetrySink } from '../../store/records.ts';
import type { TraceContext } from '../trace-context.ts';

export interface LambdaOptions {
  service: LocalService;
  sink: TelemetrySink;
  /** Where the code of a function is, as it would be in /var/task: absolute. Asked at every cold start. */
  codeDirectory(lambda: LocalFunction): Promise<string>;
  /** Variables of the local cloud (endpoints, dummy credentials, X-Ray daemon), below the function's own. */
  environment: Record<string, string>;
  /** Environments that have had nothing to do for so long are stopped, as Lambda does. */
  idleMilliseconds?: number;
  /** The program that speaks to the Runtime API, with its arguments; default: this project's own client. AWS's is `aws-lambda-ric`'s index.mjs. */
  runtimeClient?: string[];
  /** Told once of each setting of a function that cannot be honoured here, one sentence; default: `console.warn`. */
  warn?: (sentence: string) => void;
  /** Processes at a time over all functions, as an account's concurrency; what comes on top waits for one. Default 20. */
  maximumEnvironments?: number;
  /** How long an environment may take to get ready, before Lambda tries once more within the invocation. Default 10,000, as on Lambda. */
  initMilliseconds?: number;
}

/** Lambda on this machine. */
export interface LambdaPlatform {
  /** Invokes a function once and resolves when the caller of Lambda would have its answer: that is when the runtime has posted its response, not when extensions are done. Never rejects for what the function does. */
  invoke(functionKey: string, request: InvokeRequest): Promise<InvokeResult>;
  /** Stops every environment of these functions once what it does is done, so that the next invocation runs new code. */
  reload(functionKeys?: string[]): void;
  /** SHUTDOWN to extensions, SIGTERM, then SIGKILL after 2 s at most; resolves when no process is left. */
  stop(): Promise<void>;
}

export interface InvokeRequest {
  /** The event as JSON text; at most 6 MB (6,291,556 bytes), else `RequestTooLarge`. */
  payload: string;
  trace: TraceContext;
}

export interface InvokeResult {
  requestId: string;
  coldStart: boolean;
  /** JSON text: the function's answer, or the error document `{errorType, errorMessage, stackTrace?}`. */
  payload: string;
  /** Absent on success. */
  error?: {
    /** handled by the runtime: the function threw or rejected; the others are the platform's. */
    kind: 'thrown' | 'timeout' | 'crash' | 'init' | 'response-too-large' | 'request-too-large' | 'throttled';
    type: string;
    message: string;
  };
}
