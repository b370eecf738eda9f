import { HttpError } from '../../../http/http-error.ts';
import { isObject } from '../../../receiver/json.ts';

const maximumEvents = 10_000;
const maximumBytes = 1_048_576;
/** What CloudWatch adds to the size of each event. */
const eventOverheadBytes = 26;
const hour = 3_600_000;
const day = 24 * hour;
const oldest = 14 * day;
const newest = 2 * hour;

export interface InputLogEvent {
  timestamp: number;
  message: string;
}

/**
 * As PutLogEvents answers: what is too old ends before one index, what is too new begins at
 * another.
 */
export interface RejectedLogEventsInfo {
  tooNewLogEventStartIndex?: number;
  tooOldLogEventEndIndex?: number;
}

/**
 * Checks a batch as PutLogEvents does.
 * Source: Amazon CloudWatch Logs API Reference, "PutLogEvents".
 * @returns the events to keep, and which were not
 * @throws HttpError InvalidParameterException when the batch as a whole is not acceptable
 */
export function checkLogEvents(
  value: unknown,
  nowMilliseconds: number,
): { accepted: InputLogEvent[]; rejected: RejectedLogEventsInfo | undefined; rejectedCount: number } {
  const events = readEvents(value);
  let bytes = 0;
  for (const [index, event] of events.entries()) {
    bytes += Buffer.byteLength(event.message) + eventOverheadBytes;
    const previous = events[index - 1];
    if (previous && previous.timestamp > event.timestamp) {
      throw invalid('Log events in a single PutLogEvents request must be in chronological order.');
    }
  }
  if (bytes > maximumBytes) throw invalid(`Upload too large: ${bytes} bytes exceeds limit of ${maximumBytes}`);
  const first = events[0]?.timestamp ?? 0;
  const last = events.at(-1)?.timestamp ?? 0;
  if (last - first > day) {
    throw invalid('The batch of log events in a single PutLogEvents request cannot span more than 24 hours.');
  }
  const tooOld = events.filter((event) => event.timestamp < nowMilliseconds - oldest).length;
  const tooNew = events.filter((event) => event.timestamp > nowMilliseconds + newest).length;
  const rejected: RejectedLogEventsInfo = {};
  if (tooOld) rejected.tooOldLogEventEndIndex = tooOld;
  if (tooNew) rejected.tooNewLogEventStartIndex = events.length - tooNew;
  return {
    accepted: events.slice(tooOld, events.length - tooNew),
    rejected: tooOld || tooNew ? rejected : undefined,
    rejectedCount: tooOld + tooNew,
  };
}

function invalid(message: string): HttpError {
  return new HttpError(400, message, 'InvalidParameterException');
}

function readEvents(value: unknown): InputLogEvent[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > maximumEvents) {
    throw invalid(`'logEvents' must be a list of 1 to ${maximumEvents} log events.`);
  }
  return value.map((event: unknown, index) => {
    const { timestamp, message } = isObject(event) ? event : {};
    if (typeof timestamp !== 'number' || !Number.isInteger(timestamp) || timestamp < 0) {
      throw invalid(`'logEvents.${index + 1}.member.timestamp' must be a number of milliseconds, not below 0.`);
    }
    if (typeof message !== 'string' || message === '') {
      throw invalid(`'logEvents.${index + 1}.member.message' must have a length of at least 1.`);
    }
    return { timestamp, message };
  });
}
