import { executionModeStandard } from '@middy/core/executionModeStandard';
import {
  isSpanContextValid,
  type Link,
  type Context as OtelContext,
  context as otelContext,
  type SpanContext,
  SpanKind,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { config } from '../config.ts';
import { watchDeadline } from './deadline.ts';
import { reportFault } from './errors.ts';
import { bodyBytes, type HttpEvent, type HttpResponse, headerOf, httpEventOf } from './http-event.ts';
import { logger } from './logger.ts';
import { writeRequestMetrics } from './metrics.ts';
import { type ActiveSpan, type RequestState, runIn } from './request.ts';
import { secretsOf } from './secrets.ts';
import { longestWaitBeforeAnswer, type Shipper, sharedShipper, within } from './shipping.ts';
import { annotate, beginSpan, endSpan, flagOutcome, outcomeOf, quietly, recordError } from './span.ts';
import { currentTraceHeader, newTraceId, toXrayId } from './trace-id.ts';
import { facadeSegment, isXrayEnabled } from './xray.ts';

export interface TelemetryOptions {
  /** `/api/activities/{id}`; default: the resource that API Gateway names in the event. */
  route?: string;
}

/** The parts of Middy's request that are read here. */
interface MiddyRequest {
  event: unknown;
  context: unknown;
  error?: unknown;
}

interface LambdaContext {
  awsRequestId?: string;
  functionName?: string;
  getRemainingTimeInMillis?(): number;
}

type RunRequest = (request: MiddyRequest, ...rest: unknown[]) => Promise<unknown>;
type ExecutionMode = (core: { middyRequest: unknown; runRequest: RunRequest }, ...rest: unknown[]) => unknown;

/** Whether this process has begun a request before: a fact of the process, not of a request. */
let warm = false;

/**
 * The telemetry of a whole request, around everything that Middy runs: `middy(telemetry()).use(…).handler(…)` or
 * `middy(handler, telemetry()).use(…)`. It is Middy's execution mode and no middleware, because Middy skips the `after` of every
 * middleware when one of them answers early, and the rest of the `onError`s when one of those throws.
 *
 * For each request: the subsegment and root span `## <handler>`, the wide event, the metrics, and Rollbar's report of a fault. Whatever
 * the handler returns or throws is returned or thrown unchanged.
 */
export function telemetry(options: TelemetryOptions = {}): { executionMode: () => void } {
  prepareShipper();
  const executionMode: ExecutionMode = (core, ...rest) => {
    const runRequest: RunRequest = (request, ...stack) =>
      observe(request, options, () => core.runRequest(request, ...stack));
    return (executionModeStandard as unknown as ExecutionMode)({ ...core, runRequest }, ...rest);
  };
  // Middy's type for an execution mode names neither its parameters nor its result.
  return { executionMode: executionMode as unknown as () => void };
}

/** Without the layer, only Rollbar is ever sent to from here; the layer has registered before this, and a second registration does nothing. */
function prepareShipper(): void {
  quietly(() => {
    const shipper = sharedShipper();
    shipper.warn = (message, details) => logger.warn(message, details);
    const api = config.runtimeApi();
    if (api && config.rollbarAccessToken() && !config.concurrentInvocations()) shipper.register(api);
  });
}

async function observe(middy: MiddyRequest, options: TelemetryOptions, run: () => Promise<unknown>): Promise<unknown> {
  const started = performance.now();
  const request = quietly(() => beginRequest(middy, options));
  const root = request?.root;
  if (!request || !root) return run();
  const left = request.deadline === undefined ? Number.POSITIVE_INFINITY : request.deadline - Date.now();
  const watch = watchDeadline(request, left, () => timeOut(request, started));
  try {
    const response = await runIn(request, root, () => otelContext.with(root.context, run));
    watch.finish();
    await finishRequest(request, { started, response: response as HttpResponse | undefined, error: middy.error });
    return response;
  } catch (error) {
    watch.finish();
    await finishRequest(request, { started, response: { statusCode: 500 }, error });
    throw error;
  }
}

function beginRequest(middy: MiddyRequest, options: TelemetryOptions): RequestState {
  const event = httpEventOf(middy.event);
  const context = (middy.context ?? {}) as LambdaContext;
  const header = currentTraceHeader();
  const sampled = header?.sampled === true && isXrayEnabled();
  const remaining = context.getRemainingTimeInMillis?.();
  const request: RequestState = {
    traceId: header?.traceId ?? '',
    xrayId: () => toXrayId(request.traceId),
    sampled,
    segment: header && sampled ? facadeSegment(header) : undefined,
    root: undefined,
    open: new Set(),
    deadline: remaining === undefined ? undefined : Date.now() + remaining,
    requestId: context.awsRequestId,
    coldStart: !warm,
    fields: new Map(),
    counts: new Map(),
    database: { calls: 0, milliseconds: 0 },
    secrets: once(() => (event ? secretsOf(event) : [])),
    http: event,
    reported: new Set(),
    isBelowForeignSpan: trace.getSpan(otelContext.active()) !== undefined,
    ended: false,
  };
  warm = true;
  sharedShipper().begin(request.requestId);
  const route = options.route ?? event?.resource;
  if (route) request.fields.set('route', route);
  if (event?.httpMethod) request.fields.set('method', event.httpMethod);
  if (event?.body) request.fields.set('request_bytes', bodyBytes(event));
  const { parent, links, isBorrowed } = incoming(event, request);
  const name = `## ${config.handlerName() ?? context.functionName ?? 'handler'}`;
  request.root = runIn(request, undefined, () =>
    otelContext.with(parent, () => beginSpan(request, name, { kind: SpanKind.SERVER, links })),
  );
  const root = request.root.otel;
  // Every SDK reads the parent of a span from this property when it exports; there is no other way to a root with a given trace id.
  if (isBorrowed) Reflect.set(root, 'parentSpanContext', undefined);
  if (!request.traceId) request.traceId = root.isRecording() ? root.spanContext().traceId : newTraceId();
  return request;
}

/**
 * What OpenTelemetry's root span hangs below. Nothing, so that the trace has a true root, unless the caller's `traceparent` names a span
 * of this very trace; a span of another trace is linked.
 */
function incoming(event: HttpEvent | undefined, request: RequestState): Incoming {
  const active = otelContext.active();
  if (request.isBelowForeignSpan) return { parent: active, links: [], isBorrowed: false };
  const remote = remoteSpan((event && headerOf(event, 'traceparent')) ?? '');
  const { traceId } = request;
  if (remote && (remote.traceId === traceId || !traceId) && remote.traceFlags & TraceFlags.SAMPLED) {
    return { parent: trace.setSpanContext(active, remote), links: [], isBorrowed: false };
  }
  const links = remote ? [{ context: remote }] : [];
  // The layer's own id generator gives the root X-Ray's id; another layer's would make one up.
  if (!traceId || sharedShipper().openSpans) return { parent: active, links, isBorrowed: false };
  const borrowed = { traceId, spanId: traceId.slice(16), isRemote: true, traceFlags: TraceFlags.SAMPLED };
  return { parent: trace.setSpanContext(active, borrowed), links, isBorrowed: true };
}

interface Incoming {
  parent: OtelContext;
  links: Link[];
  /** The parent is none: it lends its trace id. */
  isBorrowed: boolean;
}

/** Reads a `traceparent` (W3C Trace Context, level 1); undefined for anything that is none. */
function remoteSpan(traceparent: string): SpanContext | undefined {
  const match = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/.exec(traceparent);
  const [, traceId, spanId, flags] = match ?? [];
  if (!traceId || !spanId || !flags) return undefined;
  const remote = { traceId, spanId, isRemote: true, traceFlags: Number.parseInt(flags, 16) };
  return isSpanContextValid(remote) ? remote : undefined;
}

interface Ending {
  /** `performance.now()` of the request's beginning. */
  started: number;
  response: HttpResponse | undefined;
  error: unknown;
}

/** The request's time is up: says so while there is time to say it. What the handler still does has no span any more. */
function timeOut(request: RequestState, started: number): void {
  const { root } = request;
  if (!root) return;
  const error = new Error('The function was about to time out');
  error.name = 'FunctionTimeout';
  request.fields.set('timed_out', true);
  request.reported.add(error);
  const spans = [...request.open];
  for (const span of spans) {
    if (span === root) continue;
    annotate(span, 'timed_out', true);
    quietly(() => recordError(span, error));
  }
  runIn(request, root, () => conclude(request, root, { started, response: { statusCode: 504 }, error }));
}

/** Writes what a request comes to, and ends whatever it has left open. */
async function finishRequest(request: RequestState, { started, response, error }: Ending): Promise<void> {
  const { root } = request;
  if (root && !request.ended) runIn(request, root, () => conclude(request, root, { started, response, error }));
  const shipper = sharedShipper();
  await Promise.all([shipper.end(request.requestId), flushForeign(request, shipper)]).catch(() => {});
}

/**
 * Another layer's provider exports in batches, some seconds later, when the environment is frozen. Where that layer has patched the
 * handler, our root hangs below its span and it flushes by itself; where it has not, as the community layer cannot under nodejs24.x, whose
 * runtime imports handlers and no longer requires them, nobody else would.
 */
async function flushForeign(request: RequestState, shipper: Shipper): Promise<void> {
  if (shipper.openSpans || request.isBelowForeignSpan || !request.root?.otel.spanContext().traceFlags) return;
  const provider = trace.getTracerProvider() as { getDelegate?(): unknown };
  const delegate = (provider.getDelegate?.() ?? provider) as { forceFlush?(): Promise<void> };
  await within(longestWaitBeforeAnswer, Promise.resolve(delegate.forceFlush?.()));
}

/** Writes the wide event, the metrics and the report of a fault, and ends every span, the root last. */
function conclude(request: RequestState, root: ActiveSpan, { started, response, error }: Ending): void {
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
    writeRequestMetrics(request, { route, status, duration, lost: sharedShipper().takeLost() });
  });
  for (const span of [...request.open].reverse()) quietly(() => endSpan(request, span));
  request.ended = true;
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

function once<T>(work: () => T): () => T {
  let known: { value: T } | undefined;
  return () => {
    known ??= { value: work() };
    return known.value;
  };
}
