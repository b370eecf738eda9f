import { attributesOf, isObject, type JsonObject, parseJson, textOf } from '../../receiver/json.ts';
import { defaultLimits } from '../../receiver/receiver.ts';
import type { AttributeValue, LogRecord } from '../../trace/records.ts';
import { readSpanId, readTraceId } from '../../trace/trace-id.ts';

/** The fields of a parsed line. */
type Said = Pick<LogRecord, 'level' | 'traceId' | 'spanId' | 'requestId' | 'functionName' | 'attributes'>;

const traceKeys = ['trace_id', 'xray_trace_id', 'traceId', 'xRayTraceId'];
const spanKeys = ['span_id', 'spanId'];
const requestKeys = [
  'function_request_id',
  'requestId',
  'aws_request_id',
  'awsRequestId',
  'AWSRequestId',
  'RequestId',
  'request_id',
];
const levelKeys = ['level', 'severity', 'severity_text', 'logLevel'];
const functionKeys = ['function_name', 'functionName'];

/** pino's numbers. */
const numberedLevels: Record<number, string> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
};

const ownRequestId = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const platformLine = new RegExp(`^(START|END|REPORT) RequestId: (${ownRequestId})`);
const timedOutPattern = new RegExp(`^\\S+ (${ownRequestId}) (?:Task timed out after|Error: )`);
const tabSeparated = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z\t([^\t]*)\t([A-Z]+)\t/;
const levels = new Set(['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']);

/**
 * Fills in what the line itself says: level, trace, span and request id, function and attributes.
 * It understands JSON lines (Powertools' keys, Lambda's JSON format with its `platform.*` records),
 * Lambda's START, END, REPORT and INIT_START lines (attributes under the names of Logs Insights:
 * `@duration`, `@memorySize`, …) and its tab-separated text lines.
 * @returns a record with what was known before kept and the rest added; the same record when the
 *   line says nothing
 */
export function describeLine(record: LogRecord): LogRecord {
  const said = saidBy(record.message);
  if (!said) return record;
  const filled: LogRecord = { ...said, ...withoutUndefined(record) };
  if (said.attributes && record.attributes) filled.attributes = { ...said.attributes, ...record.attributes };
  return filled;
}

function withoutUndefined(record: LogRecord): LogRecord {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as unknown as LogRecord;
}

function saidBy(message: string): Said | undefined {
  const first = message.trimStart()[0];
  if (first === '{') {
    const object = jsonObject(message);
    return object && saidByJson(object);
  }
  const platform = platformLine.exec(message);
  if (platform) return saidByPlatform(message, platform[1] ?? '', platform[2] ?? '');
  if (message.startsWith('INIT_START ')) return { attributes: { '@type': 'INIT_START' } };
  const text = tabSeparated.exec(message);
  if (text) return saidByText(message.slice(text[0].length), text[1] ?? '', text[2] ?? '');
  const timedOut = timedOutPattern.exec(message);
  return timedOut?.[1] ? { level: 'ERROR', requestId: timedOut[1] } : undefined;
}

/** Lines come from programs: one that nests too deep or is no JSON is text. */
function jsonObject(text: string): JsonObject | undefined {
  try {
    const value = parseJson(Buffer.from(text), defaultLimits);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function saidByJson(object: JsonObject): Said {
  const taken = new Set<string>();
  function take<T>(keys: string[], read: (value: unknown) => T | undefined): T | undefined {
    for (const key of keys) {
      const value = Object.hasOwn(object, key) ? read(object[key]) : undefined;
      if (value !== undefined) {
        taken.add(key);
        return value;
      }
    }
    return undefined;
  }
  const said: Said = {};
  const traceId = take(traceKeys, readTraceId);
  if (traceId) said.traceId = traceId;
  // The same id in X-Ray's form says nothing more.
  for (const key of traceKeys) if (readTraceId(object[key]) === traceId && traceId) taken.add(key);
  const spanId = take(spanKeys, readSpanId);
  if (spanId) said.spanId = spanId;
  const requestId = take(requestKeys, textOf);
  if (requestId) said.requestId = requestId;
  const level = take(levelKeys, levelOf);
  if (level) said.level = level;
  const functionName = take(functionKeys, textOf);
  if (functionName) said.functionName = functionName;
  if (isPlatformRecord(object)) addPlatformRecord(said, object.type, object.record);
  const attributes = { ...said.attributes, ...attributesOf(object, taken) };
  if (Object.keys(attributes).length > 0) said.attributes = attributes;
  return said;
}

function levelOf(value: unknown): string | undefined {
  return typeof value === 'number' ? numberedLevels[value] : textOf(value)?.toUpperCase();
}

function isPlatformRecord(object: JsonObject): object is { type: string; record: JsonObject } {
  return typeof object.type === 'string' && object.type.startsWith('platform.') && isObject(object.record);
}

/**
 * Lambda's JSON log format:
 * `{"time","type":"platform.report","record":{"requestId","metrics","tracing"}}`.
 */
function addPlatformRecord(said: Said, type: string, record: JsonObject): void {
  const requestId = textOf(record.requestId);
  if (requestId) said.requestId = requestId;
  const { tracing, metrics } = record;
  if (isObject(tracing)) {
    const traceId = readTraceId(tracing.value);
    if (traceId) said.traceId = traceId;
    const spanId = readSpanId(tracing.spanId);
    if (spanId) said.spanId = spanId;
  }
  const attributes: Record<string, AttributeValue> = { '@type': type.slice('platform.'.length).toUpperCase() };
  if (isObject(metrics)) {
    for (const [name, attribute, factor] of reported) {
      const value = metrics[name];
      if (typeof value === 'number') attributes[attribute] = value * factor;
    }
  }
  said.attributes = attributes;
}

const megabyte = 1_000_000;
/**
 * Of a `platform.report`'s metrics: their names there and in Logs Insights, whose memory is in
 * bytes.
 */
const reported: [metric: string, attribute: string, factor: number][] = [
  ['durationMs', '@duration', 1],
  ['billedDurationMs', '@billedDuration', 1],
  ['initDurationMs', '@initDuration', 1],
  ['restoreDurationMs', '@restoreDuration', 1],
  ['memorySizeMB', '@memorySize', megabyte],
  ['maxMemoryUsedMB', '@maxMemoryUsed', megabyte],
];
/** The same of a REPORT line. */
const reportFields: [label: string, attribute: string, factor: number][] = [
  ['Duration', '@duration', 1],
  ['Billed Duration', '@billedDuration', 1],
  ['Init Duration', '@initDuration', 1],
  ['Restore Duration', '@restoreDuration', 1],
  ['Memory Size', '@memorySize', megabyte],
  ['Max Memory Used', '@maxMemoryUsed', megabyte],
];

function saidByPlatform(message: string, type: string, requestId: string): Said {
  const attributes: Record<string, AttributeValue> = { '@type': type };
  const said: Said = { requestId, attributes };
  if (type !== 'REPORT') return said;
  const fields = new Map<string, string>();
  for (const part of message.split(/[\t\n]/)) {
    const colon = part.indexOf(': ');
    if (colon > 0) fields.set(part.slice(0, colon).trim(), part.slice(colon + 2).trim());
  }
  for (const [label, attribute, factor] of reportFields) {
    const value = Number.parseFloat(fields.get(label) ?? '');
    if (Number.isFinite(value)) attributes[attribute] = value * factor;
  }
  const status = fields.get('Status');
  if (status) attributes.status = status;
  const errorType = fields.get('Error Type');
  if (errorType) attributes.errorType = errorType;
  if (status === 'timeout' || status === 'error' || status === 'failure') said.level = 'ERROR';
  const traceId = readTraceId(fields.get('XRAY TraceId'));
  if (traceId) said.traceId = traceId;
  const segmentId = readSpanId(fields.get('SegmentId'));
  if (segmentId) said.spanId = segmentId;
  const sampled = fields.get('Sampled');
  if (sampled) attributes.sampled = sampled === 'true';
  return said;
}

function saidByText(rest: string, requestId: string, level: string): Said {
  // The last column of an error line, and the whole text of a logger that writes JSON through the
  // console.
  const column = rest.startsWith('{') ? rest : rest.slice(rest.lastIndexOf('\t') + 1);
  const object = column.trimStart().startsWith('{') ? jsonObject(column) : undefined;
  const said: Said = object ? saidByJson(object) : {};
  if (levels.has(level)) said.level ??= level;
  // It is `undefined` while the environment initialises.
  if (requestId && requestId !== 'undefined') said.requestId = requestId;
  return said;
}
