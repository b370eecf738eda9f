import {
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  type FilteredLogEvent,
  FilterLogEventsCommand,
  type FilterLogEventsCommandInput,
  GetLogEventsCommand,
  type GetLogEventsCommandInput,
  PutLogEventsCommand,
  paginateFilterLogEvents,
} from '@aws-sdk/client-cloudwatch-logs';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningCloudWatch, runCloudWatch } from './run-cloudwatch.ts';

const group = '/aws/lambda/shop-dev-home';
const [one, other] = ['2026/11/26/[$LATEST]aaaa', '2026/11/26/[$LATEST]bbbb'];
const start = Date.now() - 60_000;

let cloudWatch: RunningCloudWatch;
beforeEach(async () => {
  cloudWatch = await runCloudWatch([group, '/aws/lambda/shop-dev-idle']);
});
afterEach(() => cloudWatch.stop());

const filter = (input: Partial<FilterLogEventsCommandInput> = {}) =>
  cloudWatch.logs.send(new FilterLogEventsCommand({ logGroupName: group, ...input }));
const get = (input: Partial<GetLogEventsCommandInput> = {}) =>
  cloudWatch.logs.send(new GetLogEventsCommand({ logGroupName: group, logStreamName: one, ...input }));
const texts = (events: { message?: string | undefined }[] | undefined) => events?.map(({ message }) => message);

describe('DescribeLogGroups', () => {
  it('has the groups of functions before their first line, and every group that has lines', async () => {
    cloudWatch.write('/custom', 's', start, 'x');
    const { logGroups } = await cloudWatch.logs.send(new DescribeLogGroupsCommand({}));
    expect(logGroups?.map(({ logGroupName, storedBytes }) => [logGroupName, storedBytes])).toEqual([
      [group, 0],
      ['/aws/lambda/shop-dev-idle', 0],
      ['/custom', 27],
    ]);
  });

  it('has streams with the times of their first and last line', async () => {
    cloudWatch.write(group, one, start, 'a', 'b');
    cloudWatch.write(group, other, start - 5_000, 'c');
    const { logStreams } = await cloudWatch.logs.send(
      new DescribeLogStreamsCommand({ logGroupName: group, orderBy: 'LastEventTime', descending: true, limit: 1 }),
    );
    expect(logStreams).toMatchObject([
      { logStreamName: one, firstEventTimestamp: start, lastEventTimestamp: start + 1 },
    ]);
  });

  it('refuses a prefix and a pattern together', async () => {
    const both = new DescribeLogGroupsCommand({ logGroupNamePrefix: '/', logGroupNamePattern: 'x' });
    await expect(cloudWatch.logs.send(both)).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });
});

describe('FilterLogEvents', () => {
  it('interleaves the streams of a group by time', async () => {
    cloudWatch.write(group, one, start, 'a', 'b');
    cloudWatch.write(group, other, start - 1, 'first');
    cloudWatch.write('/custom', one, start, 'elsewhere');
    const { events, nextToken } = await filter();
    expect(events).toMatchObject([
      { logStreamName: other, timestamp: start - 1, message: 'first' },
      { logStreamName: one, timestamp: start, message: 'a' },
      { logStreamName: one, timestamp: start + 1, message: 'b' },
    ]);
    expect(new Set(events?.map(({ eventId }) => eventId)).size).toBe(3);
    expect(nextToken).toBeUndefined();
  });

  it('selects by time, both ends included, and by stream', async () => {
    cloudWatch.write(group, one, start, 'a', 'b', 'c', 'd');
    cloudWatch.write(group, other, start, 'x');
    expect(texts((await filter({ startTime: start + 1, endTime: start + 2 })).events)).toEqual(['b', 'c']);
    expect(texts((await filter({ logStreamNames: [other] })).events)).toEqual(['x']);
    expect(texts((await filter({ logStreamNamePrefix: other.slice(0, -2) })).events)).toEqual(['x']);
  });

  it('selects by a filter pattern', async () => {
    cloudWatch.write(group, one, start, '{"level":"ERROR","status":500}', '{"level":"INFO"}', 'ERROR in text');
    expect(texts((await filter({ filterPattern: '{ $.level = "ERROR" && $.status >= 500 }' })).events)).toEqual([
      '{"level":"ERROR","status":500}',
    ]);
    expect((await filter({ filterPattern: 'ERROR' })).events).toHaveLength(2);
  });

  it('has what PutLogEvents sent, at once', async () => {
    await cloudWatch.logs.send(new CreateLogGroupCommand({ logGroupName: '/custom' }));
    await cloudWatch.logs.send(new CreateLogStreamCommand({ logGroupName: '/custom', logStreamName: 's' }));
    const event = { timestamp: Date.now(), message: 'sent' };
    await cloudWatch.logs.send(
      new PutLogEventsCommand({ logGroupName: '/custom', logStreamName: 's', logEvents: [event] }),
    );
    expect((await filter({ logGroupName: '/custom' })).events).toMatchObject([event]);
  });

  it("takes lines into a function's group, as the SDK of a function may", async () => {
    await cloudWatch.logs.send(new CreateLogStreamCommand({ logGroupName: group, logStreamName: 'own' }));
    const logEvents = [{ timestamp: Date.now(), message: 'own' }];
    await cloudWatch.logs.send(new PutLogEventsCommand({ logGroupName: group, logStreamName: 'own', logEvents }));
    expect(texts((await filter()).events)).toEqual(['own']);
  });

  it('takes the ARN of a group', async () => {
    cloudWatch.write(group, one, start, 'a');
    const logGroupIdentifier = `arn:aws:logs:eu-central-1:123456789012:log-group:${group}`;
    const { events } = await cloudWatch.logs.send(new FilterLogEventsCommand({ logGroupIdentifier }));
    expect(texts(events)).toEqual(['a']);
  });

  it('gives each line once over its pages, whatever the size of a page', async () => {
    const times = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.boolean()), { minLength: 1, maxLength: 30 });
    const groups: string[] = [];
    await fc.assert(
      fc.asyncProperty(times, fc.integer({ min: 1, max: 10 }), async (lines, limit) => {
        const logGroupName = `/pages/${groups.push('')}`;
        for (const [at, [time, isOne]] of lines.entries())
          cloudWatch.write(logGroupName, isOne ? one : other, start + time, `${at} ${at % 3 === 0 ? 'third' : ''}`);
        const found: FilteredLogEvent[] = [];
        const pages = paginateFilterLogEvents(
          { client: cloudWatch.logs },
          { logGroupName, limit, filterPattern: 'third' },
        );
        for await (const { events = [] } of pages) {
          expect(events.length).toBeLessThanOrEqual(limit);
          found.push(...events);
        }
        const wanted = lines.map(([time], at) => ({ time, at })).filter(({ at }) => at % 3 === 0);
        wanted.sort((a, b) => a.time - b.time || a.at - b.at);
        expect(found.map(({ message }) => Number.parseInt(message ?? '', 10))).toEqual(wanted.map(({ at }) => at));
      }),
      { numRuns: 25 },
    );
  });

  it('answers at most 1 MB, and goes on with the token', async () => {
    cloudWatch.write(group, one, start, ...Array.from({ length: 10 }, () => 'x'.repeat(200_000)));
    const { events, nextToken } = await filter();
    expect(events).toHaveLength(5);
    expect((await filter({ nextToken })).events).toHaveLength(5);
  });

  it.each([
    [{ limit: 10_001 }, "'limit' must be a whole number from 1 to 10000"],
    [{ limit: 0 }, "'limit'"],
    [{ startTime: -1 }, "'startTime'"],
    [{ startTime: 2, endTime: 1 }, "'endTime' must not be before 'startTime'"],
    [{ logStreamNames: [], filterPattern: 'x' }, "'logStreamNames' must be a list of 1 to 100"],
    [{ logStreamNames: ['a'], logStreamNamePrefix: 'b' }, 'not both'],
    [{ filterPattern: '{ $.a = }' }, 'Invalid filter pattern: Unexpected "}", at character 9.'],
    [{ nextToken: 'abc' }, 'nextToken is invalid'],
  ])('refuses %j: %s', async (input, message) => {
    await expect(filter(input)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringContaining(message),
    });
  });

  it('refuses a pattern whose regular expression backtracks without end', async () => {
    cloudWatch.write(group, one, start, `{"a":"${'x'.repeat(40)}!"}`);
    // Filter patterns have no groups: many stars backtrack as well.
    const filterPattern = `%${'x*'.repeat(30)}y%`;
    await expect(filter({ filterPattern })).rejects.toThrow('The filter pattern is too complex.');
  });

  it('refuses the token of another request', async () => {
    cloudWatch.write(group, one, start, 'a', 'b');
    const { nextToken } = await filter({ limit: 1 });
    await expect(filter({ nextToken, filterPattern: 'b' })).rejects.toThrow('not of this request');
  });

  it('says which group or stream does not exist', async () => {
    await expect(filter({ logGroupName: '/none' })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(filter({ logStreamNames: ['none'] })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('GetLogEvents', () => {
  beforeEach(() => cloudWatch.write(group, one, start, 'a', 'b', 'c', 'd', 'e'));

  it('gives the newest lines first of all, oldest first among them', async () => {
    expect(texts((await get({ limit: 2 })).events)).toEqual(['d', 'e']);
    expect(texts((await get({ limit: 2, startFromHead: true })).events)).toEqual(['a', 'b']);
  });

  it('goes forward and backward by its tokens, and gives the same token at an end', async () => {
    const last = await get({ limit: 2 });
    const before = await get({ limit: 2, nextToken: last.nextBackwardToken });
    expect(texts(before.events)).toEqual(['b', 'c']);
    const again = await get({ limit: 2, nextToken: before.nextForwardToken });
    expect(texts(again.events)).toEqual(['d', 'e']);
    const end = await get({ nextToken: again.nextForwardToken });
    expect(end.events).toEqual([]);
    expect(end.nextForwardToken).toBe(again.nextForwardToken);
    cloudWatch.write(group, one, start + 10, 'f');
    expect(texts((await get({ nextToken: end.nextForwardToken })).events)).toEqual(['f']);
  });

  it('leaves the line of its endTime out', async () => {
    expect(texts((await get({ startTime: start + 1, endTime: start + 3 })).events)).toEqual(['b', 'c']);
  });

  it('refuses a stream that does not exist, and a token that is not one', async () => {
    await expect(get({ logStreamName: 'none' })).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await expect(get({ nextToken: 'x' })).rejects.toMatchObject({ name: 'InvalidParameterException' });
  });
});
