import { context as otelContext, SpanKind, trace } from '@opentelemetry/api-1.9';
import { config } from '../config.ts';
import { bodyBytes, httpEventOf } from '../context/http-event.ts';
import { parentContext } from '../context/parent-context.ts';
import { type RequestState, runIn } from '../context/request-context.ts';
import { currentTraceHeader, newTraceId, toXrayId } from '../context/trace-id.ts';
import { sharedExporter } from '../export/exporter.ts';
import { secretsOfRequest } from '../redaction/request-secrets.ts';
import { toScalar } from '../redaction/sanitize.ts';
import { beginSpan } from '../signals/span.ts';
import { facadeSegment, innermostSpan, isXrayEnabled } from '../signals/xray-subsegment.ts';

export interface TelemetryOptions {
  /** `/api/activities/{id}`; default: the resource that API Gateway names in the event. */
  route?: string;
}

/** The parts of Middy's request that telemetry reads. */
export interface MiddyRequest {
  event: unknown;
  context: unknown;
  error?: unknown;
}

interface LambdaContext {
  awsRequestId?: string;
  functionName?: string;
  getRemainingTimeInMillis?(): number;
}

/** Whether this process has begun a request before: a fact of the process, not of a request. */
let warm = false;

/** Begins a request: its state, and its root span `## <handler>`. */
export function beginRequest(middy: MiddyRequest, options: TelemetryOptions): RequestState {
  const event = httpEventOf(middy.event);
  const context = (middy.context ?? {}) as LambdaContext;
  const header = currentTraceHeader();
  const remaining = context.getRemainingTimeInMillis?.();
  const request: RequestState = {
    traceId: header?.traceId ?? '',
    xrayId: () => toXrayId(request.traceId),
    sampled: header?.sampled === true && isXrayEnabled(),
    segment: header && isXrayEnabled() ? facadeSegment(header) : undefined,
    root: undefined,
    open: new Set(),
    deadline: remaining === undefined ? undefined : Date.now() + remaining,
    requestId: context.awsRequestId,
    coldStart: !warm,
    fields: new Map(),
    user: undefined,
    counts: new Map(),
    metrics: new Set(),
    innermost: innermostSpan,
    database: { calls: 0, milliseconds: 0 },
    secrets: () => request.secrets(),
    http: event,
    reported: new Set(),
    isBelowForeignSpan: trace.getSpan(otelContext.active()) !== undefined,
    ended: false,
  };
  request.secrets = secretsOfRequest(request);
  warm = true;
  sharedExporter().begin(request.requestId);
  const route = options.route ?? event?.resource;
  if (route) request.fields.set('route', toScalar(route));
  if (event?.httpMethod) request.fields.set('method', event.httpMethod);
  if (event?.body) request.fields.set('request_bytes', bodyBytes(event));
  const { parent, links, isBorrowed } = parentContext(event, request, sharedExporter().exportsSpans);
  const name = `## ${config.handlerName() ?? context.functionName ?? 'handler'}`;
  request.root = runIn(request, undefined, () =>
    otelContext.with(parent, () => beginSpan(request, name, { kind: SpanKind.SERVER, links })),
  );
  const root = request.root.otel;
  // Every SDK reads a span's parent from this property when it exports; there is no other way to a
  // root with a given trace id.
  if (isBorrowed) Reflect.set(root, 'parentSpanContext', undefined);
  if (!request.traceId) request.traceId = root.isRecording() ? root.spanContext().traceId : newTraceId();
  return request;
}
