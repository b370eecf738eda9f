import { Logger, type LogItem } from '@aws-lambda-powertools/logger';
import type {
  ConstructorOptions,
  LogAttributes,
  LogItemExtraInput,
  LogItemMessage,
} from '@aws-lambda-powertools/logger/types';
import type { Context } from 'aws-lambda';
import { config } from '../config.ts';
import { surviveClosedOutput } from './output.ts';
import { type Plain, toPlain } from './plain.ts';
import { currentSpan } from './request.ts';
import { quietly } from './span.ts';
import { currentTraceId, toXrayId } from './trace-id.ts';

/**
 * Powertools' own members of a line, and the one by which CloudWatch knows a metric: whoever chooses what is logged could write metrics. A
 * value logged under one of these names is kept under the name with `_` behind.
 */
const reservedKeys = new Set([
  '_aws',
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
 * valid line of JSON whatever it was made of, and logging never throws. So are the loggers that are made of this one.
 */
class SafeLogger extends Logger {
  protected override processLogItem(level: number, input: LogItemMessage, extra: LogItemExtraInput): void {
    try {
      // CloudWatch's line ends at 256 KB, whatever has been passed.
      const part = 1 / (1 + extra.length);
      super.processLogItem(level, safeMessage(input, part), [safeExtra(extra, part)]);
    } catch {
      // A bug: the request goes on.
    }
  }

  protected override createAndPopulateLogItem(level: number, input: LogItemMessage, extra: LogItemExtraInput): LogItem {
    const traceId = currentTraceId();
    const ids: LogAttributes = traceId ? { trace_id: traceId, xray_trace_id: toXrayId(traceId) } : {};
    const spanId = currentSpan()?.id;
    if (spanId) ids['span_id'] = spanId;
    return super.createAndPopulateLogItem(level, input, extra).addAttributes(ids);
  }

  override createChild(options: ConstructorOptions = {}): Logger {
    const { persistentKeys, persistentLogAttributes, ...others } = options as Record<string, unknown>;
    const keys = renameReserved(toPlain(persistentKeys ?? persistentLogAttributes ?? {}));
    return super.createChild({ ...others, persistentKeys: keys } as ConstructorOptions);
  }

  protected override createLogger(options?: ConstructorOptions): Logger {
    return new SafeLogger(options);
  }

  override appendKeys(attributes: LogAttributes): void {
    super.appendKeys(renameReserved(toPlain(attributes)) as LogAttributes);
  }

  override appendPersistentKeys(attributes: LogAttributes): void {
    super.appendPersistentKeys(renameReserved(toPlain(attributes)) as LogAttributes);
  }

  override setPersistentLogAttributes(attributes: LogAttributes): void {
    super.setPersistentLogAttributes(renameReserved(toPlain(attributes)) as LogAttributes);
  }

  override addContext(context: Context): void {
    quietly(() => super.addContext(toPlain(context) as unknown as Context));
  }
}

function safeMessage(input: unknown, part: number): LogItemMessage {
  const plain = toPlain(input, part);
  if (typeof input === 'string' || typeof plain !== 'object' || plain === null || Array.isArray(plain)) {
    return { message: textOf(plain) };
  }
  // Of an object the text is what it calls its message, which is a secret under any other roof.
  const { message: _, ...rest } = plain;
  const message = textOf(toPlain(messageOf(input), part / 2));
  return isError(input) ? { message, error: { ...rest, message } } : { ...renameReserved(rest), message };
}

function textOf(plain: Plain): string {
  return typeof plain === 'string' ? plain : JSON.stringify(plain);
}

function messageOf(value: unknown): unknown {
  try {
    return (value as { message?: unknown }).message;
  } catch {
    return '[unreadable]';
  }
}

/** All that was passed beside the message, as one object: members of objects, `error` for errors, `extra` for all else. */
function safeExtra(extra: LogItemExtraInput, part: number): LogAttributes {
  const result: Record<string, unknown> = {};
  for (const item of extra as unknown[]) {
    if (item === undefined || item === null) continue;
    const plain = toPlain(item, part);
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

function isError(value: unknown): boolean {
  try {
    return value instanceof Error;
  } catch {
    return false;
  }
}

surviveClosedOutput();

/**
 * One line of JSON for each call, with `xray_trace_id`, `trace_id` and `span_id`. Lines below the level (debug, with the default level
 * info) are held back, 20 KB a request, and printed only when the request fails.
 */
export const logger: Logger = new SafeLogger({
  serviceName: config.serviceName(),
  logBufferOptions: { enabled: true, bufferAtVerbosity: 'debug', flushOnErrorLog: true, maxBytes: 20_480 },
});
