import { describe, expect, it } from 'vitest';
import { condense } from '../../src/format/log-line.ts';

const of = (message: string, level?: string) =>
  condense({ time: 0, logGroup: 'g', message, ...(level ? { level } : {}) });
const id = '8f2f5a1c-0000-4000-8000-000000000000';

describe('condense', () => {
  it('shows a plain line as it is, with the level that came with it', () => {
    expect(of('hello', 'warn')).toEqual({ level: 'WARN', style: 'warning', text: 'hello', kind: 'line' });
  });

  it("takes the runtime's own time, request id and level off a line of console.log", () => {
    expect(of(`2026-11-22T15:44:01.123Z\t${id}\tERROR\tit broke\nbadly`)).toMatchObject({
      level: 'ERROR',
      text: 'it broke\nbadly',
    });
  });

  it('shows a structured line by its message and what the service added to it', () => {
    const line = {
      level: 'INFO',
      message: 'sold',
      timestamp: 't',
      service: 's',
      xray_trace_id: 'x',
      order: 7,
      tags: ['a'],
      cold_start: true,
    };
    expect(of(JSON.stringify(line))).toMatchObject({ level: 'INFO', text: 'sold  order=7 tags=["a"]' });
    expect(of(`2026-11-22T15:44:01.123Z\t${id}\tINFO\t${JSON.stringify(line)}`).text).toBe('sold  order=7 tags=["a"]');
  });

  it('shows an error in a structured line by its name and message, without its stack', () => {
    const error = { name: 'TypeError', message: 'x is undefined', stack: 'TypeError: x is undefined\n    at …' };
    expect(of(JSON.stringify({ level: 'ERROR', message: 'failed', error })).text).toBe(
      'failed  error=TypeError: x is undefined',
    );
  });

  it('says of a REPORT line what was used of what there was, also after a timeout', () => {
    const report = `REPORT RequestId: ${id}\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 128 MB\tMax Memory Used: 60 MB\tStatus: timeout\tXRAY TraceId: 1-2-3\tSegmentId: 4\tSampled: true\t`;
    expect(of(report)).toEqual({
      level: '',
      style: 'dim',
      text: 'REPORT 3000.00 ms, 60 of 128 MB used, timeout',
      kind: 'line',
    });
    expect(of(`START RequestId: ${id} Version: $LATEST`)).toMatchObject({
      kind: 'boundary',
      text: 'START Version: $LATEST',
    });
    expect(of(`END RequestId: ${id}`).text).toBe('END');
  });

  it('shows an invocation that threw by the type and message of its error', () => {
    const error = JSON.stringify({ errorType: 'TypeError', errorMessage: 'nothing to sell', stack: ['TypeError: …'] });
    const line = `2026-11-22T15:44:01.123Z\t${id}\tERROR\tInvoke Error \t${error}`;
    expect(of(line)).toMatchObject({ level: 'ERROR', text: 'Invoke Error  TypeError: nothing to sell' });
  });

  it("shows the platform's JSON records as its text lines: quietly", () => {
    const record = { time: 't', type: 'platform.start', record: { version: '$LATEST' } };
    expect(of(JSON.stringify(record))).toMatchObject({ style: 'dim', text: 'platform.start {"version":"$LATEST"}' });
  });

  it('knows a metric in the embedded format', () => {
    expect(of(JSON.stringify({ _aws: {}, requests: 1 }))).toMatchObject({ kind: 'metric', text: 'requests=1' });
  });

  it('survives JSON that is thousands of levels deep, and invalid JSON', () => {
    expect(of(`{"message":"deep","tree":${'['.repeat(50_000)}${']'.repeat(50_000)}}`).text).toMatch(/^deep {2}tree=/);
    expect(of('{"message":').text).toBe('{"message":');
    expect(of('{"__proto__":{"level":"ERROR"},"message":"mine"}').level).toBe('');
  });
});
