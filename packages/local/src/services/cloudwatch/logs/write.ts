import type { TelemetrySink } from '../../../trace/records.ts';
import { groupName, newGroupName, type Operations, streamName } from './input.ts';
import type { LogGroups } from './log-groups.ts';
import { checkLogEvents } from './put-log-events.ts';

/** CreateLogGroup, CreateLogStream and PutLogEvents; what was put is handed to `sink`. */
export function writeOperations(sink: TelemetrySink, groups: LogGroups): Operations {
  return {
    async CreateLogGroup(input) {
      await groups.createGroup(newGroupName(input));
      return {};
    },

    async CreateLogStream(input) {
      await groups.createStream(groupName(input), streamName(input));
      return {};
    },

    async PutLogEvents(input) {
      const logGroup = groupName(input);
      const stream = await groups.stream(logGroup, streamName(input));
      const now = Date.now();
      const { accepted, rejected, rejectedCount } = checkLogEvents(input.logEvents, now);
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
        sink.rejected('cloudwatch', 'log event too old or too new', `${logGroup} ${stream.name}`);
      return { nextSequenceToken: String(now), ...(rejected && { rejectedLogEventsInfo: rejected }) };
    },
  };
}
