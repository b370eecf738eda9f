import { executionModeStandard } from '@middy/core/executionModeStandard';
import { context as otelContext, SpanKind, trace } from '@opentelemetry/api-1.9';
import { config } from '../config.ts';
import { type Timeout, watchDeadline } from './deadline.ts';
import { conclude, concludeEvent, concludeSpans, type Ending, timeoutEnding } from './ending.ts';
import { prepareReport } from './errors.ts';
import { traceFetch } from './fetch.ts';
import { bodyBytes, type HttpResponse, httpEventOf } from './http-event.ts';
import { incoming } from './incoming.ts';
import { logger } from './logger.ts';
import { writeLosses } from './metrics.ts';
import { type ActiveSpan, type RequestState, runIn } from './request.ts';
import { rollbar } from './rollbar.ts';
import { secretsOf } from './secrets.ts';
import { longestWaitBeforeAnswer, type Shipper, sharedShipper, within } from './shipping.ts';
import { beginSpan, endSpan, quietly, toScalar } from './span.ts';
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
  quietly(traceFetch);
  const executionMode: ExecutionMode = (core, ...rest) => {
    const runRequest: RunRequest = (request, ...stack) =>
      observe(request, options, () => core.runRequest(request, ...stack));
    return (executionModeStandard as unknown as ExecutionMode)({ ...core, runRequest }, ...rest);
  };
  // Middy's type for an execution mode names neither its parameters nor its result.
  return { executionMode: executionMode as unknown as () => void };
}

/** The layer has registered before this, and a second registration does nothing. Without it, Rollbar alone is sent to from here. */
function prepareShipper(): void {
  quietly(() => {
    const shipper = sharedShipper();
    shipper.warn = (message, details) => logger.warn(message, details);
    shipper.writeLosses = writeLosses;
    if (!config.rollbarAccessToken()) return;
    shipper.destinations.add(rollbar);
    const api = config.runtimeApi();
    if (api && !config.concurrentInvocations()) shipper.registerNow(api);
  });
}

async function observe(middy: MiddyRequest, options: TelemetryOptions, run: () => Promise<unknown>): Promise<unknown> {
  const started = performance.now();
  const request = quietly(() => beginRequest(middy, options));
  const root = request?.root;
  if (!request || !root) return run();
  const left = request.deadline === undefined ? Number.POSITIVE_INFINITY : request.deadline - Date.now();
  const watch = watchDeadline(left, timeoutOf(request, root, started));
  let ending: Ending;
  let failed = false;
  try {
    const response = await runIn(request, root, () => otelContext.with(root.context, run));
    ending = { started, response: response as HttpResponse | undefined, error: middy.error };
  } catch (error) {
    failed = true;
    ending = { started, response: { statusCode: 500 }, error };
  }
  watch.finish();
  await finishRequest(request, ending);
  if (failed) throw ending.error;
  return ending.response;
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
    user: undefined,
    counts: new Map(),
    database: { calls: 0, milliseconds: 0 },
    secrets: secretsBut(
      () => request.user,
      once(() => (event ? secretsOf(event).filter((form) => !isOwn(request, form)) : [])),
    ),
    http: event,
    reported: new Set(),
    isBelowForeignSpan: trace.getSpan(otelContext.active()) !== undefined,
    ended: false,
  };
  warm = true;
  sharedShipper().begin(request.requestId);
  const route = options.route ?? event?.resource;
  if (route) request.fields.set('route', toScalar(route));
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

/** What is said of a request whose time is up. */
function timeoutOf(request: RequestState, root: ActiveSpan, started: number): Timeout {
  const ending = once(() => timeoutEnding(started));
  return {
    prepare: () => prepareReport(ending().error),
    endSpans: () => runIn(request, root, () => concludeSpans(request, root, ending())),
    tell: () => runIn(request, root, () => concludeEvent(request, ending())),
  };
}

/** Writes what a request comes to, and ends whatever it has left open. */
async function finishRequest(request: RequestState, ending: Ending): Promise<void> {
  const { root } = request;
  if (root && !request.ended) quietly(() => runIn(request, root, () => conclude(request, root, ending)));
  for (const span of [...request.open].reverse()) quietly(() => endSpan(request, span));
  request.ended = true;
  const shipper = sharedShipper();
  await Promise.all([shipper.end(request.requestId, request.deadline), flushForeign(request, shipper)]).catch(() => {});
}

/**
 * Another layer's provider exports in batches, some seconds later, when the environment is frozen. Where that layer has patched the
 * handler, our root hangs below its span and it flushes by itself; where it has not, as the community layer before 0.19 under nodejs24.x,
 * whose runtime imports handlers and no longer requires them, nobody else would.
 */
async function flushForeign(request: RequestState, shipper: Shipper): Promise<void> {
  if (shipper.exportsSpans || request.isBelowForeignSpan || !request.root?.otel.spanContext().traceFlags) return;
  const provider = trace.getTracerProvider() as { getDelegate?(): unknown };
  const delegate = (provider.getDelegate?.() ?? provider) as { forceFlush?(): Promise<void> };
  await within(longestWaitBeforeAnswer, Promise.resolve(delegate.forceFlush?.()));
}

/** What this request is called by everywhere is no secret, even if its caller sends it as one. */
function isOwn(request: RequestState, form: string): boolean {
  const { traceId, requestId = '', fields } = request;
  const names = [traceId, request.xrayId(), requestId, String(fields.get('route')), config.serviceName()];
  return names.some((own) => own.includes(form));
}

/**
 * Who asks is known after the first text was redacted. It is no secret either: a caller who sends the own handle, as a name to be shown or to
 * stay out of the records, is in them all the same.
 */
function secretsBut(user: () => string | undefined, secrets: () => string[]): () => readonly string[] {
  let known: { user: string | undefined; left: string[] } | undefined;
  return () => {
    if (!known || known.user !== user()) known = { user: user(), left: secrets().filter((form) => form !== user()) };
    return known.left;
  };
}

function once<T>(work: () => T): () => T {
  let known: { value: T } | undefined;
  return () => {
    known ??= { value: work() };
    return known.value;
  };
}
