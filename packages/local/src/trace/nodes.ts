import type { SegmentDocument, SpanRecord } from './records.ts';
import { readStack } from './stack-text.ts';
import type { TraceNode } from './trace.ts';

/**
 * A segment or subsegment document with its place: what is embedded has no parent_id of its own.
 */
export interface PlacedDocument {
  document: SegmentDocument;
  parentId?: string;
  embedded: boolean;
}

export function isFinished(document: SegmentDocument): boolean {
  return typeof document.end_time === 'number' && document.in_progress !== true;
}

/**
 * One document for each id: a complete one before one in progress, among equals the one that came
 * last.
 * @param documents in the order in which they arrived.
 */
export function currentDocuments<T extends { document: SegmentDocument }>(documents: Iterable<T>): Map<string, T> {
  const current = new Map<string, T>();
  for (const candidate of documents) {
    const { id } = candidate.document;
    const other = current.get(id);
    if (!other || isFinished(candidate.document) || !isFinished(other.document)) current.set(id, candidate);
  }
  return current;
}

/**
 * @returns the documents and all that is embedded in them, outer before inner. An embedded one
 * without an id gets one from its place.
 */
export function flattened(documents: Iterable<SegmentDocument>): PlacedDocument[] {
  const placed: PlacedDocument[] = [];
  for (const document of documents) {
    placed.push({ document, ...(document.parent_id && { parentId: document.parent_id }), embedded: false });
  }
  for (let at = 0; at < placed.length; at++) {
    const { document: outer } = placed[at] as PlacedDocument;
    if (!Array.isArray(outer.subsegments)) continue;
    outer.subsegments.forEach((inner, index) => {
      if (typeof inner !== 'object' || inner === null) return;
      const document = typeof inner.id === 'string' ? inner : { ...inner, id: `${outer.id}.${index}` };
      placed.push({ document, parentId: outer.id, embedded: true });
    });
  }
  return placed;
}

// Documents are kept as they were sent, and what SDKs send is mostly but not always of the type
// that X-Ray documents: what is not is not shown.

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

/**
 * @returns an object of those of the values that are strings, or numbers where their key says so.
 */
function typed<T>(values: { [K in keyof T]: unknown }, numbers: readonly (keyof T)[] = []): Partial<T> {
  const fitting = Object.entries(values).filter(
    ([key, value]) => typeof value === (numbers.includes(key as keyof T) ? 'number' : 'string'),
  );
  return Object.fromEntries(fitting) as Partial<T>;
}

type Exception = TraceNode['exceptions'][number];

function exceptionsOf(cause: unknown): Exception[] {
  return list(record(cause).exceptions)
    .map(record)
    .map(({ type, message, stack }) => ({
      ...typed<Pick<Exception, 'type' | 'message'>>({ type, message }),
      stack: list(stack)
        .map(record)
        .map(({ path, line, label }) => typed<Exception['stack'][number]>({ path, line, label }, ['line'])),
    }));
}

/** @returns the node of an X-Ray document, without its children. */
export function nodeOfDocument({ document, parentId, embedded }: PlacedDocument): TraceNode {
  const start = document.start_time * 1000;
  const complete = isFinished(document);
  const end = complete ? (document.end_time as number) * 1000 : undefined;
  const { method, url, user_agent, client_ip } = record(record(document.http).request);
  const { status, content_length } = record(record(document.http).response);
  const http = typed<NonNullable<TraceNode['http']>>(
    { method, url, status, contentLength: content_length, userAgent: user_agent, clientIp: client_ip },
    ['status', 'contentLength'],
  );
  const { origin, namespace, user, resource_arn } = document;
  const aws = record(document.aws);
  return {
    id: document.id,
    ...(parentId && { parentId }),
    name: document.name,
    type: embedded || document.type === 'subsegment' ? 'subsegment' : 'segment',
    sources: ['xray'],
    ...typed<TraceNode>({ origin, namespace, user, resourceArn: resource_arn } as { [K in keyof TraceNode]: unknown }),
    start,
    ...(end !== undefined && { end, duration: Math.max(0, end - start) }),
    inProgress: !complete,
    orphan: false,
    error: document.error === true,
    fault: document.fault === true,
    throttle: document.throttle === true,
    ...(Object.keys(http).length > 0 && { http }),
    ...(Object.keys(aws).length > 0 && { aws }),
    exceptions: exceptionsOf(document.cause),
    annotations: record(document.annotations),
    metadata: record(document.metadata),
    attributes: {},
    children: [],
  };
}

function firstOf<T>(attributes: Record<string, unknown>, type: 'string' | 'number', ...keys: string[]): T | undefined {
  for (const key of keys) {
    const value = attributes[key];
    if (typeof value === type) return value as T;
    if (type === 'number' && typeof value === 'bigint') return Number(value) as T;
  }
  return undefined;
}

function httpOfSpan(attributes: Record<string, unknown>): TraceNode['http'] {
  const method = firstOf<string>(attributes, 'string', 'http.request.method', 'http.method');
  const url = firstOf<string>(attributes, 'string', 'url.full', 'http.url', 'url.path', 'http.target', 'http.route');
  const status = firstOf<number>(attributes, 'number', 'http.response.status_code', 'http.status_code');
  if (method === undefined && status === undefined) return undefined;
  return {
    ...(method !== undefined && { method }),
    ...(url !== undefined && { url }),
    ...(status !== undefined && { status }),
  };
}

/**
 * @returns the node of an OpenTelemetry span, without its children. A span that failed is an error
 * where its HTTP status is a 4xx, else a fault, as X-Ray has it.
 */
export function nodeOfSpan(span: SpanRecord): TraceNode {
  // Milliseconds as a float keep microseconds until the year 2255; nanoseconds would not fit.
  const start = Number(span.startNanoseconds / 1000n) / 1000;
  const end = Number(span.endNanoseconds / 1000n) / 1000;
  const http = httpOfSpan(span.attributes);
  const user = firstOf<string>(span.attributes, 'string', 'user.id', 'enduser.id');
  const failed = span.status === 'error';
  const ofCaller = http?.status !== undefined && http.status >= 400 && http.status < 500;
  const exceptions = span.events
    .filter(({ name }) => name === 'exception')
    .map(({ attributes }) => ({
      ...(typeof attributes['exception.type'] === 'string' && { type: attributes['exception.type'] }),
      ...(typeof attributes['exception.message'] === 'string' && { message: attributes['exception.message'] }),
      stack: readStack(attributes['exception.stacktrace']),
    }));
  return {
    id: span.spanId,
    ...(span.parentId && { parentId: span.parentId }),
    name: span.name,
    type: 'span',
    sources: [span.source],
    kind: span.kind,
    start,
    end,
    duration: Math.max(0, end - start),
    inProgress: false,
    orphan: false,
    error: failed && ofCaller,
    fault: failed && !ofCaller,
    throttle: http?.status === 429,
    ...(http && { http }),
    ...(user !== undefined && { user }),
    exceptions,
    annotations: {},
    metadata: {},
    attributes: span.attributes,
    ...besideAttributes(span),
    children: [],
  };
}

/** @returns what a span says beside its attributes; nothing for what it does not say. */
function besideAttributes(span: SpanRecord): Partial<TraceNode> {
  const { serviceName, resource, scopeName, scopeVersion, statusMessage, links, sampleRate } = span;
  const { traceState, flags, dropped, context } = span;
  const events = span.events.map(({ timeNanoseconds, ...event }) => ({
    // From the store it comes as the text that JSON made of it.
    time: Number(BigInt(timeNanoseconds) / 1000n) / 1000,
    ...event,
  }));
  return {
    serviceName,
    ...(Object.keys(resource).length > 0 && { resource }),
    ...(scopeName !== undefined && { scopeName }),
    ...(scopeVersion !== undefined && { scopeVersion }),
    ...(statusMessage !== undefined && { statusMessage }),
    ...(events.length > 0 && { events }),
    ...(links.length > 0 && { links }),
    ...(traceState !== undefined && { traceState }),
    ...(flags !== undefined && { flags }),
    ...(dropped !== undefined && { dropped }),
    ...(context !== undefined && { context }),
    ...(sampleRate !== 1 && { sampleRate }),
  };
}

/**
 * @returns one node of the two that X-Ray and OpenTelemetry (or two OpenTelemetry receivers) sent
 * of the same work; times and names are the first one's.
 */
export function mergedNode(one: TraceNode, other: TraceNode): TraceNode {
  const parentId = one.parentId ?? other.parentId;
  const kind = one.kind ?? other.kind;
  const http = one.http || other.http ? { ...other.http, ...one.http } : undefined;
  const user = one.user ?? other.user;
  return {
    ...other,
    ...one,
    ...(parentId && { parentId }),
    ...(kind && { kind }),
    ...(http && { http }),
    ...(user !== undefined && { user }),
    sources: [...new Set([...one.sources, ...other.sources])],
    error: one.error || other.error,
    fault: one.fault || other.fault,
    throttle: one.throttle || other.throttle,
    exceptions: one.exceptions.length > 0 ? one.exceptions : other.exceptions,
    attributes: { ...one.attributes, ...other.attributes },
  };
}
