import type { TraceLog } from '../trace/trace.ts';
import { inline } from './node.ts';
import type { Style } from './style.ts';

export interface CondensedLog {
  /** At most five letters, upper case; empty for a line of the platform. */
  level: string;
  style: Style;
  text: string;
  /**
   * metric: in CloudWatch's embedded format, so told as a metric too; boundary: START and END,
   * which the waterfall shows.
   */
  kind: 'line' | 'metric' | 'boundary';
}

/**
 * Fields that every line of a structured logger repeats; the reader wants the message and
 * the service added.
 */
const repeated = new Set([
  ...[
    'level',
    'message',
    'msg',
    'timestamp',
    'time',
    'service',
    'sampling_rate',
    'cold_start',
    'xray_trace_id',
    'trace_id',
  ],
  ...['span_id', 'trace_flags', 'requestId', 'request_id', 'function_arn', 'function_memory_size', 'function_name'],
  ...['function_request_id', 'function_version', 'tenant_id', 'pid', 'hostname', 'stack', 'stackTrace'],
]);

const levels: Record<string, { level: string; style: Style }> = {
  TRACE: { level: 'TRACE', style: 'dim' },
  DEBUG: { level: 'DEBUG', style: 'dim' },
  INFO: { level: 'INFO', style: 'plain' },
  WARN: { level: 'WARN', style: 'warning' },
  WARNING: { level: 'WARN', style: 'warning' },
  ERROR: { level: 'ERROR', style: 'bad' },
  FATAL: { level: 'FATAL', style: 'bad' },
  CRITICAL: { level: 'FATAL', style: 'bad' },
};

function structured(message: string): Record<string, unknown> | undefined {
  if (!message.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(message);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Lambda's own lines, as text: https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html */
const platform = /^(INIT_START|START|END|REPORT)\b/;

/** What Lambda's runtime puts before the text of console.log: time, request id, level. */
const runtimePrefix = /^\d{4}-\d\d-\d\dT[\d:.]+Z\t[^\t]*\t(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\t/;

/**
 * @returns a log line of any form as level and text: a structured one by its message and what the
 * service added, `key=value`.
 */
export function condense(log: TraceLog): CondensedLog {
  const prefix = runtimePrefix.exec(log.message);
  const message = log.message.slice(prefix?.[0].length ?? 0);
  const fields = structured(message);
  const level = text(fields?.level) ?? prefix?.[1] ?? log.level ?? '';
  const known = levels[level.toUpperCase()] ?? { level: level.slice(0, 5).toUpperCase(), style: 'plain' as const };
  if (!fields) {
    if (!platform.test(message)) return { ...known, text: withAttributes(plainLine(message), log), kind: 'line' };
    const kind = /^(START|END)\b/.test(message) ? 'boundary' : 'line';
    return { level: '', style: 'dim', text: platformLine(message), kind };
  }
  if (text(fields.type)?.startsWith('platform.')) {
    return { level: '', style: 'dim', text: `${fields.type} ${inline(fields.record ?? '')}`, kind: 'line' };
  }
  const added = Object.entries(fields).filter(([key, value]) => !repeated.has(key) && key !== '_aws' && value !== null);
  const pairs = added.map(([key, value]) => `${key}=${inline(value)}`).join(' ');
  const said = text(fields.message) ?? text(fields.msg) ?? '';
  return { ...known, text: [said, pairs].filter(Boolean).join('  '), kind: '_aws' in fields ? 'metric' : 'line' };
}

/**
 * A record of OTLP or Honeycomb says in attributes what a line of JSON says in itself; its
 * exception comes first.
 */
function withAttributes(message: string, { attributes = {}, serviceName, eventName }: TraceLog): string {
  if (serviceName === undefined) return message;
  const { 'exception.type': type, 'exception.message': thrown, 'exception.stacktrace': _, ...others } = attributes;
  const exception = [text(type), text(thrown)].filter(Boolean).join(': ');
  const event = eventName && eventName !== message ? [`event.name=${eventName}`] : [];
  const pairs = Object.entries(others).map(([key, value]) => `${key}=${inline(value)}`);
  return [message, exception, [...event, ...pairs].join(' ')].filter(Boolean).join('  ');
}

/**
 * A line that ends in an object, as Lambda's `Invoke Error` does: the error by its type and
 * message, what is told in the tree left out.
 */
function plainLine(message: string): string {
  const [, said, object] = /^([^\t{]*?)\s*\t(\{.*\})\s*$/s.exec(message) ?? [];
  const fields = object === undefined ? undefined : structured(object);
  if (!fields) return message;
  const { errorType, errorMessage } = fields;
  const error =
    typeof errorMessage === 'string' ? [errorType, errorMessage].filter(Boolean).join(': ') : inline(fields);
  return `${said}  ${error}`;
}

/**
 * The ids of a platform line are the trace's own, and what is left of REPORT is what was used of
 * what there was.
 */
function platformLine(message: string): string {
  const value = (name: string) => new RegExp(`\\t${name}: ([\\d.]+) (?:ms|MB)`).exec(`\t${message}`)?.[1];
  const [used, size, init] = [value('Max Memory Used'), value('Memory Size'), value('Init Duration')];
  const short = message.replace(/\s*(RequestId|XRAY TraceId|SegmentId|Sampled|Runtime Version ARN): \S+/g, '');
  const took = /^REPORT\b.*?\bDuration: ([\d.]+) ms/s.exec(short)?.[1];
  if (!message.startsWith('REPORT') || took === undefined) return short;
  const memory = used && size ? `, ${used} of ${size} MB used` : '';
  const status = /\bStatus: (\S+)/.exec(message)?.[1];
  return `REPORT ${took} ms${init ? `, init ${init} ms` : ''}${memory}${status ? `, ${status}` : ''}`;
}

function text(value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : inline(value);
}
