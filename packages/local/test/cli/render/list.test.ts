import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { renderList, renderSummary } from '../../../src/cli/render/list.ts';
import { columns } from '../../../src/cli/render/text.ts';
import { summaryOf } from '../../../src/trace/build-trace.ts';
import { anyTrace } from '../../trace/arbitrary-trace.ts';
import { coldRequest, faultyRequest } from '../../trace/sample-trace.ts';

beforeAll(() => {
  process.env.TZ = 'UTC';
});

describe('renderList', () => {
  it('shows a trace a line, the newest last, with the end of the id where the whole one has no room', () => {
    const older = { ...summaryOf(faultyRequest()), start: Date.UTC(2026, 10, 22, 15, 43) };
    expect(`\n${renderList([summaryOf(coldRequest()), older], { width: 80, color: false })}\n`).toBe(`
15:43:00.000 ✗ 500 GET /api/activities/home?limit=5        36.0 ms      293a4b5c
15:44:01.123   200 GET /api/activities/home                 342 ms cold 293a4b5c
`);
  });

  it('shows the whole id in a wide terminal', () => {
    expect(renderSummary(summaryOf(coldRequest()), { width: 120, color: false })).toMatch(
      /1-6561dad1-a1b2c3d4e5f60718293a4b5c$/,
    );
  });

  it('is never wider than the terminal, whatever a trace holds', () => {
    fc.assert(
      fc.property(anyTrace, fc.integer({ min: 40, max: 200 }), (any, width) => {
        expect(columns(renderSummary(summaryOf(any), { width, color: false }))).toBeLessThanOrEqual(width);
      }),
    );
  });
});
