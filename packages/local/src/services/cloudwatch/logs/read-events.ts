import type { JsonObject } from '../../../receiver/json.ts';
import type { LogEvent, LogPosition, LogReads } from '../../../store/log-events.ts';
import { bounded, WorkTimeout } from '../bounded.ts';
import type { FilterPattern } from '../filter-pattern/pattern.ts';
import { SyntaxProblem } from '../syntax.ts';
import {
  groupName,
  invalidParameter,
  type Operations,
  optionalInteger,
  optionalRange,
  optionalText,
  optionalTexts,
  requestMark,
  streamName,
} from './input.ts';
import type { LogGroups } from './log-groups.ts';

/** Of one answer. Source: Amazon CloudWatch Logs API Reference, "FilterLogEvents". */
const mostEvents = 10_000;
const mostBytes = 1_048_576;
const eventOverheadBytes = 26;
const mostStreams = 100;

/** Lines that are read at once; a line has up to 256 KB. */
const eventsAtOnce = 500;

/** A page that finds little comes back with a token after this time, as AWS's does. */
const searchMilliseconds = 2_000;
/** The main thread is held no longer than this by the events that are read at once. */
const partMilliseconds = 500;

/** FilterLogEvents and GetLogEvents, over what the store has. */
export function readOperations(reads: LogReads, groups: LogGroups): Operations {
  return {
    async FilterLogEvents(input) {
      const group = groupName(input);
      const streams = optionalTexts(input, 'logStreamNames', 1, mostStreams);
      const streamPrefix = optionalText(input, 'logStreamNamePrefix');
      if (streams && streamPrefix !== undefined)
        throw invalidParameter('Give logStreamNames or logStreamNamePrefix, not both.');
      const range = optionalRange(input);
      const limit = optionalInteger(input, 'limit', 1, mostEvents) ?? mostEvents;
      const pattern = optionalText(input, 'filterPattern') ?? '';
      const fits = await matcherOf(pattern);
      await groups.group(group);
      for (const name of streams ?? []) await groups.stream(group, name);
      const mark = requestMark([group, streams, streamPrefix, range, pattern]);
      const query = { groups: [group], ...(streams && { streams }), ...(streamPrefix && { streamPrefix }), ...range };
      const found = new Page(limit);
      const deadline = performance.now() + searchMilliseconds;
      let after = readToken(optionalText(input, 'nextToken'), mark);
      for (;;) {
        const events = await reads.logEvents({ ...query, ...(after && { after }), limit: eventsAtOnce });
        const isFull = boundedSearch(() => {
          for (const event of events) {
            if (fits(event.message) && !found.add(event)) return true;
            after = event;
          }
          return false;
        });
        if (isFull) return filtered(found, writeToken(after, mark));
        if (events.length < eventsAtOnce) return filtered(found, undefined);
        if (performance.now() > deadline) return filtered(found, writeToken(after, mark));
      }
    },

    async GetLogEvents(input) {
      const group = groupName(input);
      const stream = await groups.stream(group, streamName(input));
      const { from, to } = optionalRange(input);
      const limit = optionalInteger(input, 'limit', 1, mostEvents) ?? mostEvents;
      const token = readPlace(optionalText(input, 'nextToken'));
      const isForward = token ? token.isForward : input.startFromHead === true;
      const query = {
        groups: [group],
        streams: [stream.name],
        ...(from !== undefined && { from }),
        // Its endTime is not part of the range, unlike that of FilterLogEvents.
        ...(to !== undefined && { to: to - 1 }),
        ...(token && { after: token.position }),
        descending: !isForward,
      };
      const found = new Page(limit);
      let after: LogPosition | undefined;
      for (;;) {
        const events = await reads.logEvents({ ...query, ...(after && { after }), limit: eventsAtOnce });
        const isFull = events.some((event) => !found.add(event));
        after = events.at(-1);
        if (isFull || events.length < eventsAtOnce) break;
      }
      const events = isForward ? found.events : found.events.reverse();
      const start = token?.position ?? { time: from ?? 0, sequence: 0n };
      return {
        events: events.map(({ time, message }) => ({
          timestamp: Math.floor(time),
          message,
          ingestionTime: Math.floor(time),
        })),
        nextForwardToken: writePlace('f', events.at(-1) ?? start),
        nextBackwardToken: writePlace('b', events[0] ?? start),
      };
    },
  };
}

/** @throws HttpError for a regular expression that backtracks for too long. */
function boundedSearch(search: () => boolean): boolean {
  try {
    return bounded(search, partMilliseconds);
  } catch (error) {
    if (error instanceof WorkTimeout) throw invalidParameter(`The filter pattern is too complex. ${error.message}`);
    throw error;
  }
}

/** The events of one answer, up to its limits. */
class Page {
  readonly events: LogEvent[] = [];
  readonly #limit: number;
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns whether there was room for it. */
  add(event: LogEvent): boolean {
    const bytes = Buffer.byteLength(event.message) + eventOverheadBytes;
    const isFull = this.events.length >= this.#limit || (this.events.length > 0 && this.#bytes + bytes > mostBytes);
    if (isFull) return false;
    this.events.push(event);
    this.#bytes += bytes;
    return true;
  }
}

function filtered({ events }: Page, nextToken: string | undefined): JsonObject {
  return {
    events: events.map(({ time, sequence, logStream, message }) => ({
      logStreamName: logStream,
      timestamp: Math.floor(time),
      message,
      ingestionTime: Math.floor(time),
      eventId: String(sequence).padStart(56, '0'),
    })),
    searchedLogStreams: [],
    ...(nextToken && { nextToken }),
  };
}

/** The languages are loaded when somebody uses them: no run starts slower for them. */
async function matcherOf(text: string): Promise<(message: string) => boolean> {
  if (text.trim() === '') return () => true;
  const [{ parseFilterPattern }, { matchesPattern }] = await Promise.all([
    import('../filter-pattern/parse.ts'),
    import('../filter-pattern/evaluate.ts'),
  ]);
  let pattern: FilterPattern;
  try {
    pattern = parseFilterPattern(text);
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    throw invalidParameter(`Invalid filter pattern: ${error.message}, at character ${error.start + 1}.`);
  }
  return (message) => matchesPattern(pattern, message);
}

function writeToken(position: LogPosition | undefined, mark: string): string {
  const { time, sequence } = position ?? { time: 0, sequence: 0n };
  return Buffer.from(JSON.stringify([mark, time, String(sequence)])).toString('base64url');
}

function readToken(token: string | undefined, mark: string): LogPosition | undefined {
  if (token === undefined) return undefined;
  try {
    const [found, time, sequence] = JSON.parse(Buffer.from(token, 'base64url').toString()) as unknown[];
    if (found === mark && typeof time === 'number' && typeof sequence === 'string')
      return { time, sequence: BigInt(sequence) };
  } catch {
    // As wrong as one of another request.
  }
  throw invalidParameter('The specified nextToken is invalid: it is not of this request.');
}

const placePattern = /^([fb])\/(\d{1,17}(?:\.\d+)?)-(\d{1,18})\/s$/;

function writePlace(direction: 'f' | 'b', { time, sequence }: LogPosition): string {
  return `${direction}/${time}-${sequence}/s`;
}

function readPlace(token: string | undefined): { isForward: boolean; position: LogPosition } | undefined {
  if (token === undefined) return undefined;
  const [, direction, time, sequence] = placePattern.exec(token) ?? [];
  if (time === undefined || sequence === undefined) throw invalidParameter('The specified nextToken is invalid.');
  return { isForward: direction === 'f', position: { time: Number(time), sequence: BigInt(sequence) } };
}
