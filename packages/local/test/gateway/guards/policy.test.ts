import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluatePolicy, readPolicy } from '../../../src/gateway/guards/policy.ts';

const arn = 'arn:aws:execute-api:eu-central-1:123456789012:abc/dev/GET/pets/1';
const allow = (Resource: string | string[], more: object = {}) => ({
  Effect: 'Allow',
  Action: 'execute-api:Invoke',
  Resource,
  ...more,
});

describe('a policy', () => {
  it.each([
    ['the ARN itself', arn],
    ['everything', '*'],
    ['a wildcard', 'arn:aws:execute-api:*:*:abc/*/GET/*'],
    ['one of several', ['arn:aws:s3:::x', arn]],
    ['a question mark', `${arn.slice(0, -1)}?`],
  ])('allows by %s', (_, resource) => {
    expect(evaluatePolicy([allow(resource)], arn)).toBe('allow');
  });

  it.each([
    ['another path', arn.replace('/1', '/2')],
    ['another case', arn.replace('pets', 'Pets')],
    ['a wildcard of another case', arn.replace('pets/1', 'PETS/*')],
    ['another method', arn.replace('GET', 'POST')],
    ['a prefix', arn.slice(0, -1)],
  ])('does not allow by %s', (_, resource) => {
    expect(evaluatePolicy([allow(resource)], arn)).toBe('implicit-deny');
  });

  it('takes actions in any case, and no other action', () => {
    expect(evaluatePolicy([allow('*', { Action: ['EXECUTE-API:*'] })], arn)).toBe('allow');
    expect(evaluatePolicy([allow('*', { Action: 's3:*' })], arn)).toBe('implicit-deny');
  });

  it('knows NotAction and NotResource', () => {
    expect(evaluatePolicy([{ Effect: 'Allow', NotAction: 's3:*', NotResource: `${arn}/x` }], arn)).toBe('allow');
    expect(evaluatePolicy([{ Effect: 'Allow', Action: '*', NotResource: arn }], arn)).toBe('implicit-deny');
  });

  it('denies wherever a statement denies, whatever the others allow', () => {
    const statement = fc.record({
      Effect: fc.constantFrom('Allow', 'Deny'),
      Action: fc.constantFrom('*', 'execute-api:Invoke', 's3:Get'),
      Resource: fc.constantFrom('*', arn, 'arn:aws:execute-api:*', 'other'),
    });
    fc.assert(
      fc.property(fc.array(statement), (statements) => {
        const covers = ({ Action, Resource }: { Action: string; Resource: string }) =>
          Action !== 's3:Get' && Resource !== 'other';
        const denies = statements.some((one) => one.Effect === 'Deny' && covers(one));
        const allows = statements.some((one) => one.Effect === 'Allow' && covers(one));
        expect(evaluatePolicy(statements, arn)).toBe(denies ? 'explicit-deny' : allows ? 'allow' : 'implicit-deny');
      }),
    );
  });

  it('is never allowed by whatever else an authorizer returns', () => {
    fc.assert(
      fc.property(fc.anything(), (document) => {
        const statements = readPolicy(document) ?? [];
        expect(evaluatePolicy(statements, arn)).not.toBe('allow');
      }),
    );
  });
});
