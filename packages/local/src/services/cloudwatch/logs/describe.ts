import type { JsonObject } from '../../../receiver/json.ts';
import {
  groupName,
  invalidParameter,
  localAccount,
  type Operations,
  optionalText,
  page,
  refuseMembers,
} from './input.ts';
import type { LogGroup, LogGroups, LogStream } from './log-groups.ts';

/** DescribeLogGroups and DescribeLogStreams. */
export function describeOperations(groups: LogGroups): Operations {
  return {
    async DescribeLogGroups(input, region) {
      refuseMembers(input, ['accountIdentifiers', 'includeLinkedAccounts', 'logGroupIdentifiers']);
      const prefix = optionalText(input, 'logGroupNamePrefix');
      const pattern = optionalText(input, 'logGroupNamePattern')?.toLowerCase();
      if (prefix !== undefined && pattern !== undefined)
        throw invalidParameter('Give logGroupNamePrefix or logGroupNamePattern, not both.');
      const found = (await groups.all()).filter(
        ({ name }) => name.startsWith(prefix ?? '') && name.toLowerCase().includes(pattern ?? ''),
      );
      const { items, nextToken } = page(
        optionalText(input, 'logGroupClass') === 'INFREQUENT_ACCESS' ? [] : found,
        input,
      );
      return { logGroups: items.map((group) => describeGroup(group, region)), ...nextToken };
    },

    async DescribeLogStreams(input, region) {
      const group = await groups.current(groupName(input));
      const prefix = optionalText(input, 'logStreamNamePrefix');
      const order = optionalText(input, 'orderBy') ?? 'LogStreamName';
      if (order !== 'LogStreamName' && order !== 'LastEventTime')
        throw invalidParameter("'orderBy' must be LogStreamName or LastEventTime.");
      if (prefix !== undefined && order === 'LastEventTime')
        throw invalidParameter('Cannot order by LastEventTime with a logStreamNamePrefix.');
      const found = [...group.streams.values()].filter(({ name }) => name.startsWith(prefix ?? ''));
      found.sort((one, other) =>
        order === 'LastEventTime'
          ? (one.lastEventMilliseconds ?? 0) - (other.lastEventMilliseconds ?? 0)
          : one.name < other.name
            ? -1
            : 1,
      );
      if (input.descending === true) found.reverse();
      const { items, nextToken } = page(found, input);
      return { logStreams: items.map((stream) => describeStream(stream, arnOf(group, region))), ...nextToken };
    },
  };
}

function arnOf({ name }: LogGroup, region: string): string {
  return `arn:aws:logs:${region}:${localAccount}:log-group:${name}`;
}

function describeGroup(group: LogGroup, region: string): JsonObject {
  const arn = arnOf(group, region);
  return {
    logGroupName: group.name,
    creationTime: Math.floor(group.createdMilliseconds),
    metricFilterCount: 0,
    arn: `${arn}:*`,
    logGroupArn: arn,
    storedBytes: [...group.streams.values()].reduce((sum, { bytes }) => sum + bytes, 0),
    logGroupClass: 'STANDARD',
  };
}

function describeStream(stream: LogStream, groupArn: string): JsonObject {
  const whole = (time: number | undefined) => (time === undefined ? undefined : Math.floor(time));
  return {
    logStreamName: stream.name,
    creationTime: whole(stream.createdMilliseconds),
    firstEventTimestamp: whole(stream.firstEventMilliseconds),
    lastEventTimestamp: whole(stream.lastEventMilliseconds),
    lastIngestionTime: whole(stream.lastIngestionMilliseconds),
    arn: `${groupArn}:log-stream:${stream.name}`,
    storedBytes: 0,
  };
}
