import { randomUUID } from 'node:crypto';
import { HttpError } from '../../http/http-error.ts';
import { isObject, type JsonObject, textOf } from '../../receiver/json.ts';

import type { ErrorRecord } from '../../trace/records.ts';
import { readSpanId, readTraceId } from '../../trace/trace-id.ts';
import { exceptionFingerprint, messageFingerprint, ownFingerprint, type Trace } from './fingerprint.ts';

const levels = new Set(['critical', 'error', 'warning', 'info', 'debug']);
const bodies = ['trace', 'trace_chain', 'message', 'crash_report'];
const titleLength = 255;
const uuidLength = 36;

/**
 * Turns the `data` of an item into an error record.
 * Source: Rollbar's API reference, "Create an item".
 * @throws HttpError 422 that names the first member that Rollbar would not accept
 */
export function errorRecord(data: unknown, receivedMilliseconds: number): ErrorRecord {
  if (!isObject(data)) throw invalid('data must be an object');
  const environment = data.environment;
  if (typeof environment !== 'string' || environment === '') throw invalid('data.environment is required');
  if (environment.length > 255) throw invalid('data.environment is longer than 255 characters');
  const { body } = data;
  if (!isObject(body)) throw invalid('data.body is required');
  const [kind, second] = bodies.filter((name) => body[name] !== undefined && body[name] !== null);
  if (!kind || second) throw invalid(`data.body must hold exactly one of ${bodies.join(', ')}`);
  const level = data.level ?? (kind === 'message' ? 'info' : 'error');
  if (typeof level !== 'string' || !levels.has(level))
    throw invalid(`data.level must be one of ${[...levels].join(', ')}`);

  const { uuid } = data;
  if (typeof uuid === 'string' && uuid.length > uuidLength)
    throw invalid(`data.uuid is longer than ${uuidLength} characters`);

  const traces = tracesOf(kind, body[kind]);
  const message = kind === 'message' ? messageOf(body.message) : undefined;
  const record: ErrorRecord = {
    timeMilliseconds: timeOf(data.timestamp) ?? receivedMilliseconds,
    uuid: textOf(uuid) ?? randomUUID(),
    level,
    title: titleOf(data, traces, message ?? kind),
    fingerprint: fingerprintOf(data, traces, message ?? JSON.stringify(body[kind])),
    environment,
    item: data,
  };
  const person = isObject(data.person) ? textOf(data.person.id) : undefined;
  if (person) record.personId = person;
  const codeVersion =
    textOf(data.code_version) ?? (isObject(data.server) ? textOf(data.server.code_version) : undefined);
  if (codeVersion) record.codeVersion = codeVersion;
  const context = textOf(data.context);
  if (context) record.context = context;
  addIds(record, data);
  addRequest(record, data.request);
  return record;
}

function invalid(reason: string): HttpError {
  return new HttpError(422, `Invalid payload: ${reason}.`);
}

function tracesOf(kind: string, value: unknown): Trace[] {
  if (kind === 'trace') return [traceOf(value, 'data.body.trace')];
  if (kind !== 'trace_chain') return [];
  if (!Array.isArray(value) || value.length === 0) throw invalid('data.body.trace_chain must be a non-empty array');
  return value.map((trace, index) => traceOf(trace, `data.body.trace_chain[${index}]`));
}

function traceOf(value: unknown, place: string): Trace {
  if (!isObject(value)) throw invalid(`${place} must be an object`);
  if (!Array.isArray(value.frames)) throw invalid(`${place}.frames must be an array`);
  const { exception } = value;
  const className = isObject(exception) ? textOf(exception.class) : undefined;
  if (!isObject(exception) || className === undefined) throw invalid(`${place}.exception.class is required`);
  const frames = value.frames.map((frame: unknown, index: number) => {
    const filename = isObject(frame) ? frame.filename : undefined;
    if (!isObject(frame) || typeof filename !== 'string')
      throw invalid(`${place}.frames[${index}].filename is required`);
    return { filename, method: textOf(frame.method) ?? '' };
  });
  return { frames, className, message: textOf(exception.message) ?? '' };
}

function messageOf(value: unknown): string {
  const text = isObject(value) ? value.body : undefined;
  if (typeof text !== 'string') throw invalid('data.body.message.body is required');
  return text;
}

/** Epoch seconds; clients that send milliseconds are understood. */
function timeOf(timestamp: unknown): number | undefined {
  if (typeof timestamp !== 'number' || !Number.isFinite(timestamp) || timestamp <= 0) return undefined;
  return timestamp > 100_000_000_000 ? timestamp : timestamp * 1000;
}

function titleOf(data: JsonObject, traces: Trace[], otherwise: string): string {
  const outermost = traces[0];
  const made = outermost ? [outermost.className, outermost.message].filter(Boolean).join(': ') : otherwise;
  return (textOf(data.title) ?? made).slice(0, titleLength);
}

function fingerprintOf(data: JsonObject, traces: Trace[], message: string): string {
  const own = textOf(data.fingerprint);
  if (own) return ownFingerprint(own);
  if (traces.length === 0) return messageFingerprint(message);
  return exceptionFingerprint(traces, isObject(data.server) ? textOf(data.server.root) : undefined);
}

const traceKeys = ['trace_id', 'traceId', 'xray_trace_id', 'trace.trace_id', 'opentracing_trace_id'];
const spanKeys = ['span_id', 'spanId', 'trace.span_id'];
const requestKeys = ['request_id', 'requestId', 'function_request_id', 'aws_request_id', 'awsRequestId'];

function addIds(record: ErrorRecord, data: JsonObject): void {
  const places = carriers(data);
  for (const place of places) {
    record.traceId ??= first(place, traceKeys, readTraceId);
    record.spanId ??= first(place, spanKeys, readSpanId);
    record.requestId ??= first(place, requestKeys, textOf);
  }
  if (!record.traceId) {
    const headers = isObject(data.request) && isObject(data.request.headers) ? data.request.headers : {};
    for (const [name, value] of Object.entries(headers)) {
      if (name.toLowerCase() === 'x-amzn-trace-id') record.traceId ??= readTraceId(value);
      if (name.toLowerCase() === 'traceparent') record.traceId ??= readTraceId(String(value).split('-')[1]);
    }
  }
  for (const key of ['traceId', 'spanId', 'requestId'] as const) if (record[key] === undefined) delete record[key];
}

/**
 * Where clients put what the program added: `custom`, the `extra` of a body, the item itself, and
 * `attributes`.
 */
function carriers(data: JsonObject): JsonObject[] {
  const body = data.body as JsonObject;
  const chain = Array.isArray(body.trace_chain) ? body.trace_chain : [];
  const candidates: unknown[] = [data.custom];
  for (const part of [body.message, body.trace, ...chain]) if (isObject(part)) candidates.push(part.extra);
  candidates.push(data);
  if (Array.isArray(data.attributes)) {
    candidates.push(Object.fromEntries(data.attributes.filter(isObject).map((pair) => [String(pair.key), pair.value])));
  }
  return candidates.filter(isObject);
}

function first<T>(from: JsonObject, keys: string[], read: (value: unknown) => T | undefined): T | undefined {
  for (const key of keys) {
    const found = Object.hasOwn(from, key) ? read(from[key]) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function addRequest(record: ErrorRecord, request: unknown): void {
  if (!isObject(request)) return;
  const method = textOf(request.method);
  const url = textOf(request.url);
  if (!method && !url) return;
  record.request = {};
  if (method) record.request.method = method;
  if (url) record.request.url = url;
}
