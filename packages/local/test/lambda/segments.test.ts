import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseCause } from '../../src/lambda/apis/error-cause.ts';
import { bench, lambda } from './platform.ts';

const app = {
  'app.js':
    'exports.handler = async (e) => { if (e.fail) throw new TypeError("no"); return process.env._X_AMZN_TRACE_ID; };',
};
const trace = { root: '1-6b031200-be739c5ed9d07e269a6a0b85', parent: '0123456789abcdef' };

it('are Lambda’s two, each first in progress and then whole, with Init below the function’s when cold', async () => {
  const { invoke, sink, logged } = await bench({ files: app });
  const { requestId } = await invoke({}, { trace });
  await logged(/^REPORT/);
  const [lambdaId, functionId] = [...new Set(sink.segments.map((document) => document.id))];
  expect(sink.segments.map(({ id, in_progress }) => [id, in_progress])).toEqual([
    [lambdaId, true],
    [functionId, true],
    [lambdaId, undefined],
    [functionId, undefined],
  ]);
  const arn = 'arn:aws:lambda:eu-west-1:123456789012:function:service-test-main';
  expect(sink.segments[2]).toEqual({
    id: lambdaId,
    name: 'service-test-main',
    trace_id: trace.root,
    parent_id: trace.parent,
    start_time: expect.any(Number),
    end_time: expect.any(Number),
    http: { response: { status: 200 } },
    aws: { request_id: requestId },
    origin: 'AWS::Lambda',
    resource_arn: arn,
  });
  expect(sink.segments[3]).toEqual({
    id: functionId,
    name: 'service-test-main',
    trace_id: trace.root,
    parent_id: lambdaId,
    start_time: expect.any(Number),
    end_time: expect.any(Number),
    aws: {
      account_id: '123456789012',
      function_arn: arn,
      resource_names: ['service-test-main'],
      request_id: requestId,
      cloudwatch_logs: [{ log_group: '/aws/lambda/service-test-main' }],
    },
    origin: 'AWS::Lambda::Function',
    resource_arn: arn,
    annotations: {
      'aws.responseLatency': expect.any(Number),
      'aws.responseDuration': expect.any(Number),
      'aws.runtimeOverhead': expect.any(Number),
      'aws.extensionOverhead': expect.any(Number),
    },
    subsegments: [
      {
        id: expect.stringMatching(/^[0-9a-f]{16}$/),
        name: 'Init',
        start_time: sink.segments[3]?.start_time,
        end_time: expect.any(Number),
      },
    ],
  });
  expect((await logged(/^REPORT/)).message).toMatch(
    new RegExp(`Init Duration: [\\d.]+ ms\t\nXRAY TraceId: ${trace.root}\tSegmentId: ${functionId}\tSampled: true\t$`),
  );
});

it('have no Init when warm, and say what the function threw', async () => {
  const { invoke, sink, logged } = await bench({ files: app });
  await invoke();
  const { requestId } = await invoke({ fail: true }, { trace });
  await logged(new RegExp(`^REPORT RequestId: ${requestId}`));
  const own = sink.segments.filter((document) => document.trace_id === trace.root && !document.in_progress);
  expect(own).toMatchObject([
    { origin: 'AWS::Lambda', http: { response: { status: 200 } } },
    {
      origin: 'AWS::Lambda::Function',
      fault: true,
      cause: {
        exceptions: [
          { type: 'TypeError', message: 'no', stack: expect.arrayContaining([expect.objectContaining({ line: 1 })]) },
        ],
      },
    },
  ]);
  expect(own[0]).not.toHaveProperty('fault');
  expect(own[1]).not.toHaveProperty('subsegments');
});

it('are absent where the trace is not sampled, but the logs and the header are as usual', async () => {
  const { invoke, sink, logged } = await bench({ files: app });
  const result = await invoke({}, { trace: { ...trace, sampled: false } });
  expect(result.value).toMatch(new RegExp(`^Root=${trace.root};Parent=[0-9a-f]{16};Sampled=0$`));
  expect(await logged(/^REPORT/)).toMatchObject({
    traceId: '6b031200be739c5ed9d07e269a6a0b85',
    requestId: result.requestId,
  });
  expect((await logged(/^REPORT/)).message).not.toContain('XRAY');
  expect(sink.segments).toEqual([]);
});

it('are absent where tracing is passed through, and the function is then a child of its caller', async () => {
  const { invoke, sink, logged } = await bench({ files: app, functions: [lambda({ tracing: 'PassThrough' })] });
  expect((await invoke({}, { trace })).value).toBe(`Root=${trace.root};Parent=${trace.parent};Sampled=1`);
  await logged(/^REPORT/);
  expect(sink.segments).toEqual([]);
});

it.each([undefined, '', 'no json', '[]', '7', 'null'])('have no cause of the runtime’s where it sends %j', (header) => {
  expect(parseCause(header)?.exceptions ?? []).toEqual([]);
});

it('keep of a cause only what X-Ray takes', () => {
  const exceptions = [{ type: 7, message: 'm'.repeat(1e5), stack: [null, { path: 'a' }], remote: {} }, 'text'];
  expect(parseCause(JSON.stringify({ working_directory: 1, paths: [1, 'a.js'], exceptions }))).toEqual({
    paths: ['a.js'],
    exceptions: [{ id: expect.any(String), message: 'm'.repeat(2000), stack: [{ path: 'a' }] }],
  });
});

it('have a cause cut where it would not fit into a document', () => {
  const frame = { path: 'p'.repeat(1000), line: 1, label: 'l'.repeat(1000) };
  const exception = { type: 'T', message: '☃'.repeat(5000), stack: Array.from({ length: 100 }, () => frame) };
  const document = {
    paths: Array.from({ length: 100 }, () => 'p'.repeat(1000)),
    exceptions: Array.from({ length: 20 }, () => exception),
  };
  const cause = parseCause(Buffer.from(JSON.stringify(document)).toString('latin1'));
  expect(cause?.exceptions).toHaveLength(1);
  expect(cause?.exceptions?.[0]?.stack).toHaveLength(10);
  expect(Buffer.byteLength(JSON.stringify(cause))).toBeLessThan(32 * 1024);
});

it('take whatever a runtime sends as a cause, and stay far below X-Ray’s 64 KB', () => {
  const known = fc.record(
    { working_directory: fc.anything(), paths: fc.anything(), exceptions: fc.array(fc.jsonValue()) },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        known.map((document) => safeJson(document)),
      ),
      (header) => {
        const cause = parseCause(Buffer.from(header).toString('latin1'));
        expect(JSON.stringify(cause ?? {}).length).toBeLessThan(64 * 1024);
        for (const exception of cause?.exceptions ?? []) expect(exception.id).toMatch(/^[0-9a-f]{16}$/);
      },
    ),
  );
});

function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}
