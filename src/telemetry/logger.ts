import { Logger, type LogItem } from '@aws-lambda-powertools/logger';
import type { LogAttributes, LogItemExtraInput, LogItemMessage } from '@aws-lambda-powertools/logger/types';
import { config } from '../config.ts';
import { toPlain } from './plain.ts';
import { currentSpan } from './request.ts';
import { currentTraceId, toXrayId } from './trace-id.ts';

/** Powertools' own members of a line: a value logged under one of these names is kept under the name with `_` behind. */
const reservedKeys = new Set([
  'level',
  'message',
  'sampling_rate',
  'service',
  'timestamp',
  'trace_id',
  'span_id',
  'xray_trace_id',
]);

/**
 * Powertools' Logger, made safe for any value: what is logged is copied to plain JSON first, redacted and bounded, so that a line is one
 * valid line of JSON whatever it was made of, and logging never throws.
 */
class SafeLogger extends Logger {
  protected override processLogItem(level: number, input: LogItemMessage, extra: LogItemExtraInput): void {
    try {
      super.processLogItem(level, safeMessage(input), [safeExtra(extra)]);
    } catch {
      // A closed stdout, or a bug: the request goes on.
    }
  }

  protected override createAndPopulateLogItem(level: number, input: LogItemMessage, extra: LogItemExtraInput): LogItem {
    const traceId = currentTraceId();
    const ids: LogAttributes = traceId ? { trace_id: traceId, xray_trace_id: toXrayId(traceId) } : {};
    const spanId = currentSpan()?.id;
    if (spanId) ids['span_id'] = spanId;
    return super.createAndPopulateLogItem(level, input, extra).addAttributes(ids);
  }

  override appendKeys(attributes: LogAttributes): void {
    super.appendKeys(renameReserved(toPlain(attributes)) as LogAttributes);
  }
}

function safeMessage(input: LogItemMessage): LogItemMessage {
  if (typeof input === 'string') return String(toPlain(input));
  const { message, ...rest } = (
    typeof input === 'object' && input !== null ? spread(input) : { message: input }
  ) as Record<string, unknown>;
  const text = toPlain(message);
  return {
    ...(renameReserved(toPlain(rest)) as LogAttributes),
    message: typeof text === 'string' ? text : JSON.stringify(text),
  };
}

/** All that was passed beside the message, as one object: members of objects, `error` for errors, `extra` for all else. */
function safeExtra(extra: LogItemExtraInput): LogAttributes {
  const result: Record<string, unknown> = {};
  for (const item of extra as unknown[]) {
    if (item === undefined || item === null) continue;
    const plain = toPlain(item);
    if (isError(item)) result['error'] = plain;
    else if (typeof plain === 'object' && plain !== null && !Array.isArray(plain)) {
      Object.assign(result, renameReserved(plain));
    } else result['extra'] = plain;
  }
  return result as LogAttributes;
}

function renameReserved(plain: unknown): Record<string, unknown> {
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) return { extra: plain };
  return Object.fromEntries(
    Object.entries(plain).map(([key, value]) => [
      reservedKeys.has(key) || key === '__proto__' ? `${key}_` : key,
      value,
    ]),
  );
}

function spread(value: object): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const key of safeKeys(value)) {
    try {
      result[key] = (value as Record<string, unknown>)[key];
    } catch {
      result[key] = '[unreadable]';
    }
  }
  return result;
}

function safeKeys(value: object): string[] {
  try {
    return Object.keys(value);
  } catch {
    return [];
  }
}

function isError(value: unknown): boolean {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}

/**
 * One line of JSON for each call, with `xray_trace_id`, `trace_id` and `span_id`. Lines below the level (debug, with the default level
 * info) are held back, 20 KB a request, and printed only when the request fails.
 */
export const logger: Logger = new SafeLogger({
  serviceName: config.serviceName(),
  logBufferOptions: { enabled: true, bufferAtVerbosity: 'debug', flushOnErrorLog: true, maxBytes: 20_480 },
});
