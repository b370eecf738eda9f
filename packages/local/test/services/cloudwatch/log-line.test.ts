import { Logger } from '@aws-lambda-powertools/logger';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { describeLine } from '../../../src/services/cloudwatch/log-line.ts';
import type { LogRecord } from '../../../src/trace/records.ts';

const sampleTraceId = '5b8efff798038103d269b633813fc60c';
const root = `1-5b8efff7-${sampleTraceId.slice(8)}`;
const sampleSpanId = 'eee19b7ec3c1b174';
const sampleRequestId = 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef';

const described = (message: string, known: Partial<LogRecord> = {}) =>
  describeLine({ source: 'function', timeMilliseconds: 1, logGroup: 'g', logStream: 's', message, ...known });

describe('a JSON line', () => {
  it('of Powertools gives level, ids, function and the rest as attributes', () => {
    vi.stubEnv('_X_AMZN_TRACE_ID', `Root=${root};Parent=${sampleSpanId};Sampled=1`);
    vi.stubEnv('POWERTOOLS_DEV', 'true');
    const written: string[] = [];
    const warn = vi.spyOn(console, 'warn').mockImplementation((text: string) => void written.push(text));
    const logger = new Logger({ serviceName: 'activities' });
    logger.addContext({
      functionName: 'cruddur-dev-home',
      awsRequestId: sampleRequestId,
      memoryLimitInMB: '512',
      invokedFunctionArn: 'arn',
    } as never);
    logger.warn('the feed is slow', { trace_id: sampleTraceId, span_id: sampleSpanId, app: { rows: 20 } });
    warn.mockRestore();
    vi.unstubAllEnvs();
    const record = described(written[0] ?? '');
    expect(record).toMatchObject({
      level: 'WARN',
      traceId: sampleTraceId,
      spanId: sampleSpanId,
      requestId: sampleRequestId,
      functionName: 'cruddur-dev-home',
      attributes: { message: 'the feed is slow', service: 'activities', app: { rows: 20 } },
    });
    for (const key of ['level', 'trace_id', 'xray_trace_id', 'span_id', 'function_request_id', 'function_name']) {
      expect(record.attributes).not.toHaveProperty(key);
    }
    expect(record.message).toBe(written[0]);
  });

  it.each([
    ['pino', { level: 40, msg: 'm' }, { level: 'WARN' }],
    [
      "Lambda's own format",
      { level: 'ERROR', requestId: sampleRequestId, message: 'm' },
      { level: 'ERROR', requestId: sampleRequestId },
    ],
    ['an X-Ray root alone', { xray_trace_id: root }, { traceId: sampleTraceId }],
    ['an invalid id', { trace_id: 'mine' }, { attributes: { trace_id: 'mine' } }],
  ])('of %s is understood', (_name, object, expected) => {
    expect(described(JSON.stringify(object))).toMatchObject(expected);
  });

  it('of the platform ties request and trace together', () => {
    const record = {
      requestId: sampleRequestId,
      metrics: {
        durationMs: 12.5,
        billedDurationMs: 13,
        memorySizeMB: 512,
        maxMemoryUsedMB: 88,
        initDurationMs: 140.25,
      },
      tracing: {
        spanId: sampleSpanId,
        type: 'X-Amzn-Trace-Id',
        value: `Root=${root};Parent=${sampleSpanId};Sampled=1`,
      },
      status: 'success',
    };
    expect(
      described(JSON.stringify({ time: '2026-11-22T10:00:00.000Z', type: 'platform.report', record })),
    ).toMatchObject({
      requestId: sampleRequestId,
      traceId: sampleTraceId,
      spanId: sampleSpanId,
      attributes: { '@type': 'REPORT', '@duration': 12.5, '@initDuration': 140.25, '@memorySize': 512_000_000 },
    });
  });

  it('that nests too deep, is cut off or is a list is a plain line', () => {
    const deep = `{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`;
    for (const message of [deep, '{"level":"INFO"', '[{"level":"INFO"}]']) {
      expect(described(message)).toEqual({
        source: 'function',
        timeMilliseconds: 1,
        logGroup: 'g',
        logStream: 's',
        message,
      });
    }
  });

  it('changes nothing that was known before', () => {
    const known = { traceId: 'a'.repeat(32), requestId: 'known', level: 'INFO' };
    const line = JSON.stringify({
      trace_id: sampleTraceId,
      requestId: sampleRequestId,
      level: 'ERROR',
      span_id: sampleSpanId,
    });
    expect(described(line, known)).toMatchObject({ ...known, spanId: sampleSpanId });
    const withAttributes = described('{"a":1,"b":1,"level":"INFO"}', {
      attributes: { b: 2 },
      level: undefined as never,
    });
    expect(withAttributes).toMatchObject({ level: 'INFO', attributes: { a: 1, b: 2 } });
  });
});

describe('a line of the platform', () => {
  it('REPORT gives the request, its trace and its figures', () => {
    const report =
      `REPORT RequestId: ${sampleRequestId}\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 512 MB\tMax Memory Used: 88 MB\t` +
      `Init Duration: 140.25 ms\t\nXRAY TraceId: ${root}\tSegmentId: ${sampleSpanId}\tSampled: true\t`;
    expect(described(report)).toMatchObject({
      requestId: sampleRequestId,
      traceId: sampleTraceId,
      spanId: sampleSpanId,
      attributes: {
        '@type': 'REPORT',
        '@duration': 12.34,
        '@billedDuration': 13,
        '@initDuration': 140.25,
        '@memorySize': 512_000_000,
        '@maxMemoryUsed': 88_000_000,
        sampled: true,
      },
    });
  });

  it('REPORT of a failed invocation is an error', () => {
    const report = `REPORT RequestId: ${sampleRequestId}\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tStatus: timeout`;
    expect(described(report)).toMatchObject({ level: 'ERROR', attributes: { status: 'timeout' } });
  });

  it.each([
    [
      `START RequestId: ${sampleRequestId} Version: $LATEST`,
      { requestId: sampleRequestId, attributes: { '@type': 'START' } },
    ],
    [`END RequestId: ${sampleRequestId}`, { requestId: sampleRequestId, attributes: { '@type': 'END' } }],
    ['INIT_START Runtime Version: nodejs:24.v1', { attributes: { '@type': 'INIT_START' } }],
    [
      `2026-11-22T10:00:03.000Z ${sampleRequestId} Task timed out after 3.00 seconds`,
      { requestId: sampleRequestId, level: 'ERROR' },
    ],
  ])('is understood: %s', (message, expected) => {
    expect(described(message)).toMatchObject(expected);
  });
});

describe('a tab-separated line', () => {
  it('gives request and level', () => {
    expect(described(`2026-11-22T10:00:00.000Z\t${sampleRequestId}\tWARN\tslow`)).toMatchObject({
      requestId: sampleRequestId,
      level: 'WARN',
    });
  });

  it('has no request while the environment initialises', () => {
    const record = described('2026-11-22T10:00:00.000Z\tundefined\tINFO\tloading');
    expect(record).toMatchObject({ level: 'INFO' });
    expect(record).not.toHaveProperty('requestId');
  });

  it('of an error gives its type from the last column', () => {
    const error = JSON.stringify({ errorType: 'TypeError', errorMessage: 'no', stack: [] });
    expect(described(`2026-11-22T10:00:00.000Z\t${sampleRequestId}\tERROR\tInvoke Error \t${error}`)).toMatchObject({
      level: 'ERROR',
      requestId: sampleRequestId,
      attributes: { errorType: 'TypeError' },
    });
  });
});

describe('any other line', () => {
  it('is handed on as the same record, and none makes it throw', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((text) => `2026-11-22T10:00:00.000Z\tx\tINFO\t${text}`),
        ),
        (message) => {
          expect(described(message).message).toBe(message);
        },
      ),
    );
    const record: LogRecord = {
      source: 'function',
      timeMilliseconds: 1,
      logGroup: 'g',
      logStream: 's',
      message: 'hello',
    };
    expect(describeLine(record)).toBe(record);
  });
});
