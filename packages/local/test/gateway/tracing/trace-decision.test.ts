import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSampler, matchesWildcard, type SamplingRequest } from '../../../src/gateway/tracing/trace-decision.ts';
import type { SamplingRule } from '../../../src/service/model.ts';

function rule(more: Partial<SamplingRule>): SamplingRule {
  return {
    RuleName: 'rule',
    Priority: 100,
    FixedRate: 0,
    ReservoirSize: 0,
    ServiceName: '*',
    ServiceType: '*',
    Host: '*',
    HTTPMethod: '*',
    URLPath: '*',
    ResourceARN: '*',
    ...more,
  };
}

const request: SamplingRequest = {
  serviceName: 'dev-shop/dev',
  serviceType: 'AWS::ApiGateway::Stage',
  resourceArn: 'arn:aws:apigateway:eu-central-1::/restapis/abc/stages/dev',
  hosts: ['127.0.0.1:3000', '127.0.0.1'],
  method: 'GET',
  paths: ['/api/items/1', '/dev/api/items/1'],
};

const never = (): number => 0.999;

describe('the sampler', () => {
  it('asks the rule of the lowest priority number that matches, and of equal ones the first by name', () => {
    const sample = createSampler(
      [
        rule({ RuleName: 'b', Priority: 5 }),
        rule({ RuleName: 'late', Priority: 9 }),
        rule({ RuleName: 'a', Priority: 5 }),
        rule({ RuleName: 'other', Priority: 1, HTTPMethod: 'POST' }),
      ],
      () => 0,
      never,
    );
    expect(sample(request)).toEqual({ sampled: false, ruleName: 'a' });
    expect(sample({ ...request, method: 'POST' }).ruleName).toBe('other');
  });

  it.each([
    ['ServiceName', 'dev-*', 'prod-*'],
    ['ServiceType', 'aws::apigateway::stage', 'AWS::Lambda::Function'],
    ['ResourceARN', '*/stages/dev', '*/stages/prod'],
    ['Host', '127.0.0.1', 'example.com'],
    ['HTTPMethod', 'g?t', 'POST'],
    ['URLPath', '/api/items/*', '/api/items'],
  ])('matches by %s', (field, matching, other) => {
    const named = (pattern: string): string =>
      createSampler([rule({ RuleName: 'named', [field]: pattern })], () => 0, never)(request).ruleName;
    expect(named(matching)).toBe('named');
    expect(named(other)).toBe('Default');
  });

  it('matches a path with and without its stage', () => {
    const sample = createSampler([rule({ RuleName: 'staged', URLPath: '/dev/api/*' })], () => 0, never);
    expect(sample(request).ruleName).toBe('staged');
  });

  it('passes over a rule that asks for attributes, which API Gateway does not give', () => {
    const sample = createSampler([rule({ Attributes: { tier: 'gold' } })], () => 0, never);
    expect(sample(request).ruleName).toBe('Default');
  });

  it('keeps one request a second and 5 % of the rest where no rule matches', () => {
    let time = 0;
    const draws = [0.04, 0.05, 0.06];
    const sample = createSampler(
      [],
      () => time,
      () => draws.shift() ?? 1,
    );
    expect([1, 2, 3, 4].map(() => sample(request).sampled)).toEqual([true, true, false, false]);
    time = 1000;
    expect(sample(request)).toEqual({ sampled: true, ruleName: 'Default' });
  });

  it('takes from the reservoir of a rule exactly its size in each second', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 20 }),
        fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 200 }),
        (size, steps) => {
          let time = 1_700_000_000_000;
          const sample = createSampler([rule({ ReservoirSize: size })], () => time, never);
          const seen = new Map<number, { asked: number; kept: number }>();
          for (const step of steps) {
            time += step;
            const second = seen.get(Math.floor(time / 1000)) ?? { asked: 0, kept: 0 };
            second.asked += 1;
            if (sample(request).sampled) second.kept += 1;
            seen.set(Math.floor(time / 1000), second);
          }
          for (const { asked, kept } of seen.values()) expect(kept).toBe(Math.min(asked, size));
        },
      ),
    );
  });

  it('keeps by the rate what the reservoir leaves', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (rate, draw) => {
          const sample = createSampler(
            [rule({ FixedRate: rate })],
            () => 0,
            () => draw,
          );
          expect(sample(request).sampled).toBe(draw < rate);
        },
      ),
    );
  });
});

/**
 * The same language by regular expression, which may take exponential time and is therefore not
 * used itself.
 */
function byExpression(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\/]/g, '\\$&')
    .replaceAll('*', '[^]*')
    .replaceAll('?', '[^]');
  return new RegExp(`^${source}$`, 'i').test(text);
}

describe('matchesWildcard', () => {
  it.each([
    ['*', '', true],
    ['*', 'anything', true],
    ['/api/*', '/api/activities/home', true],
    ['/api/*', '/health', false],
    ['api-?/dev', 'api-1/dev', true],
    ['api-?/dev', 'api-/dev', false],
    ['GET', 'get', true],
    ['*.example.com', 'a.example.com', true],
    ['a*b*c', 'a-b-b-c', true],
    ['a.c', 'abc', false],
    ['', 'a', false],
  ])('%s and %s: %s', (pattern, text, expected) => {
    expect(matchesWildcard(pattern, text)).toBe(expected);
  });

  it('agrees with a regular expression on every pattern', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'B', '.', '/', '*', '?'), maxLength: 8 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'A', '.', '/'), maxLength: 10 });
    fc.assert(
      fc.property(letters, text, (pattern, given) => {
        expect(matchesWildcard(pattern, given)).toBe(byExpression(pattern, given));
      }),
      { numRuns: 2000 },
    );
  });

  it('ends on a pattern that a backtracking matcher would not end on', () => {
    expect(matchesWildcard(`${'*a'.repeat(200)}b`, 'a'.repeat(10_000))).toBe(false);
  });
});
