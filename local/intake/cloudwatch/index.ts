import { randomUUID } from 'node:crypto';
import type { TelemetrySink } from '../../store/records.ts';
import { type Intake, type IntakeAnswer, IntakeError, type IntakeLimits, type IntakeRequest, json } from '../http.ts';
import { isObject, type JsonObject, parseJson } from '../json.ts';
import { withEmf } from './emf.ts';
import { createLogGroups, type LogGroup, type LogStream } from './groups.ts';
import { checkLogEvents } from './put.ts';

const NAME = 'cloudwatch';
const TARGET = 'Logs_20140328.';
const CONTENT_TYPE = 'application/x-amz-json-1.1';
const PAGE = 50;
const GROUP_NAME = /^[.\-_/#A-Za-z0-9]{1,512}$/;
const STREAM_NAME = /^[^:*]{1,512}$/;

/**
 * The writing half of CloudWatch Logs: AWS JSON 1.1 with `X-Amz-Target: Logs_20140328.<operation>`. Any other operation is
 * refused by name. Signatures are not checked.
 */
export function cloudWatchLogsIntake(target: TelemetrySink, limits: IntakeLimits): Intake {
  const sink = withEmf(target);
  const groups = createLogGroups();

  const operations: Record<string, (input: JsonObject, arn: (group: LogGroup) => string) => JsonObject> = {
    CreateLogGroup(input) {
      groups.createGroup(name(input, 'logGroupName', GROUP_NAME));
      return {};
    },

    CreateLogStream(input) {
      groups.createStream(groupName(input), name(input, 'logStreamName', STREAM_NAME));
      return {};
    },

    PutLogEvents(input) {
      const logGroup = groupName(input);
      const stream = groups.stream(logGroup, name(input, 'logStreamName', STREAM_NAME));
      const now = Date.now();
      const { accepted, rejected, rejectedCount } = checkLogEvents(input['logEvents'], now);
      for (const { timestamp, message } of accepted) {
        sink.log({
          source: 'cloudwatch',
          timeMilliseconds: timestamp,
          logGroup,
          logStream: stream.name,
          message,
        });
        stream.firstEventMilliseconds = Math.min(stream.firstEventMilliseconds ?? timestamp, timestamp);
        stream.lastEventMilliseconds = Math.max(stream.lastEventMilliseconds ?? timestamp, timestamp);
      }
      stream.lastIngestionMilliseconds = now;
      for (let i = 0; i < rejectedCount; i++)
        sink.rejected(NAME, 'log event too old or too new', `${logGroup} ${stream.name}`);
      return { nextSequenceToken: String(now), ...(rejected && { rejectedLogEventsInfo: rejected }) };
    },

    DescribeLogGroups(input, arn) {
      const prefix = optionalText(input, 'logGroupNamePrefix') ?? '';
      const pattern = optionalText(input, 'logGroupNamePattern')?.toLowerCase() ?? '';
      const found = groups
        .all()
        .filter((group) => group.name.startsWith(prefix) && group.name.toLowerCase().includes(pattern));
      const { items, nextToken } = page(found, input);
      return { logGroups: items.map((group) => describeGroup(group, arn(group))), ...nextToken };
    },

    DescribeLogStreams(input, arn) {
      const group = groups.group(groupName(input));
      const prefix = optionalText(input, 'logStreamNamePrefix') ?? '';
      const found = [...group.streams.values()].filter((stream) => stream.name.startsWith(prefix));
      const byTime = input['orderBy'] === 'LastEventTime';
      found.sort((a, b) =>
        byTime ? (a.lastEventMilliseconds ?? 0) - (b.lastEventMilliseconds ?? 0) : a.name < b.name ? -1 : 1,
      );
      if (input['descending'] === true) found.reverse();
      const { items, nextToken } = page(found, input);
      return { logStreams: items.map((stream) => describeStream(stream, arn(group))), ...nextToken };
    },
  };

  return {
    name: NAME,
    handles: (request) => String(request.headers['x-amz-target'] ?? '').startsWith(TARGET),
    async answer(request) {
      const operation = String(request.headers['x-amz-target']).slice(TARGET.length);
      if (request.method !== 'POST')
        throw new IntakeError(405, `${operation} is called by POST.`, 'SerializationException');
      const run = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
      if (!run) {
        const supported = Object.keys(operations).join(', ');
        throw new IntakeError(
          400,
          `${operation} is not supported by this endpoint, which takes ${supported}.`,
          'UnsupportedOperationException',
        );
      }
      const input = parseJson(await request.body(), limits);
      if (!isObject(input)) throw new IntakeError(400, 'The input is not a JSON object.', 'SerializationException');
      return answered(200, run(input, arnOf(request)));
    },
    refuse: (error) =>
      answered(error.status, {
        __type: error.code ?? (error.status === 500 ? 'ServiceUnavailableException' : 'SerializationException'),
        message: error.message,
      }),
  };
}

function answered(status: number, body: JsonObject): IntakeAnswer {
  const answer = json(status, body, CONTENT_TYPE);
  return { ...answer, headers: { ...answer.headers, 'x-amzn-requestid': randomUUID() } };
}

function name(input: JsonObject, key: string, pattern: RegExp): string {
  const value = input[key];
  if (typeof value === 'string' && pattern.test(value)) return value;
  throw new IntakeError(400, `'${key}' must satisfy the pattern ${pattern.source}.`, 'InvalidParameterException');
}

/** By name, or by an ARN (`arn:aws:logs:<region>:<account>:log-group:<name>`). */
function groupName(input: JsonObject): string {
  const identifier = input['logGroupIdentifier'];
  if (typeof identifier !== 'string') return name(input, 'logGroupName', GROUP_NAME);
  return name(
    { logGroupName: identifier.split(':log-group:').at(-1)?.replace(/:\*$/, '') },
    'logGroupName',
    GROUP_NAME,
  );
}

function optionalText(input: JsonObject, key: string): string | undefined {
  const value = input[key];
  return typeof value === 'string' ? value : undefined;
}

/** A token is the number of items before the page. */
function page<T>(items: T[], input: JsonObject): { items: T[]; nextToken: { nextToken?: string } } {
  const { limit = PAGE } = input;
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1 || limit > PAGE) {
    throw new IntakeError(400, `'limit' must be between 1 and ${PAGE}.`, 'InvalidParameterException');
  }
  const token = optionalText(input, 'nextToken') ?? '0';
  if (!/^\d{1,9}$/.test(token)) throw new IntakeError(400, "'nextToken' is not valid.", 'InvalidParameterException');
  const start = Number(token);
  const end = start + limit;
  return { items: items.slice(start, end), nextToken: end < items.length ? { nextToken: String(end) } : {} };
}

/** AWS's own placeholder for an account. */
const ACCOUNT = '123456789012';

/** The region is the one that the request was signed for. */
function arnOf(request: IntakeRequest): (group: LogGroup) => string {
  const region = /Credential=[^/]+\/\d+\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? 'us-east-1';
  return (group) => `arn:aws:logs:${region}:${ACCOUNT}:log-group:${group.name}`;
}

function describeGroup(group: LogGroup, arn: string): JsonObject {
  return {
    logGroupName: group.name,
    creationTime: group.createdMilliseconds,
    metricFilterCount: 0,
    arn: `${arn}:*`,
    logGroupArn: arn,
    storedBytes: 0,
    logGroupClass: 'STANDARD',
  };
}

function describeStream(stream: LogStream, groupArn: string): JsonObject {
  return {
    logStreamName: stream.name,
    creationTime: stream.createdMilliseconds,
    firstEventTimestamp: stream.firstEventMilliseconds,
    lastEventTimestamp: stream.lastEventMilliseconds,
    lastIngestionTime: stream.lastIngestionMilliseconds,
    arn: `${groupArn}:log-stream:${stream.name}`,
    storedBytes: 0,
  };
}
