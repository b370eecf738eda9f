import {
  BatchGetTracesCommand,
  CreateGroupCommand,
  GetEncryptionConfigCommand,
  GetGroupCommand,
  GetGroupsCommand,
  GetInsightSummariesCommand,
  GetSamplingRulesCommand,
  GetSamplingStatisticSummariesCommand,
  GetSamplingTargetsCommand,
  GetServiceGraphCommand,
  GetTimeSeriesServiceStatisticsCommand,
  GetTraceGraphCommand,
  GetTraceSegmentDestinationCommand,
  GetTraceSummariesCommand,
  type GetTraceSummariesCommandInput,
  PutTelemetryRecordsCommand,
  PutTraceSegmentsCommand,
} from '@aws-sdk/client-xray';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hex, type Running, request, rule, runXray, traceId } from './fixture.ts';

let xray: Running;

beforeEach(async () => {
  xray = await runXray();
});

afterEach(() => xray.stop());

const put = (documents: unknown[]) =>
  xray.client.send(
    new PutTraceSegmentsCommand({ TraceSegmentDocuments: documents.map((document) => JSON.stringify(document)) }),
  );

const range = { StartTime: new Date(1_699_999_000_000), EndTime: new Date(1_700_001_000_000) };

async function summaries(input: Partial<GetTraceSummariesCommandInput> = {}) {
  const answer = await xray.client.send(new GetTraceSummariesCommand({ ...range, ...input }));
  return answer.TraceSummaries ?? [];
}

const ids = async (input: Partial<GetTraceSummariesCommandInput> = {}) =>
  (await summaries(input)).map(({ Id }) => Id).sort();

describe('@aws-sdk/client-xray', () => {
  it('puts segments, and is told which were refused and why', async () => {
    const [good] = request(1);
    const bad = { ...good, id: hex(99), trace_id: 'nonsense' };
    const answer = await xray.client.send(
      new PutTraceSegmentsCommand({ TraceSegmentDocuments: ['{', JSON.stringify(bad), JSON.stringify(good)] }),
    );
    expect(answer.UnprocessedTraceSegments).toEqual([
      { ErrorCode: 'ParseError', Message: expect.stringMatching(/^the document is not JSON/) },
      { Id: hex(99), ErrorCode: 'InvalidTraceId', Message: expect.stringMatching(/nonsense/) },
    ]);
    expect(await ids()).toEqual([traceId(1)]);
  });

  it('gets traces back as segments with their subsegments in place, wherever these came from', async () => {
    await put(request(1).reverse());
    const answer = await xray.client.send(new BatchGetTracesCommand({ TraceIds: [traceId(1), traceId(2), 'x'] }));
    expect(answer.UnprocessedTraceIds).toEqual(['x']);
    expect(answer.Traces).toMatchObject([{ Id: traceId(1), Duration: 0.98, LimitExceeded: false }]);
    const documents = (answer.Traces?.[0]?.Segments ?? []).map(({ Document }) => JSON.parse(Document ?? ''));
    expect(documents.map(({ name, origin }) => `${name} ${origin}`).sort()).toEqual([
      'cruddur-dev-home AWS::Lambda',
      'cruddur-dev-home AWS::Lambda::Function',
      'dev-cruddur/dev AWS::ApiGateway::Stage',
    ]);
    const lambda = documents.find(({ origin }) => origin === 'AWS::Lambda::Function');
    expect(lambda.subsegments).toMatchObject([{ name: '## home', subsegments: [{ name: 'DynamoDB' }] }]);
    expect(lambda.subsegments[0]).not.toHaveProperty('trace_id');
  });

  it('gets a subsegment whose parent is not here, or is its own descendant, as a document of its own', async () => {
    const [, , , handler] = request(1);
    const ring = [
      { ...handler, id: hex(501), parent_id: hex(502) },
      { ...handler, id: hex(502), parent_id: hex(501) },
    ];
    await put([handler, ...ring]);
    const answer = await xray.client.send(new BatchGetTracesCommand({ TraceIds: [traceId(1)] }));
    const text = answer.Traces?.[0]?.Segments?.map(({ Document }) => Document).join(' ') ?? '';
    for (const id of [handler?.id, hex(501), hex(502)]) expect(text).toContain(`"id":"${id}"`);
  });

  it('gets summaries with request, flags, users, annotations and services', async () => {
    await put(request(1, { fault: true }));
    const [summary] = await summaries();
    const lambda = { Name: 'cruddur-dev-home', Names: ['cruddur-dev-home'], Type: 'AWS::Lambda::Function' };
    expect(summary).toMatchObject({
      Id: traceId(1),
      StartTime: new Date(1_700_000_000_010),
      Duration: 0.98,
      ResponseTime: 0.98,
      HasFault: true,
      HasError: false,
      HasThrottle: false,
      IsPartial: false,
      Http: {
        HttpMethod: 'GET',
        HttpStatus: 502,
        HttpURL: 'https://api.local/api/activities/home',
        UserAgent: 'curl',
        ClientIp: '127.0.0.1',
      },
      Users: [{ UserName: 'andrewbrown', ServiceIds: [lambda] }],
      Annotations: {
        route: [{ AnnotationValue: { StringValue: '/home' }, ServiceIds: [lambda] }],
        size: [{ AnnotationValue: { NumberValue: 1 } }],
        cached: [{ AnnotationValue: { BooleanValue: false } }],
      },
      EntryPoint: { Name: 'dev-cruddur/dev', Type: 'AWS::ApiGateway::Stage' },
      ResourceARNs: [{ ARN: 'arn:aws:apigateway:eu-west-1::/restapis/api/stages/dev' }],
    });
    expect(summary?.ServiceIds?.map(({ Name, Type }) => `${Name} ${Type}`)).toEqual([
      'dev-cruddur/dev AWS::ApiGateway::Stage',
      'cruddur-dev-home AWS::Lambda',
      'cruddur-dev-home AWS::Lambda::Function',
      'cruddur AWS::DynamoDB::Table',
    ]);
  });

  it('gets only the traces of the time range, by start, by the end of a segment, or by arrival', async () => {
    await put([...request(1), ...request(2, { second: 1_700_000_100 })]);
    const seconds = (from: number, to: number) => ({
      StartTime: new Date((1_700_000_000 + from) * 1000),
      EndTime: new Date((1_700_000_000 + to) * 1000),
    });
    expect(await ids(seconds(0, 50))).toEqual([traceId(1)]);
    expect(await ids(seconds(50, 150))).toEqual([traceId(2, 1_700_000_100)]);
    expect(await ids(seconds(0.5, 50))).toEqual([]);
    expect(await ids({ ...seconds(0.99, 50), TimeRangeType: 'Service' })).toEqual([traceId(1)]);
    expect(await ids({ ...seconds(0, 50), TimeRangeType: 'Event' })).toEqual([]);
    const now = { StartTime: new Date(Date.now() - 60_000), EndTime: new Date(Date.now() + 60_000) };
    expect(await ids({ ...now, TimeRangeType: 'Event' })).toHaveLength(2);
  });

  it('gets what a filter expression asks for, the trace level and downstream told apart', async () => {
    await put([...request(1), ...request(2, { fault: true }), ...request(3, { innerFault: true })]);
    const filtered = (FilterExpression: string) => ids({ FilterExpression });
    expect(await filtered('fault')).toEqual([traceId(2)]);
    expect(await filtered('!fault')).toEqual([traceId(1), traceId(3)]);
    expect(await filtered('service("dev-cruddur/dev") { fault }')).toEqual([traceId(2)]);
    expect(await filtered('annotation.size >= 2 AND http.status = 200')).toEqual([traceId(3)]);
    await expect(filtered('fault AND coverage = "x"')).rejects.toMatchObject({
      name: 'InvalidRequestException',
      message: 'Invalid FilterExpression: coverage is not supported here at position 10.',
    });
  });

  it('goes through more traces than a page holds, each once', async () => {
    const documents = Array.from({ length: 250 }, (_, number) => request(number)[0]);
    await put(documents);
    const seen: (string | undefined)[] = [];
    let NextToken: string | undefined;
    do {
      const input = { ...range, FilterExpression: '!annotation.none', ...(NextToken && { NextToken }) };
      const answer = await xray.client.send(new GetTraceSummariesCommand(input));
      seen.push(...(answer.TraceSummaries ?? []).map(({ Id }) => Id));
      NextToken = answer.NextToken;
    } while (NextToken);
    expect(seen).toHaveLength(250);
    expect(new Set(seen).size).toBe(250);
  });

  it('refuses a token of another query, a range that ends before it begins, and unknown strategies', async () => {
    await put(Array.from({ length: 101 }, (_, number) => request(number)[0]));
    const { NextToken } = await xray.client.send(new GetTraceSummariesCommand(range));
    for (const input of [
      { NextToken, FilterExpression: 'ok' },
      { NextToken: 'forged' },
      { EndTime: new Date(0) },
      { SamplingStrategy: { Name: 'FixedRate' as const, Value: 2 } },
    ]) {
      await expect(summaries(input)).rejects.toMatchObject({ name: 'InvalidRequestException' });
    }
  });

  it('gets the sampling rules of the service and the default rule', async () => {
    const { SamplingRuleRecords } = await xray.client.send(new GetSamplingRulesCommand({}));
    expect(SamplingRuleRecords?.map(({ SamplingRule }) => SamplingRule)).toMatchObject([
      { ...rule, Version: 1, Attributes: {} },
      { RuleName: 'Default', Priority: 10000, FixedRate: 0.05, ReservoirSize: 1 },
    ]);
  });

  it('gets sampling targets that share out the reservoir, and statistics of what was reported', async () => {
    const report = (ClientID: string, RuleName = 'cruddur') =>
      xray.client.send(
        new GetSamplingTargetsCommand({
          SamplingStatisticsDocuments: [
            { RuleName, ClientID, Timestamp: new Date(), RequestCount: 10, SampledCount: 4, BorrowCount: 1 },
          ],
        }),
      );
    const first = await report('a'.repeat(24));
    expect(first.SamplingTargetDocuments).toMatchObject([
      { RuleName: 'cruddur', FixedRate: 0.1, ReservoirQuota: 5, Interval: 10, ReservoirQuotaTTL: expect.any(Date) },
    ]);
    expect(first.LastRuleModification).toBeInstanceOf(Date);
    const second = await report('b'.repeat(24));
    expect(second.SamplingTargetDocuments?.[0]?.ReservoirQuota).toBe(2);
    const unknown = await report('a'.repeat(24), 'unknown');
    expect(unknown).toMatchObject({ SamplingTargetDocuments: [], UnprocessedStatistics: [{ RuleName: 'unknown' }] });
    await expect(report('short')).rejects.toMatchObject({ name: 'InvalidRequestException' });
    const { SamplingStatisticSummaries } = await xray.client.send(new GetSamplingStatisticSummariesCommand({}));
    expect(SamplingStatisticSummaries).toMatchObject([{ RuleName: 'cruddur', RequestCount: 20, SampledCount: 8 }]);
  });

  it('gets the map of a trace: client, gateway, Lambda, function, table, and who calls whom', async () => {
    await put(request(1, { fault: true }));
    const { Services = [] } = await xray.client.send(new GetTraceGraphCommand({ TraceIds: [traceId(1)] }));
    const name = (id: number | undefined) => {
      const service = Services.find(({ ReferenceId }) => ReferenceId === id);
      return `${service?.Name} (${service?.Type})`;
    };
    const edges = Services.flatMap(({ ReferenceId, Edges = [] }) =>
      Edges.map((edge) => `${name(ReferenceId)} → ${name(edge.ReferenceId)}`),
    );
    expect(edges.sort()).toEqual([
      'cruddur-dev-home (AWS::Lambda) → cruddur-dev-home (AWS::Lambda::Function)',
      'cruddur-dev-home (AWS::Lambda::Function) → cruddur (AWS::DynamoDB::Table)',
      'dev-cruddur/dev (AWS::ApiGateway::Stage) → cruddur-dev-home (AWS::Lambda)',
      'dev-cruddur/dev (client) → dev-cruddur/dev (AWS::ApiGateway::Stage)',
    ]);
    const gateway = Services.find(({ Type }) => Type === 'AWS::ApiGateway::Stage');
    expect(gateway).toMatchObject({
      Root: true,
      SummaryStatistics: { TotalCount: 1, FaultStatistics: { TotalCount: 1 } },
    });
    await expect(xray.client.send(new GetTraceGraphCommand({ TraceIds: ['x'] }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
  });

  it('gets the map and the statistics of a time range', async () => {
    await put([...request(1), ...request(2, { fault: true }), ...request(3, { second: 1_700_000_100 })]);
    const { Services = [] } = await xray.client.send(new GetServiceGraphCommand(range));
    const table = Services.find(({ Type }) => Type === 'AWS::DynamoDB::Table');
    expect(table).toMatchObject({ Name: 'cruddur', SummaryStatistics: { TotalCount: 3, OkCount: 3 } });
    const answer = await xray.client.send(new GetTimeSeriesServiceStatisticsCommand({ ...range, Period: 60 }));
    expect(
      answer.TimeSeriesServiceStatistics?.map(({ Timestamp, ServiceSummaryStatistics: sum }) => [
        Timestamp?.getTime(),
        sum?.OkCount,
        sum?.FaultStatistics?.TotalCount,
      ]),
    ).toEqual([
      [1_699_999_980_000, 1, 1],
      [1_700_000_100_000 - (1_700_000_100_000 % 60_000), 1, 0],
    ]);
    await expect(xray.client.send(new GetServiceGraphCommand({ ...range, GroupName: 'mine' }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
    });
  });

  it("has the template's groups beside Default, by name and by ARN, in filters and in maps", async () => {
    await put([...request(1), ...request(2, { fault: true })]);
    const { Groups = [] } = await xray.client.send(new GetGroupsCommand({}));
    expect(Groups.map(({ GroupName }) => GroupName)).toEqual(['Default', 'faults', 'broken']);
    const { Group } = await xray.client.send(new GetGroupCommand({ GroupName: 'faults' }));
    expect(Group).toMatchObject({
      GroupARN: expect.stringMatching(/^arn:aws:xray:eu-west-1:\d{12}:group\/faults\//),
      FilterExpression: 'service("dev-cruddur/dev") { fault }',
      InsightsConfiguration: { InsightsEnabled: true },
    });
    expect(await ids({ FilterExpression: 'group.name = "faults"' })).toEqual([traceId(2)]);
    expect(await ids({ FilterExpression: `group.arn != "${Group?.GroupARN}" AND ok` })).toEqual([traceId(1)]);
    expect(await ids({ FilterExpression: 'group.name = "Default"' })).toHaveLength(2);
    expect(await ids({ FilterExpression: 'group.name = "none"' })).toEqual([]);
    const { Services = [] } = await xray.client.send(new GetServiceGraphCommand({ ...range, GroupName: 'faults' }));
    const stage = Services.find(({ Type }) => Type === 'AWS::ApiGateway::Stage');
    expect(stage?.SummaryStatistics).toMatchObject({ TotalCount: 1, FaultStatistics: { TotalCount: 1 } });
    await expect(xray.client.send(new GetServiceGraphCommand({ ...range, GroupName: 'broken' }))).rejects.toMatchObject(
      { message: expect.stringContaining("The group's FilterExpression is not understood here") },
    );
  });

  it('takes five trace ids at once, as AWS does', async () => {
    const TraceIds = Array.from({ length: 6 }, (_, number) => traceId(number));
    for (const command of [new BatchGetTracesCommand({ TraceIds }), new GetTraceGraphCommand({ TraceIds })])
      await expect(xray.client.send(command as GetTraceGraphCommand)).rejects.toMatchObject({
        message: 'TraceIds must be at most 5.',
      });
  });

  it('is answered where the answer is known, and told which operation is not supported', async () => {
    expect(await xray.client.send(new GetTraceSegmentDestinationCommand({}))).toMatchObject({ Destination: 'XRay' });
    expect(await xray.client.send(new GetEncryptionConfigCommand({}))).toMatchObject({
      EncryptionConfig: { Type: 'NONE' },
    });
    await xray.client.send(new PutTelemetryRecordsCommand({ TelemetryRecords: [{ Timestamp: new Date() }] }));
    await expect(xray.client.send(new CreateGroupCommand({ GroupName: 'g' }))).rejects.toMatchObject({
      name: 'InvalidRequestException',
      message: 'CreateGroup is not supported by the local X-Ray.',
    });
    await expect(xray.client.send(new GetInsightSummariesCommand(range))).rejects.toThrow(/GetInsightSummaries/);
  });
});
