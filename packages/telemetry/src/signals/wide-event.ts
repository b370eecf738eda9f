import { config } from '../config.ts';
import { bodyBytes } from '../context/http-event.ts';
import { currentRequest, type RequestEnd, type RequestState } from '../context/request-context.ts';
import { quietly } from '../quietly.ts';
import { redactText } from '../redaction/redact.ts';
import { type Plain, sanitize, toScalar } from '../redaction/sanitize.ts';
import { logger } from './logger.ts';

/**
 * The event has a dozen members of its own, which come after these, and a log line takes a hundred
 * in all.
 */
const mostFields = 80;
/**
 * Of their JSON together: a log line takes 100 KB in all, half of it for the error beside the
 * event.
 */
const mostBytes = 40_000;
const longestKey = 256;

/**
 * Fields that are text in other places: dimensions of metrics, Rollbar's items, the log line's
 * message.
 */
const texts = new Set(['user', 'route', 'method', 'error_code']);

const sizes = new WeakMap<Map<string, unknown>, Map<string, number>>();

/**
 * The one wide event of a request, logged once at its end and written on its root span. Outside a
 * request nothing happens. Known keys: `user` (the caller's handle), `route`, `error_code`; any
 * other name is fine.
 */
export const requestEvent = {
  /**
   * Sets a field to the value as it is now, redacted and bounded. Past 80 fields or 40 KB,
   * `fields_left_out` counts the rest.
   * @param value a string, number or boolean; anything else is written as JSON.
   */
  set(key: string, value: unknown): void {
    const request = currentRequest();
    if (!request) return;
    const { fields } = request;
    // Before it is redacted: the caller's own name is not secret.
    if (key === 'user' && typeof value === 'string') request.user = value;
    const name = (quietly(() => redactText(key)) ?? '_').slice(0, longestKey);
    const plain = plainOf(name, value);
    const size = Buffer.byteLength(JSON.stringify({ [name]: plain }));
    const known = sizes.get(fields) ?? new Map<string, number>();
    let total = size - (known.get(name) ?? 0);
    for (const other of known.values()) total += other;
    const isFull = !known.has(name) && known.size >= mostFields;
    if (isFull || total > mostBytes) {
      fields.set('fields_left_out', Number(fields.get('fields_left_out') ?? 0) + 1);
      return;
    }
    sizes.set(fields, known.set(name, size));
    fields.set(name, plain);
  },
};

function plainOf(name: string, value: unknown): Plain {
  return texts.has(name) && value !== undefined && value !== null ? toScalar(value) : sanitize(value);
}

/** The event as it is logged. */
export interface WideEvent extends Record<string, unknown> {
  status: number;
  duration_ms: number;
}

/** Makes the event of a request that has ended. */
export function wideEvent(request: RequestState, { started, response, thrown, timedOut }: RequestEnd): WideEvent {
  const { calls, milliseconds } = request.database;
  const code = errorCode(thrown?.value);
  return {
    ...(code ? { error_code: code } : {}),
    ...Object.fromEntries(request.fields),
    ...(timedOut ? { timed_out: true } : {}),
    status: typeof response?.statusCode === 'number' ? response.statusCode : 200,
    duration_ms: Math.round((performance.now() - started) * 100) / 100,
    cold_start: request.coldStart,
    database_calls: calls,
    database_ms: Math.round(milliseconds * 100) / 100,
    response_bytes: bodyBytes(response),
    release: config.release() ?? 'unreleased',
    trace_id: request.traceId,
  };
}

/**
 * Logs one line for each request; a fault is an error, and prints the debug lines that were held
 * back.
 */
export function logEvent(event: WideEvent, fault: RequestEnd['thrown']): void {
  const line = { message: `${event.method ?? 'invoked'} ${event.route ?? ''} ${event.status}`, event };
  if (event.status >= 500) logger.error(line, ...(fault ? [fault.value as Error] : []));
  else {
    logger.info(line);
    logger.clearBuffer();
  }
}

function errorCode(error: unknown): string | undefined {
  try {
    const { code, name } = error as { code?: unknown; name?: unknown };
    return typeof code === 'string' ? code : typeof name === 'string' ? name : undefined;
  } catch {
    return undefined;
  }
}
