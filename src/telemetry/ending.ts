import { config } from '../config.ts';
import { reportFault } from './errors.ts';
import { bodyBytes, type HttpResponse } from './http-event.ts';
import { logger } from './logger.ts';
import { writeRequestMetrics } from './metrics.ts';
import type { ActiveSpan, RequestState } from './request.ts';
import { sharedShipper } from './shipping.ts';
import { annotate, endSpan, flagOutcome, outcomeOf, quietly, recordError } from './span.ts';
import { takeTrimmed } from './xray.ts';

/** How a request ended. */
export interface Ending {
  /** `performance.now()` of the request's beginning. */
  started: number;
  response: HttpResponse | undefined;
  error: unknown;
}

/** Writes the wide event, the metrics and the report of a fault, and ends every span, the root last. */
export function conclude(request: RequestState, root: ActiveSpan, { started, response, error }: Ending): void {
  const duration = Math.round((performance.now() - started) * 100) / 100;
  const status = typeof response?.statusCode === 'number' ? response.statusCode : 200;
  const outcome = outcomeOf(status);
  const event = wideEvent(request, { duration, status, error, bytes: bodyBytes(response) });
  quietly(() => annotateRoot(request, event, status));
  if (outcome === 'fault' && error !== undefined) quietly(() => recordError(root, error));
  quietly(() => flagOutcome(root, outcome));
  if (outcome === 'fault') quietly(() => reportFault(error ?? new Error(`The handler answered ${status}.`)));
  quietly(() => logEvent(event, outcome === 'fault' ? error : undefined, status));
  quietly(() => {
    const route = String(event['route'] ?? 'none');
    writeRequestMetrics(request, { route, status, duration, lost: takeLosses() });
  });
  for (const span of [...request.open].reverse()) quietly(() => endSpan(request, span));
  request.ended = true;
}

function takeLosses(): ReadonlyMap<string, number> {
  const trimmed = takeTrimmed();
  const lost = sharedShipper().takeLost();
  return trimmed > 0 ? new Map([...lost, ['metadata', trimmed]]) : lost;
}

function wideEvent(
  request: RequestState,
  seen: { duration: number; status: number; error: unknown; bytes: number },
): Record<string, unknown> {
  const { calls, milliseconds } = request.database;
  const code = errorCode(seen.error);
  return {
    ...(code ? { error_code: code } : {}),
    ...Object.fromEntries(request.fields),
    status: seen.status,
    duration_ms: seen.duration,
    cold_start: request.coldStart,
    database_calls: calls,
    database_ms: Math.round(milliseconds * 100) / 100,
    response_bytes: seen.bytes,
    release: config.release() ?? 'unreleased',
    trace_id: request.traceId,
  };
}

/** The event's members stand on the root span under their own names, and those that OpenTelemetry has names for under those too. */
function annotateRoot(request: RequestState, event: Record<string, unknown>, status: number): void {
  const { root } = request;
  const { duration_ms: _, ...members } = event;
  for (const [key, value] of Object.entries(members)) annotate(root, key, value as string);
  if (event['route']) annotate(root, 'http.route', String(event['route']));
  if (event['method']) annotate(root, 'http.request.method', String(event['method']));
  annotate(root, 'http.response.status_code', status);
  annotate(root, 'faas.coldstart', request.coldStart);
  if (request.requestId) annotate(root, 'faas.invocation_id', request.requestId);
  if (event['user']) annotate(root, 'app.user_id', String(event['user']));
  // Powertools' Tracer writes these two, and saved searches look for them.
  annotate(root, 'ColdStart', request.coldStart);
  annotate(root, 'Service', config.serviceName());
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
