import type { SegmentCause } from '../../trace/records.ts';
import type { InvokeResult } from '../invocation/types.ts';
import { parseCause } from './error-cause.ts';
import { type ApiAnswer, type ApiRequest, accepted, maximumPayloadBytes, refusal } from './runtime-api.ts';
import { readStreamedResponse } from './streamed-response.ts';

/** The runtime's POST for an invocation. */
export interface PostedResponse {
  payload: string;
  producedBytes: number;
  /** When its first and its last byte came, by `performance.now()`. */
  startedAt: number;
  endedAt: number;
  error?: NonNullable<InvokeResult['error']>;
  cause?: SegmentCause;
}

/** The runtime's POST in place of its first /next. */
export interface InitError {
  payload: string;
  type: string;
  message: string;
}

export interface RuntimeExchangeEvents {
  /** The runtime waits for an invocation. */
  waiting(): void;
  responded(response: PostedResponse): void;
  initFailed(error: InitError): void;
}

/**
 * The Runtime API's part of one environment: the runtime that waits in `/next`, the invocation that
 * it has, and what it posts for it. Protocol:
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
export class RuntimeExchange {
  readonly #events: RuntimeExchangeEvents;
  #give: ((answer: ApiAnswer) => void) | undefined;
  /** The invocation that the runtime has been given, until it has posted its response. */
  #open: string | undefined;
  #ready = false;

  constructor(events: RuntimeExchangeEvents) {
    this.#events = events;
  }

  get waiting(): boolean {
    return this.#give !== undefined;
  }

  /** Hands an invocation to the runtime that waits. */
  give(requestId: string, headers: Record<string, string>, payload: string): void {
    const give = this.#give;
    this.#give = undefined;
    this.#open = requestId;
    give?.({ status: 200, headers: { 'Lambda-Runtime-Aws-Request-Id': requestId, ...headers }, body: payload });
  }

  async answer(request: ApiRequest): Promise<ApiAnswer> {
    const route = `${request.method} ${request.path}`;
    if (route === 'GET /2018-06-01/runtime/invocation/next') return this.#next(request);
    if (route === 'POST /2018-06-01/runtime/init/error') return this.#initError(request);
    const [, id, action] = /^POST \/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/.exec(route) ?? [];
    if (id === undefined) return refusal(404, 'NotFound', `The Runtime API has no ${request.method} ${request.path}`);
    if (this.#open === undefined || decoded(id) !== this.#open) {
      return refusal(400, 'InvalidRequestID', 'Invalid request ID');
    }
    return action === 'response' ? this.#response(request) : this.#error(request);
  }

  #next(request: ApiRequest): Promise<ApiAnswer> | ApiAnswer {
    if (this.#open !== undefined || this.#give !== undefined) {
      const state = this.#give ? 'RuntimeReady' : 'RuntimeRunning';
      return refusal(
        403,
        'InvalidStateTransition',
        `State transition from ${state} to RuntimeReady failed for runtime`,
      );
    }
    return new Promise((resolve) => {
      this.#ready = true;
      this.#give = resolve;
      request.closed.then(() => {
        if (this.#give === resolve) this.#give = undefined;
      });
      this.#events.waiting();
    });
  }

  #response(request: ApiRequest): ApiAnswer {
    const mode = request.headers['lambda-runtime-function-response-mode'];
    if (mode !== undefined && mode !== 'streaming') {
      this.#fail(request, 'Runtime.InvalidResponseModeHeader', 'Invalid function response mode');
      return refusal(400, 'InvalidFunctionResponseMode', 'Invalid function response mode');
    }
    if (request.bodyBytes > maximumPayloadBytes) {
      const message = `Response payload size exceeded maximum allowed payload size (${maximumPayloadBytes} bytes).`;
      this.#fail(request, 'Function.ResponseSizeTooLarge', message, 'response-too-large');
      return refusal(
        413,
        'RequestEntityTooLarge',
        `Exceeded maximum allowed payload size (${maximumPayloadBytes} bytes).`,
      );
    }
    const trailer = request.trailers['lambda-runtime-function-error-body'];
    if (trailer !== undefined) {
      const body = Buffer.from(trailer, 'base64').toString('utf8');
      const type = request.trailers['lambda-runtime-function-error-type'];
      this.#post(request, errorOf(body, type));
      return accepted();
    }
    const payload = mode === 'streaming' ? readStreamedResponse(request) : request.body.toString('utf8');
    this.#post(request, { payload });
    return accepted();
  }

  #error(request: ApiRequest): ApiAnswer {
    const type = text(request.headers['lambda-runtime-function-error-type']);
    const cause = parseCause(text(request.headers['lambda-runtime-function-xray-error-cause']));
    this.#post(request, { ...errorOf(request.body.toString('utf8'), type), cause });
    return accepted();
  }

  #initError(request: ApiRequest): ApiAnswer {
    if (this.#ready) {
      return refusal(403, 'InvalidStateTransition', 'State transition to RuntimeInitError failed for runtime');
    }
    const type = text(request.headers['lambda-runtime-function-error-type']);
    const { payload, error } = errorOf(request.body.toString('utf8'), type);
    this.#events.initFailed({ payload, type: error.type, message: error.message });
    return accepted();
  }

  #fail(request: ApiRequest, type: string, message: string, kind: 'thrown' | 'response-too-large' = 'thrown'): void {
    this.#post(request, {
      payload: JSON.stringify({ errorType: type, errorMessage: message }),
      error: { kind, type, message },
    });
  }

  #post(request: ApiRequest, response: Pick<PostedResponse, 'payload' | 'error' | 'cause'>): void {
    this.#open = undefined;
    this.#events.responded({
      ...response,
      producedBytes: request.bodyBytes,
      startedAt: request.startedAt,
      endedAt: performance.now(),
    });
  }
}

/**
 * @returns the error document of a runtime, which is JSON with `errorType` and `errorMessage`, or
 * else becomes so.
 */
function errorOf(
  body: string,
  headerType: string | undefined,
): { payload: string; error: NonNullable<InvokeResult['error']> } {
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch {
    document = undefined;
  }
  const fields: { errorType?: unknown; errorMessage?: unknown } =
    typeof document === 'object' && document !== null ? document : {};
  const type = typeof fields.errorType === 'string' ? fields.errorType : (headerType ?? 'Runtime.Unknown');
  const message = typeof fields.errorMessage === 'string' ? fields.errorMessage : body;
  const payload = document === undefined ? JSON.stringify({ errorType: type, errorMessage: message }) : body;
  return { payload, error: { kind: 'thrown', type, message } };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function text(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
