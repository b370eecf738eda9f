import { describe, expect, it } from 'vitest';
import { missingOnAws } from '../../src/format/tools.ts';
import { untracedMark } from '../../src/trace/records.ts';
import { node, trace } from '../trace/sample-trace.ts';

describe('missingOnAws', () => {
  it('names each AWS service whose segments exist only locally, once', () => {
    const lambda = node('shop', 1, 9, {
      origin: 'AWS::Lambda',
      metadata: untracedMark,
      children: [node('shop', 2, 8, { origin: 'AWS::Lambda::Function', metadata: untracedMark })],
    });
    const stage = node('shop/dev', 0, 10, {
      origin: 'AWS::ApiGateway::Stage',
      metadata: untracedMark,
      children: [lambda],
    });
    expect(missingOnAws(trace([stage]))).toBe(
      'AWS would show no segments of API Gateway and Lambda: tracing is off in serverless.yml',
    );
    expect(missingOnAws(trace([lambda]))).toContain('no segments of Lambda:');
  });

  it('says nothing where AWS would have every segment', () => {
    expect(missingOnAws(trace([node('shop/dev', 0, 10, { origin: 'AWS::ApiGateway::Stage' })]))).toBeUndefined();
  });
});
