import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  type InputLogEvent,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningReceivers, runReceivers } from '../../receiver/collecting-sink.ts';

const sampleGroup = '/aws/lambda/cruddur-dev-home';
const stream = '2026/11/22/[$LATEST]0123456789abcdef';
const hour = 3_600_000;

let running: RunningReceivers;
let client: CloudWatchLogsClient;
beforeEach(async () => {
  running = await runReceivers();
  client = new CloudWatchLogsClient({
    endpoint: running.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
});
afterEach(async () => {
  client.destroy();
  await running.receivers.stop();
});

async function createStream(): Promise<void> {
  await client.send(new CreateLogGroupCommand({ logGroupName: sampleGroup }));
  await client.send(new CreateLogStreamCommand({ logGroupName: sampleGroup, logStreamName: stream }));
}

const put = (logEvents: InputLogEvent[]) =>
  client.send(new PutLogEventsCommand({ logGroupName: sampleGroup, logStreamName: stream, logEvents }));

describe("AWS's own client", () => {
  it('creates a group and a stream and puts lines, which come with what they say of themselves', async () => {
    await createStream();
    const now = Date.now();
    const line = {
      level: 'ERROR',
      message: 'no',
      xray_trace_id: '1-5b8efff7-98038103d269b633813fc60c',
      span_id: 'eee19b7ec3c1b174',
    };
    const answer = await put([
      { timestamp: now - 5, message: 'plain text' },
      { timestamp: now, message: JSON.stringify(line) },
    ]);
    expect(answer.rejectedLogEventsInfo).toBeUndefined();
    expect(running.sink.logs).toMatchObject([
      {
        source: 'cloudwatch',
        timeMilliseconds: now - 5,
        logGroup: sampleGroup,
        logStream: stream,
        message: 'plain text',
      },
      {
        timeMilliseconds: now,
        level: 'ERROR',
        traceId: '5b8efff798038103d269b633813fc60c',
        spanId: 'eee19b7ec3c1b174',
      },
    ]);
  });

  it('puts an EMF line, which yields its metric', async () => {
    await createStream();
    const _aws = {
      Timestamp: Date.now(),
      CloudWatchMetrics: [{ Namespace: 'N', Dimensions: [[]], Metrics: [{ Name: 'm' }] }],
    };
    await put([{ timestamp: Date.now(), message: JSON.stringify({ _aws, m: 4 }) }]);
    expect(running.sink.metrics).toMatchObject([{ namespace: 'N', name: 'm', values: [4] }]);
  });

  it('is told which events were too old or too new, and the rest is kept', async () => {
    await createStream();
    const now = Date.now();
    const old = await put([
      { timestamp: now - 14 * 24 * hour - hour, message: 'old' },
      { timestamp: now - 14 * 24 * hour + hour, message: 'just not' },
    ]);
    expect(old.rejectedLogEventsInfo).toEqual({ tooOldLogEventEndIndex: 1 });
    const early = await put([
      { timestamp: now, message: 'now' },
      { timestamp: now + 3 * hour, message: 'new' },
    ]);
    expect(early.rejectedLogEventsInfo).toEqual({ tooNewLogEventStartIndex: 1 });
    expect(running.sink.logs.map(({ message }) => message)).toEqual(['just not', 'now']);
    expect(running.sink.rejections).toHaveLength(2);
  });

  it.each<[string, InputLogEvent[], string]>([
    ['no events', [], '1 to 10000'],
    [
      'more than 10,000 events',
      Array.from({ length: 10_001 }, () => ({ timestamp: Date.now(), message: 'x' })),
      '1 to 10000',
    ],
    ['more than 1,048,576 bytes', [{ timestamp: Date.now(), message: 'x'.repeat(1_048_551) }], 'Upload too large'],
    [
      'events out of order',
      [
        { timestamp: Date.now(), message: 'b' },
        { timestamp: Date.now() - hour, message: 'a' },
      ],
      'chronological order',
    ],
    [
      'more than 24 hours',
      [
        { timestamp: Date.now() - 25 * hour, message: 'a' },
        { timestamp: Date.now(), message: 'b' },
      ],
      '24 hours',
    ],
    ['an empty message', [{ timestamp: Date.now(), message: '' }], 'at least 1'],
  ])('is refused a batch of %s', async (_name, events, message) => {
    await createStream();
    await expect(put(events)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringContaining(message),
    });
    expect(running.sink.logs).toEqual([]);
  });

  it('takes a batch of exactly 1,048,576 bytes', async () => {
    await createStream();
    await put([{ timestamp: Date.now(), message: 'x'.repeat(1_048_550) }]);
    expect(running.sink.logs).toHaveLength(1);
  });

  it('is told what does not exist and what exists already', async () => {
    await expect(put([{ timestamp: Date.now(), message: 'x' }])).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    await createStream();
    await expect(client.send(new CreateLogGroupCommand({ logGroupName: sampleGroup }))).rejects.toMatchObject({
      name: 'ResourceAlreadyExistsException',
    });
    await expect(
      client.send(new CreateLogStreamCommand({ logGroupName: sampleGroup, logStreamName: stream })),
    ).rejects.toMatchObject({ name: 'ResourceAlreadyExistsException' });
    await expect(client.send(new CreateLogGroupCommand({ logGroupName: 'with space' }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
  });

  it('describes groups and streams, page by page', async () => {
    for (const suffix of ['c', 'a', 'b'])
      await client.send(new CreateLogGroupCommand({ logGroupName: `/group/${suffix}` }));
    await createStream();
    const first = await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: '/group/', limit: 2 }));
    expect(first.logGroups?.map(({ logGroupName }) => logGroupName)).toEqual(['/group/a', '/group/b']);
    const second = await client.send(
      new DescribeLogGroupsCommand({ logGroupNamePrefix: '/group/', nextToken: first.nextToken }),
    );
    expect(second.logGroups).toMatchObject([{ arn: 'arn:aws:logs:eu-central-1:123456789012:log-group:/group/c:*' }]);
    expect(second.nextToken).toBeUndefined();
    const now = Date.now();
    await put([{ timestamp: now, message: 'x' }]);
    const streams = await client.send(
      new DescribeLogStreamsCommand({ logGroupName: sampleGroup, orderBy: 'LastEventTime', descending: true }),
    );
    expect(streams.logStreams).toMatchObject([
      { logStreamName: stream, firstEventTimestamp: now, lastEventTimestamp: now },
    ]);
  });

  it.each([
    ['GetLogEvents', new GetLogEventsCommand({ logGroupName: sampleGroup, logStreamName: stream })],
    ['FilterLogEvents', new FilterLogEventsCommand({ logGroupName: sampleGroup })],
  ])('is told that %s is not supported, never an empty answer', async (name, command) => {
    await createStream();
    await expect(client.send(command as GetLogEventsCommand)).rejects.toMatchObject({
      name: 'UnsupportedOperationException',
      message: expect.stringContaining(`${name} is not supported`),
      $metadata: { httpStatusCode: 400, requestId: expect.any(String) },
    });
  });
});
