import type { DuckDBValue } from '@duckdb/node-api';
import type { AttributeValue } from '../trace/records.ts';
import type { Reader } from './reader.ts';
import type { SqlRow } from './rows.ts';

/** A place in the order of time; `sequence` parts events of one millisecond by their arrival. */
export interface LogPosition {
  time: number;
  sequence: bigint;
}

/** A line as CloudWatch Logs has it. */
export interface LogEvent extends LogPosition {
  logGroup: string;
  logStream: string;
  message: string;
  requestId?: string;
  attributes?: Record<string, AttributeValue>;
}

/** Selects lines of log groups; times are epoch milliseconds. */
export interface LogEventRange {
  groups: readonly string[];
  /** Only these streams. */
  streams?: readonly string[];
  /** Only streams whose name begins so. */
  streamPrefix?: string;
  /** The first and the last millisecond. */
  from?: number;
  to?: number;
  /** Continues behind this event, in the direction of reading. */
  after?: LogPosition;
  /** Reads from the newest event on. */
  descending?: boolean;
  limit: number;
}

/** A log stream's counts and times, in epoch milliseconds. */
export interface LogStreamSummary {
  logGroup: string;
  logStream: string;
  first: number;
  last: number;
  /** Of the messages in UTF-8, with the 26 bytes that CloudWatch Logs adds to each. */
  bytes: number;
}

/** Reads what CloudWatch Logs would have: lines of functions, and of PutLogEvents. */
export interface LogReads {
  /** @returns the events of a range in the order of time, at most `limit` of them. */
  logEvents(range: LogEventRange): Promise<LogEvent[]>;
  /** @returns every log stream with a line, by group and name. */
  logStreams(group?: string): Promise<LogStreamSummary[]>;
}

/** OTLP's and Honeycomb's records go elsewhere on AWS. */
const isLogEvent = `source IN ('function', 'cloudwatch')`;

/** @returns the events of a range in the order of time. */
export async function readLogEvents(reader: Reader, range: LogEventRange): Promise<LogEvent[]> {
  if (range.groups.length === 0 || range.streams?.length === 0) return [];
  const values: DuckDBValue[] = [];
  const bind = (value: DuckDBValue) => `$${values.push(value)}`;
  const list = (names: readonly string[]) => names.map(bind).join(', ');
  const conditions = [isLogEvent, `log_group IN (${list(range.groups)})`];
  if (range.streams) conditions.push(`log_stream IN (${list(range.streams)})`);
  if (range.streamPrefix) conditions.push(`starts_with(log_stream, ${bind(range.streamPrefix)})`);
  if (range.from !== undefined) conditions.push(`time >= ${bind(range.from)}::DOUBLE`);
  if (range.to !== undefined) conditions.push(`time < ${bind(range.to + 1)}::DOUBLE`);
  if (range.after) {
    const beyond = range.descending ? '<' : '>';
    const time = `${bind(range.after.time)}::DOUBLE`;
    const sequence = `${bind(range.after.sequence)}::BIGINT`;
    conditions.push(`(time ${beyond} ${time} OR (time = ${time} AND sequence ${beyond} ${sequence}))`);
  }
  const direction = range.descending ? 'DESC' : 'ASC';
  const found = await reader.rows(
    `SELECT sequence, time, log_group, log_stream, message, request_id, attributes FROM logs
     WHERE ${conditions.join(' AND ')} ORDER BY time ${direction}, sequence ${direction} LIMIT ${bind(range.limit)}::INTEGER`,
    values,
  );
  return found.map(logEvent);
}

function logEvent(row: SqlRow): LogEvent {
  const attributes = row.attributes === null ? undefined : attributesOf(String(row.attributes));
  return {
    sequence: row.sequence as bigint,
    time: Number(row.time),
    logGroup: String(row.log_group),
    logStream: String(row.log_stream),
    message: String(row.message),
    ...(row.request_id !== null && { requestId: String(row.request_id) }),
    ...(attributes && { attributes }),
  };
}

/** A line is shown whatever became of its attributes. */
function attributesOf(json: string): Record<string, AttributeValue> | undefined {
  try {
    return JSON.parse(json) as Record<string, AttributeValue>;
  } catch {
    return undefined;
  }
}

/** @returns every log stream with a line, by group and name. */
export async function readLogStreams(reader: Reader, group?: string): Promise<LogStreamSummary[]> {
  const found = await reader.rows(
    `SELECT log_group, log_stream, min(time) AS first, max(time) AS last, sum(strlen(message) + 26) AS bytes
     FROM logs WHERE ${isLogEvent} ${group === undefined ? '' : 'AND log_group = $1'}
     GROUP BY log_group, log_stream ORDER BY log_group, log_stream`,
    group === undefined ? [] : [group],
  );
  return found.map((row) => ({
    logGroup: String(row.log_group),
    logStream: String(row.log_stream),
    first: Number(row.first),
    last: Number(row.last),
    bytes: Number(row.bytes),
  }));
}
