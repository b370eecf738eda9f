import type { LogEvent } from '../../../store/log-events.ts';
import { localAccount } from '../logs/input.ts';
import type { Value } from './query.ts';

/** Source: Amazon CloudWatch Logs User Guide, "Supported logs and discovered fields". */
const mostFields = 200;
const deepest = 20;

/**
 * @returns the fields that Logs Insights discovers in an event: its own, Lambda's, and those of
 *   JSON by their paths, such as `event.route` and `items.0`. Of a line that is not JSON as a whole,
 *   the first JSON object in it counts, as in Lambda's logs.
 */
export function eventFields(event: LogEvent): Map<string, Value> {
  const { time, logGroup, logStream, message, requestId, attributes, sequence } = event;
  const fields = new Map<string, Value>([
    ['@timestamp', Math.floor(time)],
    ['@ingestionTime', Math.floor(time)],
    ['@message', message],
    ['@logStream', logStream],
    ['@log', `${localAccount}:${logGroup}`],
    ['@ptr', pointerOf(logGroup, sequence)],
  ]);
  if (requestId !== undefined) fields.set('@requestId', requestId);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith('@') && !fields.has(name)) fields.set(name, plain(value));
  }
  const document = jsonIn(message);
  if (document !== undefined) flatten(document, '', 0, fields);
  return fields;
}

/** @returns the text by which GetLogRecord would name an event. */
function pointerOf(logGroup: string, sequence: bigint): string {
  return Buffer.from(`${logGroup}/${sequence}`).toString('base64url');
}

function jsonIn(message: string): object | undefined {
  const [start, end] = [message.indexOf('{'), message.lastIndexOf('}')];
  if (start < 0 || end < start) return undefined;
  try {
    const value: unknown = JSON.parse(message.slice(start, end + 1));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function flatten(value: object, prefix: string, depth: number, fields: Map<string, Value>): void {
  for (const [key, inner] of Object.entries(value)) {
    if (fields.size >= mostFields) return;
    const name = prefix === '' ? key : `${prefix}.${key}`;
    if (inner !== null && typeof inner === 'object') {
      if (depth < deepest) flatten(inner, name, depth + 1, fields);
    } else if (inner !== null && !fields.has(name)) fields.set(name, plain(inner));
  }
}

function plain(value: unknown): Value {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return value === null || value === undefined ? undefined : String(value);
}
