import { config } from '../config.ts';
import { reportFailure } from './errors.ts';
import { bodyBytes, type HttpResponse } from './http-event.ts';
import { logger } from './logger.ts';
import { writeRequestMetrics } from './metrics.ts';
import type { ActiveSpan, RequestState } from './request.ts';
import { sharedShipper } from './shipping.ts';
import {
  type AnnotationValue,
  annotate,
  endSpan,
  flagOutcome,
  outcomeOf,
  quietly,
  recordError,
  toScalar,
} from './span.ts';
import { takeTrimmed } from './xray.ts';

/** How a request ended. */
export interface Ending {
  /** `performance.now()` of the request's beginning. */
  started: number;
  response: HttpResponse | undefined;
  error: unknown;
  timedOut?: true;
}

/** Writes all that a request comes to. Nothing belongs to it any more after that. */
export function conclude(request: RequestState, root: ActiveSpan, ending: Ending): void {
  const event = wideEvent(request, ending);
  concludeSpans(request, root, ending, event);
  concludeEvent(request, ending, event);
}

/** Writes on the root span what the request came to, and ends every span, the root last. */
export function concludeSpans(
  request: RequestState,
  root: ActiveSpan,
  ending: Ending,
  event = wideEvent(request, ending),
): void {
  const { error, timedOut } = ending;
  const outcome = outcomeOf(event.status);
  quietly(() => {
    for (const [key, value] of Object.entries(rootAttributes(request, event))) annotate(root, key, value);
  });
  for (const span of timedOut ? request.open : []) {
    if (span === root) continue;
    annotate(span, 'timed_out', true);
    quietly(() => recordError(span, error));
  }
  if (outcome === 'fault' && error !== undefined) quietly(() => recordError(root, error));
  quietly(() => flagOutcome(root, outcome));
  for (const span of [...request.open].reverse()) quietly(() => endSpan(request, span));
}

/** Writes the wide event and the metrics, and reports a fault. */
export function concludeEvent(request: RequestState, ending: Ending, event = wideEvent(request, ending)): void {
  const { error } = ending;
  const { status, duration_ms: duration } = event;
  const isFault = outcomeOf(status) === 'fault';
  if (isFault) quietly(() => reportFailure(error ?? new Error(`The handler answered ${status}.`)));
  quietly(() => logEvent(event, isFault ? error : undefined, status));
  quietly(() => {
    const route = String(event['route'] ?? 'none');
    writeRequestMetrics(request, { route, status, duration, lost: takeLosses() });
  });
  request.ended = true;
}

function takeLosses(): ReadonlyMap<string, number> {
  const trimmed = takeTrimmed();
  const lost = sharedShipper().takeLost();
  return trimmed > 0 ? new Map([...lost, ['metadata', trimmed]]) : lost;
}

interface WideEvent extends Record<string, unknown> {
  status: number;
  duration_ms: number;
}

function wideEvent(request: RequestState, { started, response, error, timedOut }: Ending): WideEvent {
  const { calls, milliseconds } = request.database;
  const code = errorCode(error);
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
 * The event's members stand on the root span under their own names, and those that OpenTelemetry has names for under those too. Honeycomb
 * takes `duration_ms` in place of the duration that it works out of the span's times: the same to a millisecond.
 */
function rootAttributes(request: RequestState, event: WideEvent): Record<string, AnnotationValue> {
  const attributes: Record<string, AnnotationValue> = {};
  for (const [key, value] of Object.entries(event)) attributes[key] = toScalar(value);
  if (event['route']) attributes['http.route'] = toScalar(event['route']);
  if (event['method']) attributes['http.request.method'] = toScalar(event['method']);
  attributes['http.response.status_code'] = event.status;
  attributes['faas.coldstart'] = request.coldStart;
  if (request.requestId) attributes['faas.invocation_id'] = request.requestId;
  if (event['user']) attributes['app.user_id'] = toScalar(event['user']);
  // Powertools' Tracer writes these two, and saved searches look for them.
  attributes['ColdStart'] = request.coldStart;
  attributes['Service'] = config.serviceName();
  return attributes;
}

/** How a request ends whose time is up. */
export function timeoutEnding(started: number): Ending & { error: Error } {
  const error = new Error('The function timed out');
  error.name = 'FunctionTimeout';
  return { started, response: { statusCode: 504 }, error, timedOut: true };
}

/** One line for each request; a fault is an error, and brings the debug lines that were held back. */
function logEvent(event: Record<string, unknown>, fault: unknown, status: number): void {
  const line = { message: `${event['method'] ?? 'invoked'} ${event['route'] ?? ''} ${status}`, event };
  if (status >= 500) logger.error(line, { error: fault });
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
