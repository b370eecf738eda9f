import type { SpanRecord } from '../../trace/records.ts';
import { attributes, droppedAttributes, hex, identifier, latestNanoseconds } from './attributes.ts';
import { type BatchContext, scopeOf } from './context.ts';
import type { SignalShape } from './decode.ts';
import { ExportTraceServiceRequestSchema } from './generated/opentelemetry/proto/collector/trace/v1/trace_service_pb.js';
import { type Span, SpanSchema } from './generated/opentelemetry/proto/trace/v1/trace_pb.js';

export const traces: SignalShape<typeof ExportTraceServiceRequestSchema, typeof SpanSchema> = {
  request: ExportTraceServiceRequestSchema,
  item: SpanSchema,
  keys: ['resourceSpans', 'scopeSpans', 'spans'],
  batches: (request) =>
    request.resourceSpans.flatMap((inResource, i) =>
      inResource.scopeSpans.map((inScope, j) => ({
        resource: inResource.resource,
        resourceSchemaUrl: inResource.schemaUrl,
        scope: inScope.scope,
        schemaUrl: inScope.schemaUrl,
        items: inScope.spans,
        place: `resourceSpans[${i}].scopeSpans[${j}].spans`,
      })),
    ),
};

const kinds: SpanRecord['kind'][] = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
const statuses: SpanRecord['status'][] = ['unset', 'ok', 'error'];

/**
 * The names that Honeycomb's OTLP endpoint knows, in this order: the attribute becomes the rate and
 * is no column.
 */
const sampleRates = ['sampleRate', 'SampleRate'];

/** @returns the span as it is kept, or the reason why it cannot be: a short fixed sentence. */
export function spanRecord(span: Span, shared: BatchContext): SpanRecord | string {
  const traceId = identifier(span.traceId, 16);
  if (!traceId) return span.traceId.length === 16 ? 'trace id is all zero' : 'trace id is not 16 bytes';
  const spanId = identifier(span.spanId, 8);
  if (!spanId) return span.spanId.length === 8 ? 'span id is all zero' : 'span id is not 8 bytes';
  if (span.parentSpanId.length !== 0 && span.parentSpanId.length !== 8) return 'parent span id is not 8 bytes';
  const start = span.startTimeUnixNano;
  const end = span.endTimeUnixNano;
  if (start === 0n) return 'start time is missing';
  if (start > latestNanoseconds) return 'start time is negative or no number';
  if (end > latestNanoseconds) return 'end time is negative or no number';
  if (end < start) return 'span ends before it starts';

  const maximum = shared.maximumAttributes;
  const record: SpanRecord = {
    source: 'otlp',
    traceId,
    spanId,
    name: span.name,
    kind: kinds[span.kind] ?? 'unspecified',
    startNanoseconds: start,
    endNanoseconds: end,
    status: statuses[span.status?.code ?? 0] ?? 'unset',
    serviceName: shared.serviceName,
    ...scopeOf(shared),
    attributes: attributes(span.attributes, maximum),
    resource: shared.resource,
    events: [],
    links: [],
    sampleRate: 1,
  };
  // SDKs in some languages send a root's parent as eight zero bytes.
  const parentId = identifier(span.parentSpanId, 8);
  if (parentId) record.parentId = parentId;
  if (span.status?.message) record.statusMessage = span.status.message;
  if (span.traceState) record.traceState = span.traceState;
  if (span.flags) record.flags = span.flags;
  takeSampleRate(record);
  const eventsOutOfRange = addEvents(record, span, maximum);
  const linksWithoutId = addLinks(record, span, maximum);
  const dropped: NonNullable<SpanRecord['dropped']> = {};
  const missing = droppedAttributes(span.attributes, span.droppedAttributesCount, maximum);
  if (missing) dropped.attributes = missing;
  if (span.droppedEventsCount + eventsOutOfRange > 0) dropped.events = span.droppedEventsCount + eventsOutOfRange;
  if (span.droppedLinksCount + linksWithoutId > 0) dropped.links = span.droppedLinksCount + linksWithoutId;
  if (dropped.attributes || dropped.events || dropped.links) record.dropped = dropped;
  return record;
}

/**
 * A rate is a whole number there: text is read, fractions are rounded, and anything that is not a rate, or
 * below 1, is 1.
 */
function takeSampleRate(record: { attributes: SpanRecord['attributes']; sampleRate: number }): void {
  const name = sampleRates.find((key) => Object.hasOwn(record.attributes, key));
  if (name === undefined) return;
  const value = record.attributes[name];
  const rate = typeof value === 'number' || typeof value === 'string' ? Math.round(Number(value)) : 1;
  record.sampleRate = Number.isFinite(rate) ? Math.max(1, rate) : 1;
  delete record.attributes[name];
}

function addEvents(record: SpanRecord, span: Span, maximum: number): number {
  for (const event of span.events) {
    if (event.timeUnixNano > latestNanoseconds) continue;
    const kept: SpanRecord['events'][number] = {
      timeNanoseconds: event.timeUnixNano,
      name: event.name,
      attributes: attributes(event.attributes, maximum),
    };
    const missing = droppedAttributes(event.attributes, event.droppedAttributesCount, maximum);
    if (missing) kept.droppedAttributes = missing;
    record.events.push(kept);
  }
  return span.events.length - record.events.length;
}

function addLinks(record: SpanRecord, span: Span, maximum: number): number {
  for (const link of span.links) {
    const traceId = identifier(link.traceId, 16);
    if (!traceId || link.spanId.length !== 8) continue;
    // A link to a whole trace (an X-Ray root without a segment) has a span id of zeros.
    const kept: SpanRecord['links'][number] = {
      traceId,
      spanId: hex(link.spanId),
      attributes: attributes(link.attributes, maximum),
    };
    if (link.traceState) kept.traceState = link.traceState;
    if (link.flags) kept.flags = link.flags;
    const missing = droppedAttributes(link.attributes, link.droppedAttributesCount, maximum);
    if (missing) kept.droppedAttributes = missing;
    record.links.push(kept);
  }
  return span.links.length - record.links.length;
}
