import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { HttpError } from '../../../http/http-error.ts';
import type { JsonObject } from '../../../receiver/json.ts';
import type { LogPosition, LogReads } from '../../../store/log-events.ts';
import { bounded, WorkTimeout } from '../bounded.ts';
import {
  groupOfIdentifier,
  invalidParameter,
  type Operations,
  optionalInteger,
  optionalText,
  optionalTexts,
} from '../logs/input.ts';
import type { LogGroups } from '../logs/log-groups.ts';
import { SyntaxProblem } from '../syntax.ts';
import type { Command } from './query.ts';
import type { QueryRun, ResultRow } from './run.ts';

type Status = 'Running' | 'Complete' | 'Failed' | 'Cancelled' | 'Timeout';

interface StartedQuery {
  queryId: string;
  queryString: string;
  logGroupName: string;
  /** Epoch milliseconds. */
  createTime: number;
  status: Status;
  results: ResultRow[];
  scanned: { records: number; bytes: number; matched: number };
}

/** A query that does not compile, with its place as Logs Insights names it. */
export class MalformedQuery extends HttpError {
  readonly queryCompileError: JsonObject;

  constructor({ message, start, end }: SyntaxProblem) {
    super(400, `${message}, at character ${start + 1}.`, 'MalformedQueryException');
    this.queryCompileError = { message, location: { startCharOffset: start, endCharOffset: end } };
  }
}

/** Source: Amazon CloudWatch Logs API Reference, "StartQuery". */
const mostGroups = 50;
const mostResults = 10_000;
const latestSeconds = 8.64e12;
/** The oldest are forgotten. */
const mostQueries = 100;
const eventsAtOnce = 500;
const longestMilliseconds = 60_000;
/** The main thread is held no longer than this by 500 events, and by sorting 100,000 rows. */
const partMilliseconds = 500;
const longestResultMilliseconds = 2_000;

/** StartQuery, GetQueryResults, StopQuery and DescribeQueries, over what the store has. */
export function insightsOperations(reads: LogReads, groups: LogGroups): Operations {
  const queries = new Map<string, StartedQuery>();

  function find(input: JsonObject): StartedQuery {
    const query = queries.get(optionalText(input, 'queryId') ?? '');
    if (query) return query;
    throw new HttpError(400, 'The specified query does not exist.', 'ResourceNotFoundException');
  }

  return {
    async StartQuery(input) {
      const language = optionalText(input, 'queryLanguage') ?? 'CWLI';
      if (language !== 'CWLI') throw invalidParameter(`queryLanguage ${language} is not supported by this endpoint.`);
      const names = groupNames(input);
      for (const name of names) await groups.group(name);
      const [from, to] = [seconds(input, 'startTime'), seconds(input, 'endTime')];
      if (to < from) throw invalidParameter("'endTime' must not be before 'startTime'.");
      const limit = optionalInteger(input, 'limit', 1, mostResults);
      const queryString = optionalText(input, 'queryString') ?? '';
      const commands = await compile(queryString);
      const { QueryRun: Run } = await import('./run.ts');
      const query: StartedQuery = {
        queryId: randomUUID(),
        queryString,
        logGroupName: names[0] ?? '',
        createTime: Date.now(),
        status: 'Running',
        results: [],
        scanned: { records: 0, bytes: 0, matched: 0 },
      };
      queries.set(query.queryId, query);
      for (const [id] of queries) if (queries.size > mostQueries) queries.delete(id);
      void execute(reads, query, new Run(commands, limit), { groups: names, from: from * 1000, to: to * 1000 + 999 });
      return { queryId: query.queryId };
    },

    GetQueryResults(input) {
      const { status, results, scanned } = find(input);
      return {
        queryLanguage: 'CWLI',
        status,
        results,
        statistics: { recordsMatched: scanned.matched, recordsScanned: scanned.records, bytesScanned: scanned.bytes },
      };
    },

    StopQuery(input) {
      const query = find(input);
      if (query.status !== 'Running') throw invalidParameter('The query has ended.');
      query.status = 'Cancelled';
      return { success: true };
    },

    DescribeQueries(input) {
      const [group, status] = [optionalText(input, 'logGroupName'), optionalText(input, 'status')];
      const found = [...queries.values()].filter(
        (query) =>
          (group === undefined || query.logGroupName === group) && (status === undefined || query.status === status),
      );
      return {
        queries: found.reverse().map(({ queryId, queryString, logGroupName, createTime, status: state }) => ({
          queryLanguage: 'CWLI',
          queryId,
          queryString,
          logGroupName,
          createTime,
          status: state,
        })),
      };
    },
  };
}

function groupNames(input: JsonObject): string[] {
  const given = [
    optionalText(input, 'logGroupName') === undefined ? undefined : [input.logGroupName],
    optionalTexts(input, 'logGroupNames', 1, mostGroups),
    optionalTexts(input, 'logGroupIdentifiers', 1, mostGroups),
  ].filter((names) => names !== undefined);
  const [names] = given;
  if (!names || given.length > 1)
    throw invalidParameter('Give one of logGroupName, logGroupNames and logGroupIdentifiers.');
  return names.map((name) => groupOfIdentifier(name, 'logGroupNames'));
}

function seconds(input: JsonObject, key: string): number {
  const value = optionalInteger(input, key, 0, latestSeconds);
  if (value === undefined) throw invalidParameter(`'${key}' is required, in epoch seconds.`);
  // The console and some tools send milliseconds.
  return value > 1e11 ? Math.floor(value / 1000) : value;
}

/** The language is loaded when somebody uses it: no run starts slower for it. */
async function compile(text: string): Promise<Command[]> {
  const { parseInsightsQuery } = await import('./parser.ts');
  try {
    return parseInsightsQuery(text);
  } catch (error) {
    if (error instanceof SyntaxProblem) throw new MalformedQuery(error);
    throw error;
  }
}

/** Reads the events, the newest first, and lets other work run between two reads. Never rejects. */
async function execute(
  reads: LogReads,
  query: StartedQuery,
  run: QueryRun,
  range: { groups: string[]; from: number; to: number },
): Promise<void> {
  const { eventFields } = await import('./event-fields.ts');
  const deadline = performance.now() + longestMilliseconds;
  let after: LogPosition | undefined;
  try {
    for (;;) {
      const events = await reads.logEvents({
        ...range,
        ...(after && { after }),
        descending: true,
        limit: eventsAtOnce,
      });
      if (query.status !== 'Running') return;
      bounded(() => {
        for (const event of events) {
          run.add(eventFields(event));
          query.scanned.bytes += Buffer.byteLength(event.message);
        }
      }, partMilliseconds);
      query.scanned.records += events.length;
      query.scanned.matched = run.matched;
      after = events.at(-1);
      if (events.length < eventsAtOnce) break;
      if (performance.now() > deadline) {
        query.status = 'Timeout';
        return;
      }
      await turn();
    }
    bounded(() => {
      query.results = run.result();
    }, longestResultMilliseconds);
    query.status = 'Complete';
  } catch (error) {
    // Too many rows, or a store that cannot be read: AWS names no reason either.
    query.status = error instanceof WorkTimeout ? 'Timeout' : 'Failed';
  }
}
