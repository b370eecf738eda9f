import { IntakeError } from '../http.ts';
import { isObject } from '../json.ts';

const MAXIMUM_EVENTS = 10_000;
const MAXIMUM_BYTES = 1_048_576;
/** What CloudWatch adds to the size of each event. */
const EVENT_OVERHEAD_BYTES = 26;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const OLDEST = 14 * DAY;
const NEWEST = 2 * HOUR;

export interface InputLogEvent {
  timestamp: number;
  message: string;
}

/** As PutLogEvents answers: what is too old ends before one index, what is too new begins at another. */
export interface RejectedLogEventsInfo {
  tooNewLogEventStartIndex?: number;
  tooOldLogEventEndIndex?: number;
}

/**
 * Checks a batch as PutLogEvents does.
 * Source: Amazon CloudWatch Logs API Reference, "PutLogEvents".
 * @returns the events to keep, and which were not
 * @throws IntakeError InvalidParameterException when the batch as a whole is not acceptable
 */
export function checkLogEvents(
  value: unknown,
  nowMilliseconds: number,
): { accepted: InputLogEvent[]; rejected: RejectedLogEventsInfo | undefined; rejectedCount: number } {
  const events = readEvents(value);
  let bytes = 0;
  for (const [index, event] of events.entries()) {
    bytes += Buffer.byteLength(event.message) + EVENT_OVERHEAD_BYTES;
    const previous = events[index - 1];
    if (previous && previous.timestamp > event.timestamp) {
      throw invalid('Log events in a single PutLogEvents request must be in chronological order.');
    }
  }
  if (bytes > MAXIMUM_BYTES) throw invalid(`Upload too large: ${bytes} bytes exceeds limit of ${MAXIMUM_BYTES}`);
  const first = events[0]?.timestamp ?? 0;
  const last = events.at(-1)?.timestamp ?? 0;
  if (last - first > DAY) {
    throw invalid('The batch of log events in a single PutLogEvents request cannot span more than 24 hours.');
  }
  const tooOld = events.filter((event) => event.timestamp < nowMilliseconds - OLDEST).length;
  const tooNew = events.filter((event) => event.timestamp > nowMilliseconds + NEWEST).length;
  const rejected: RejectedLogEventsInfo = {};
  if (tooOld) rejected.tooOldLogEventEndIndex = tooOld;
  if (tooNew) rejected.tooNewLogEventStartIndex = events.length - tooNew;
  return {
    accepted: events.slice(tooOld, events.length - tooNew),
    rejected: tooOld || tooNew ? rejected : undefined,
    rejectedCount: tooOld + tooNew,
  };
}

function invalid(message: string): IntakeError {
  return new IntakeError(400, message, 'InvalidParameterException');
}

function readEvents(value: unknown): InputLogEvent[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAXIMUM_EVENTS) {
    throw invalid(`'logEvents' must be a list of 1 to ${MAXIMUM_EVENTS} log events.`);
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
