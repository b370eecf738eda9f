import { isDeepStrictEqual } from 'node:util';
import type { SegmentDocument, SpanRecord } from 'serverless-throughline/testing';
import { spansOf } from './back-end.ts';
import type { Invocation, LambdaHarness } from './lambda-harness.ts';

/** One request from its handler down, as each of the two was sent it. */
export interface Trees {
  xray: SegmentDocument[];
  otel: SpanRecord[];
}

/** @returns both trees of one request, once both are complete. */
export async function treesOf(harness: LambdaHarness, invocation: Invocation): Promise<Trees> {
  const own = (): SegmentDocument[] => harness.subsegments.filter(({ trace_id }) => trace_id === invocation.root);
  for (;;) {
    const otel = (await spansOf(harness.otlp.deliveries)).filter(({ traceId }) => traceId === invocation.traceId);
    if (otel.some(isRoot)) {
      await harness.until(() => own().some(isRoot));
      return { xray: own(), otel };
    }
    await harness.otlp.received(harness.otlp.deliveries.length + 1);
  }
}

function isRoot({ name }: { name: string }): boolean {
  return name.startsWith('## ');
}

/*
 * All that one tree may say and the other not:
 *   - OpenTelemetry's `SampleRate`, which Honeycomb alone reads, and that the layer adds when the request has ended;
 *   - the root's parent: in X-Ray the function's segment, which Lambda sends; in OpenTelemetry none, or the caller's span;
 *   - links to spans of other traces: OpenTelemetry has a place of its own for them, in X-Ray they are metadata `links`;
 *   - X-Ray's `working_directory` of an exception, and that it names the span which saw the exception first instead of telling it again;
 *   - what a subsegment of more than 64 KB is trimmed of, and OpenTelemetry's attributes beyond 128 on a span.
 */
const onlyInOpenTelemetry = new Set(['SampleRate']);

/** X-Ray's own fields of calls, and the attributes that say the same. */
const nativeFields: Record<string, string[]> = {
  'aws.operation': ['aws.operation', 'rpc.method'],
  'aws.region': ['cloud.region'],
  'aws.request_id': ['aws.request_id'],
  'aws.retries': ['aws.retries'],
  'aws.table_name': ['aws.dynamodb.table_names'],
  'aws.table_names': ['aws.dynamodb.table_names'],
  'aws.queue_url': ['aws.sqs.queue.url'],
  'http.request.method': ['http.request.method'],
  'http.request.url': ['url.full'],
  'http.request.traced': ['aws.xray.traced'],
  'http.response.status': ['http.response.status_code'],
  'http.response.content_length': ['http.response.body.size'],
};

const knownMembers =
  /^(name|id|trace_id|parent_id|type|start_time|end_time|namespace|aws|http|annotations|metadata|error|fault|throttle|cause|notTraced)$/;

/**
 * @returns a sentence for each difference between what X-Ray and OpenTelemetry were told of a
 * request: none where they agree.
 */
export function disagreements({ xray, otel }: Trees): string[] {
  const found = [
    ...twice(xray.map(({ id, name }) => `subsegment ${id} ${name}`)),
    ...twice(otel.map(({ spanId, name }) => `span ${spanId} ${name}`)),
  ];
  const subsegments = new Map(xray.map((subsegment) => [subsegment.id, subsegment]));
  const spans = new Map(otel.map((span) => [span.spanId, span]));
  for (const { id, name } of xray) if (!spans.has(id)) found.push(`${name} is not a span`);
  for (const span of otel) {
    const subsegment = subsegments.get(span.spanId);
    if (!subsegment) found.push(`${span.name} is not a subsegment`);
    else {
      const differences = [
        ...places(subsegment, span, subsegments, spans),
        ...attributes(subsegment, span),
        ...natives(subsegment, span),
        ...outcome(subsegment, span),
        ...exceptions(subsegment, span, subsegments),
      ];
      found.push(...differences.map((difference) => `${span.name}: ${difference}`));
    }
  }
  return found;
}

function twice(names: string[]): string[] {
  return names.filter((name, index) => names.indexOf(name) !== index).map((name) => `${name} came twice`);
}

function differs(what: string, xray: unknown, otel: unknown): string[] {
  return isDeepStrictEqual(xray, otel)
    ? []
    : [`${what} is ${JSON.stringify(xray)} in X-Ray, ${JSON.stringify(otel)} in OpenTelemetry`];
}

function places(
  subsegment: SegmentDocument,
  span: SpanRecord,
  subsegments: Map<string, SegmentDocument>,
  spans: Map<string, SpanRecord>,
): string[] {
  const parents = isRoot(span)
    ? [subsegments.get(String(subsegment.parent_id)), spans.get(String(span.parentId))].flatMap((parent) =>
        parent ? [`the root hangs below ${parent.name}`] : [],
      )
    : differs('the parent', subsegment.parent_id, span.parentId);
  const { namespace } = subsegment;
  const isAws = span.attributes['rpc.system'] === 'aws-api';
  const expected = span.kind === 'client' ? (isAws ? 'aws' : 'remote') : undefined;
  const kinds = isRoot(span) ? ['server'] : ['client', 'internal'];
  return [
    ...differs('the name', subsegment.name, span.name),
    ...parents,
    ...(kinds.includes(span.kind) ? [] : [`the kind is ${span.kind}`]),
    ...differs('the namespace that the kind stands for', namespace, expected),
    ...Object.keys(subsegment)
      .filter((member) => !knownMembers.test(member))
      .map((member) => `X-Ray alone has ${member}`),
    ...(span.dropped ? [`OpenTelemetry has dropped ${JSON.stringify(span.dropped)}`] : []),
  ];
}

/**
 * An attribute `key` is metadata `key`, or else the annotation `key` with `_` for all that X-Ray
 * takes in no key of an annotation.
 */
function attributes(subsegment: SegmentDocument, span: SpanRecord): string[] {
  // A namespace is X-Ray's alone: Powertools' tracer gives what it adds the service's name.
  const metadata = new Map(Object.values(subsegment.metadata ?? {}).flatMap((added) => Object.entries(added)));
  const annotations = new Map<string, unknown>(Object.entries(subsegment.annotations ?? {}));
  const found: string[] = [];
  const linked = span.links.map(({ traceId, spanId }) => ({ trace_id: traceId, span_id: spanId }));
  if (linked.length > 0) {
    found.push(...differs('links', metadata.get('links'), linked));
    metadata.delete('links');
  }
  for (const [key, sent] of Object.entries(span.attributes)) {
    // The intake keeps a number exact that JavaScript would round; it was one of JavaScript's.
    const value = typeof sent === 'bigint' ? Number(sent) : sent;
    if (onlyInOpenTelemetry.has(key)) continue;
    const [from, name] = metadata.has(key) ? [metadata, key] : [annotations, key.replace(/[^A-Za-z0-9_]/g, '_')];
    const other = from.get(name);
    const isSame = isDeepStrictEqual(other, value) || (typeof other === 'object' && JSON.stringify(other) === value);
    if (!isSame) found.push(...differs(`the attribute ${key}`, other, value));
    from.delete(name);
  }
  return [
    ...found,
    ...[...metadata.keys()].map((key) => `X-Ray alone has the metadata ${key}`),
    ...[...annotations.keys()].map((key) => `X-Ray alone has the annotation ${key}`),
  ];
}

function natives(subsegment: SegmentDocument, span: SpanRecord): string[] {
  const fields = new Map<string, unknown>([
    ...members('aws', subsegment.aws),
    ...members('http.request', subsegment.http?.request),
    ...members('http.response', subsegment.http?.response),
  ]);
  const found: string[] = [];
  for (const [field, value] of fields) {
    const keys = nativeFields[field];
    if (!keys) found.push(`X-Ray alone has ${field}`);
    const expected = field === 'aws.table_name' ? [value] : value;
    for (const key of keys ?? []) found.push(...differs(`${field} (${key})`, expected, span.attributes[key]));
  }
  if (!subsegment.namespace) return found;
  for (const [field, keys] of Object.entries(nativeFields)) {
    const other = field === 'aws.table_name' ? 'aws.table_names' : 'aws.table_name';
    if (fields.has(field) || (field.startsWith('aws.table_') && fields.has(other))) continue;
    for (const key of keys) if (key in span.attributes) found.push(`X-Ray has no ${field}, and there is a ${key}`);
  }
  return found;
}

function members(prefix: string, of: object | undefined): [string, unknown][] {
  return Object.entries(of ?? {}).map(([key, value]) => [`${prefix}.${key}`, value]);
}

/**
 * X-Ray's flags are what `error.category` says; OpenTelemetry's status is an error for a fault, and
 * in a client for whatever went wrong.
 */
function outcome({ error, fault, throttle }: SegmentDocument, span: SpanRecord): string[] {
  const { 'error.category': category } = span.attributes;
  const failed = category === 'fault' || (category !== undefined && span.kind === 'client');
  return [
    ...differs('fault', fault ?? false, category === 'fault'),
    ...differs('error', error ?? false, category === 'error' || category === 'throttle'),
    ...differs('throttle', throttle ?? false, category === 'throttle'),
    ...differs('the status', failed ? 'error' : 'unset', span.status),
  ];
}

function exceptions(subsegment: SegmentDocument, span: SpanRecord, all: Map<string, SegmentDocument>): string[] {
  const found: string[] = [];
  const inXray = causeOf(subsegment, all).map(({ type, message, stack = [] }) => [type, message, stack.length]);
  const inOtel = span.events.map(({ name, attributes: said }) => {
    if (name !== 'exception') found.push(`OpenTelemetry alone has the event ${name}`);
    const frames = String(said['exception.stacktrace']).split('\n').slice(1);
    // OpenTelemetry's SDK leaves out an empty message.
    return [said['exception.type'], said['exception.message'] ?? '', frames.length];
  });
  // Of several that were thrown, X-Ray's SDK puts the newest first, and OpenTelemetry's the oldest.
  const inOrder = (exceptions: unknown[]): string[] => exceptions.map((exception) => JSON.stringify(exception)).sort();
  return [...found, ...differs('exceptions', inOrder(inXray), inOrder(inOtel))];
}

type Exceptions = NonNullable<Exclude<SegmentDocument['cause'], string | undefined>['exceptions']>;

function causeOf({ cause }: SegmentDocument, all: Map<string, SegmentDocument>): Exceptions {
  if (cause === undefined) return [];
  const { id, exceptions: own = [] } = (typeof cause === 'string' ? { id: cause } : cause) as {
    id?: string;
    exceptions?: Exceptions;
  };
  const first = id === undefined ? undefined : all.get(id);
  return first ? causeOf(first, all) : own;
}
