import { Logger, type LogItem } from '@aws-lambda-powertools/logger';
import type {
  ConstructorOptions,
  LogAttributes,
  LogItemExtraInput,
  LogItemMessage,
} from '@aws-lambda-powertools/logger/types';
import { config } from '../config.ts';
import { currentSpan } from '../context/request-context.ts';
import { currentTraceId, toXrayId } from '../context/trace-id.ts';
import { describeError } from '../errors/describe-error.ts';
import { quietly } from '../quietly.ts';
import { isError } from '../redaction/error-parts.ts';
import { type Plain, sanitize } from '../redaction/sanitize.ts';

/**
 * Powertools' own members of a line, and the one by which CloudWatch recognizes a metric: a caller
 * who chooses what is logged could write metrics. A value logged under one of these names is kept
 * under the name with `_` appended.
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

/** From Powertools' ERROR on, an argument of null is what was thrown. */
const errorLevel = 20;

/** The methods of Powertools' Logger that are made safe. */
interface Unsafe {
  processLogItem(this: Logger, level: number, input: LogItemMessage, extra: LogItemExtraInput): void;
  createAndPopulateLogItem(this: Logger, level: number, input: LogItemMessage, extra: LogItemExtraInput): LogItem;
  createChild(this: Logger, options?: ConstructorOptions): Logger;
  appendKeys(this: Logger, attributes: LogAttributes): void;
  appendPersistentKeys(this: Logger, attributes: LogAttributes): void;
  setPersistentLogAttributes(this: Logger, attributes: LogAttributes): void;
  addContext(this: Logger, context: unknown): void;
}

/**
 * Makes every Powertools Logger of the process safe for any value, a handler's own ones too: each
 * argument is copied to plain JSON, redacted and bounded, so that a line is one valid line of JSON
 * and logging never throws. Every line of a request has its ids.
 */
function makeLoggersSafe(prototype: Unsafe): void {
  const unsafe = { ...methodsOf(prototype) };

  prototype.processLogItem = function safeProcessLogItem(level, input, extra) {
    // Whatever is thrown here is a bug of ours: the request goes on.
    quietly(() => {
      // CloudWatch's line ends at 256 KB, however much is passed.
      const part = 1 / (1 + extra.length);
      unsafe.processLogItem.call(this, level, safeMessage(input, part), [safeExtra(extra, part, level >= errorLevel)]);
    });
  };
  prototype.createAndPopulateLogItem = function joinedLogItem(level, input, extra) {
    const traceId = currentTraceId();
    const ids: LogAttributes = traceId ? { trace_id: traceId, xray_trace_id: toXrayId(traceId) } : {};
    const spanId = currentSpan()?.id;
    if (spanId) ids.span_id = spanId;
    return unsafe.createAndPopulateLogItem.call(this, level, input, extra).addAttributes(ids);
  };
  prototype.createChild = function safeCreateChild(options = {}) {
    const { persistentKeys, persistentLogAttributes, ...others } = options as Record<string, unknown>;
    const keys = renameReserved(sanitize(persistentKeys ?? persistentLogAttributes ?? {}));
    return unsafe.createChild.call(this, { ...others, persistentKeys: keys } as ConstructorOptions);
  };
  for (const name of ['appendKeys', 'appendPersistentKeys', 'setPersistentLogAttributes'] as const) {
    prototype[name] = function safeKeys(attributes) {
      unsafe[name].call(this, renameReserved(sanitize(attributes)) as LogAttributes);
    };
  }
  prototype.addContext = function safeContext(context) {
    quietly(() => unsafe.addContext.call(this, sanitize(context)));
  };
}

function methodsOf(prototype: Unsafe): Unsafe {
  const { processLogItem, createAndPopulateLogItem, createChild } = prototype;
  const { appendKeys, appendPersistentKeys, setPersistentLogAttributes, addContext } = prototype;
  const keys = { appendKeys, appendPersistentKeys, setPersistentLogAttributes };
  return { processLogItem, createAndPopulateLogItem, createChild, ...keys, addContext };
}

/** Known to every copy of this code in a process: it makes the class safe once. */
const mark = Symbol.for('throughline.logger');

function safeMessage(input: unknown, part: number): LogItemMessage {
  const plain = sanitize(input, part);
  if (typeof input === 'string' || typeof plain !== 'object' || plain === null || Array.isArray(plain)) {
    return { message: textOf(plain) };
  }
  // An object's `message` is the line's text, though a field of that name may be secret elsewhere.
  const { message: _, ...rest } = plain;
  const message = textOf(sanitize(messageOf(input), part / 2));
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

/**
 * @returns what was passed beside the message, as one object: objects' members, `error` for errors,
 * `extra` for all else.
 */
function safeExtra(extra: LogItemExtraInput, part: number, isFailure: boolean): LogAttributes {
  const result: Record<string, unknown> = {};
  for (const item of extra as unknown[]) {
    if (item === undefined || item === null) {
      if (isFailure && !('error' in result)) result.error = sanitize(describeError(item));
      continue;
    }
    const plain = sanitize(item, part);
    if (isError(item)) result.error = plain;
    else if (typeof plain === 'object' && plain !== null && !Array.isArray(plain)) {
      Object.assign(result, renameReserved(plain));
    } else result.extra = plain;
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

/**
 * A reader of the output may go away, and Node ends a process whose write fails when nothing
 * listens for the error.
 */
function surviveClosedOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
}

surviveClosedOutput();
if (!(mark in Logger.prototype)) {
  makeLoggersSafe(Logger.prototype as unknown as Unsafe);
  Object.defineProperty(Logger.prototype, mark, { value: true });
}

/**
 * Writes one line of JSON for each call, with `xray_trace_id`, `trace_id` and `span_id`. Lines
 * below the level (debug, at the default level info) are held back, 20 KB a request, and printed
 * only when the request fails.
 */
export const logger: Logger = new Logger({
  serviceName: config.serviceName(),
  logBufferOptions: { enabled: true, bufferAtVerbosity: 'debug', flushOnErrorLog: true, maxBytes: 20_480 },
});
