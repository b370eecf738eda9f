import { describe, expect, it } from 'vitest';
import { outlineOf } from '../../src/explain/outline.ts';
import { node, trace } from '../trace/sample-trace.ts';

const call = (from: number, to: number, more = {}) =>
  node('payments', from, to, {
    namespace: 'remote',
    http: { method: 'GET', url: `http://payments/pay/${from}` },
    ...more,
  });

const rowsBelow = (children: ReturnType<typeof node>[], end = 342) =>
  outlineOf(trace([node('## handler', 0, end, { children })]))[0]?.children.map(({ kind, label, duration }) => [
    kind,
    label,
    duration,
  ]);

describe('outlineOf', () => {
  it('makes one row of equal siblings that follow each other, with the time in which any of them ran', () => {
    expect(rowsBelow([call(0, 100), call(100, 200), call(150, 300), call(300, 340)])).toEqual([
      ['group', '4 × GET payments/pay/{id}', 340],
    ]);
  });

  it('leaves apart what failed, what differs and what has spans below it', () => {
    const failed = call(100, 200, { fault: true });
    const nested = call(200, 340, { children: [node('server', 210, 330)] });
    expect(rowsBelow([call(0, 50), call(50, 100), failed, nested])?.map(([kind]) => kind)).toEqual(
      Array(4).fill('node'),
    );
  });

  it('gives time without a span a row, but not time after the answer', () => {
    expect(rowsBelow([call(0, 100), call(200, 242)])).toEqual([
      ['node', 'payments', 100],
      ['gap', 'no span', 100],
      ['node', 'payments', 42],
      ['gap', 'no span', 100],
    ]);
    const stage = node('stage', 0, 120, {
      type: 'segment',
      origin: 'AWS::ApiGateway::Stage',
      children: [
        node('function', 0, 342, { type: 'segment', origin: 'AWS::Lambda::Function', children: [call(0, 110)] }),
      ],
    });
    const [row] = outlineOf(trace([stage], { duration: 120 }));
    expect(row?.children[0]?.children.map(({ kind }) => kind)).toEqual(['node']);
  });
});
