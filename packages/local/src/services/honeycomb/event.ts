import { attributesOf, isObject, type JsonObject, textOf, toJsonText } from '../../receiver/json.ts';
import type { LogRecord, SpanRecord } from '../../trace/records.ts';
import { readSpanId, readTraceId } from '../../trace/trace-id.ts';

/** Source: Honeycomb's documentation of the Events API, "Limits". */
export const honeycombLimits = { batchBytes: 5_000_000, eventBytes: 1_000_000, stringBytes: 65_535, columns: 2_000 };

/** An event as it arrived: its fields, and what was said about it outside of them. */
export interface HoneycombEvent {
  dataset: string;
  data: JsonObject;
  time?: unknown;
  sampleRate?: unknown;
}

/** Nanoseconds a millisecond has. */
const millisecond = 1_000_000;
/** The year 2262: later times, as nanoseconds, don't fit the store's 64 bits. */
const latestMilliseconds = 9_223_372_036_854;

/**
 * Reads a time: RFC 3339 text, or epoch seconds, milliseconds, microseconds or nanoseconds as a
 * number, a BigInt or text.
 * @returns epoch milliseconds; undefined if `value` is neither, or lies outside of 1970-2262.
 */
export function readTime(value: unknown): number | undefined {
  const milliseconds = epochMilliseconds(value) ?? dateMilliseconds(value);
  return milliseconds !== undefined && milliseconds > 0 && milliseconds <= latestMilliseconds
    ? milliseconds
    : undefined;
}

function epochMilliseconds(value: unknown): number | undefined {
  const number =
    typeof value === 'number' || typeof value === 'bigint' || (typeof value === 'string' && value.trim())
      ? Number(value)
      : Number.NaN;
  if (!Number.isFinite(number)) return undefined;
  if (number < 1e11) return number * 1e3;
  if (number < 1e14) return number;
  return number < 1e17 ? number / 1e3 : number / 1e6;
}

function dateMilliseconds(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const time = Date.parse(value);
  // Date.parse stops at milliseconds.
  const finer = /\.\d{3}(\d{1,6})/.exec(value)?.[1];
  return finer ? time + Number(`0.${finer}`) : time;
}

/** @returns why Honeycomb would not take these fields, or undefined. */
export function unacceptable(data: JsonObject): string | undefined {
  const entries = Object.entries(data);
  if (entries.length === 0) return 'Request body should not be empty';
  if (entries.length > honeycombLimits.columns)
    return `Event has too many columns: more than ${honeycombLimits.columns}`;
  const long = entries.find(
    ([, value]) => typeof value === 'string' && Buffer.byteLength(value) > honeycombLimits.stringBytes,
  );
  return long && `Field "${long[0].slice(0, 100)}" is longer than ${honeycombLimits.stringBytes} bytes`;
}

/** Told by fields of their own in a record. */
const spanFields = new Set(['trace.trace_id', 'trace.span_id', 'trace.parent_id', 'name', 'duration_ms', 'SampleRate']);
const logFields = new Set(['SampleRate']);
const kinds = new Set(['internal', 'server', 'client', 'producer', 'consumer']);

/**
 * Turns an event into a span when it names a trace, itself and how long it took, and into a log
 * record when not: nothing that was accepted is invisible. Honeycomb's own ids are any text; only
 * those of OpenTelemetry's form can be joined to a trace.
 * @throws {RangeError} with a sentence when the time, duration or sample rate is not valid
 */
export function eventRecord(event: HoneycombEvent, receivedMilliseconds: number): SpanRecord | LogRecord {
  const { data, dataset } = event;
  const given = event.time ?? data.timestamp ?? data.Timestamp;
  const start = given === undefined ? receivedMilliseconds : readTime(given);
  if (start === undefined) throw new RangeError(`The time ${toJsonText(given)} is neither RFC 3339 nor an epoch time`);
  const rate = Number(event.sampleRate ?? data.SampleRate ?? 1);
  if (!Number.isFinite(rate) || rate < 0) throw new RangeError('The sample rate is not a positive number');
  const sampleRate = Math.max(1, rate);

  const traceId = readTraceId(data['trace.trace_id']);
  const spanId = readSpanId(data['trace.span_id']);
  const duration = data.duration_ms;
  const serviceName = textOf(data['service.name']) ?? textOf(data.service_name) ?? dataset;
  // Span events and links come as events of their own, with their span's id as parent and none
  // themselves.
  if (!traceId || !spanId || textOf(data['meta.annotation_type'])) {
    return logRecord(event, {
      start,
      sampleRate,
      serviceName,
      traceId,
      spanId: spanId ?? readSpanId(data['trace.parent_id']),
    });
  }
  if (duration !== undefined && (typeof duration !== 'number' || !Number.isFinite(duration) || duration < 0)) {
    throw new RangeError('duration_ms is not a positive number');
  }
  if (start + (duration ?? 0) > latestMilliseconds) throw new RangeError('duration_ms is too large');
  const startNanoseconds = nanoseconds(start);
  const kind = (textOf(data['span.kind']) ?? textOf(data.kind) ?? '').toLowerCase();
  const record: SpanRecord = {
    source: 'honeycomb',
    traceId,
    spanId,
    name: textOf(data.name) ?? '',
    kind: kinds.has(kind) ? (kind as SpanRecord['kind']) : 'unspecified',
    startNanoseconds,
    endNanoseconds: startNanoseconds + BigInt(Math.round((duration ?? 0) * millisecond)),
    status: hasFailed(data) ? 'error' : 'unset',
    serviceName,
    attributes: attributesOf(data, spanFields),
    resource: { 'service.name': serviceName },
    events: [],
    links: [],
    sampleRate,
  };
  const parentId = readSpanId(data['trace.parent_id']);
  if (parentId) record.parentId = parentId;
  const message = textOf(data.status_message);
  if (message) record.statusMessage = message;
  return record;
}

function nanoseconds(milliseconds: number): bigint {
  const whole = Math.floor(milliseconds);
  return BigInt(whole) * BigInt(millisecond) + BigInt(Math.round((milliseconds - whole) * millisecond));
}

function hasFailed(data: JsonObject): boolean {
  const { error } = data;
  if (error !== undefined && error !== null && error !== false && error !== '' && error !== 'false') return true;
  return data.status_code === 2 || data['status.code'] === 'ERROR';
}

interface Told {
  start: number;
  sampleRate: number;
  serviceName: string;
  traceId: string | undefined;
  spanId: string | undefined;
}

function logRecord({ data, dataset }: HoneycombEvent, told: Told): LogRecord {
  const said = textOf(data.message) ?? textOf(data.body) ?? textOf(data.name);
  const record: LogRecord = {
    source: 'honeycomb',
    timeMilliseconds: told.start,
    logGroup: dataset,
    logStream: '',
    message: said ?? toJsonText(data),
    attributes: attributesOf(data, logFields),
    serviceName: told.serviceName,
    sampleRate: told.sampleRate,
  };
  if (told.traceId) record.traceId = told.traceId;
  if (told.traceId && told.spanId) record.spanId = told.spanId;
  const level = textOf(data.level) ?? textOf(data.severity) ?? textOf(data.severity_text);
  if (level) record.level = level.toUpperCase();
  const requestId = textOf(data['faas.invocation_id']) ?? textOf(data.request_id);
  if (requestId) record.requestId = requestId;
  return record;
}

/** @returns whether the record is a span. */
export function isSpan(record: SpanRecord | LogRecord): record is SpanRecord {
  return 'startNanoseconds' in record;
}

/** @returns an element of a batch as an event, or why it is not one. */
export function batchEvent(dataset: string, element: unknown): HoneycombEvent | string {
  if (!isObject(element)) return 'Request body is malformed and cannot be read: each event must be an object';
  if (!isObject(element.data)) return 'Request body should not be empty: an event needs its fields under "data"';
  return { dataset, data: element.data, time: element.time, sampleRate: element.samplerate };
}
