import { describe, expect, it } from 'vitest';
import { buildTrace } from '../../src/trace/build-trace.ts';
import type { SegmentDocument } from '../../src/trace/records.ts';

const id = '6561dad1a1b2c3d4e5f60718293a4b5c';
const document = (name: string, more: Partial<SegmentDocument>): SegmentDocument => ({
  name,
  id: Buffer.from(name.padEnd(8).slice(-8)).toString('hex'),
  trace_id: '1-6561dad1-a1b2c3d4e5f60718293a4b5c',
  start_time: 100,
  ...more,
});
const stage = document('stage', { origin: 'AWS::ApiGateway::Stage', start_time: 100, end_time: 100.25 });
const lambda = document('function', {
  origin: 'AWS::Lambda::Function',
  parent_id: stage.id,
  start_time: 100.01,
  end_time: 101,
});

describe('the duration of a trace', () => {
  it('ends with the answer, though the function runs on', () => {
    const trace = buildTrace(id, { documents: [lambda, stage], spans: [] });
    expect(trace).toMatchObject({ start: 100_000, end: 101_000, duration: 250 });
  });

  it("is the gateway's also below a browser's span", () => {
    const browser = document('browser', { start_time: 99.5, end_time: 100.5 });
    const trace = buildTrace(id, { documents: [browser, { ...stage, parent_id: browser.id }, lambda], spans: [] });
    expect(trace?.duration).toBe(250);
  });

  it("is the first segment's where there is no gateway", () => {
    const alone = { ...lambda, parent_id: undefined } as unknown as SegmentDocument;
    expect(buildTrace(id, { documents: [alone], spans: [] })?.duration).toBeCloseTo(990);
  });

  it('lasts so far while the request is in progress', () => {
    const open = { ...document('stage', { origin: 'AWS::ApiGateway::Stage' }), in_progress: true } as SegmentDocument;
    const trace = buildTrace(id, { documents: [{ ...lambda, end_time: 100.5 }, open], spans: [] });
    expect(trace).toMatchObject({ inProgress: true, duration: 500 });
  });
});
