import { describe, expect, it } from 'vitest';
import { tooWide } from '../../rehearsal/policies.ts';

const table = 'arn:aws:dynamodb:us-east-1:123456789012:table/cruddur-prod';
const allow = (Action: string | string[], Resource: string | string[]) => ({ Effect: 'Allow', Action, Resource });

describe('a policy of the packaged template', () => {
  it.each([
    ['names its actions and its table', allow(['dynamodb:Query', 'dynamodb:GetItem'], table)],
    ['sends traces, which have no resource', allow(['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], '*')],
    ['denies everything', { Effect: 'Deny', Action: '*', Resource: '*' }],
  ])('is accepted when it %s', (_, statement) => {
    expect(tooWide([statement])).toEqual([]);
  });

  it.each([
    ['everything', allow('*', '*'), 'allows *'],
    ['every action of a service', allow(['dynamodb:*'], table), 'allows dynamodb:*'],
    ['a family of actions', allow('dynamodb:Put*', table), 'allows dynamodb:Put*'],
    ['an action on every table', allow('dynamodb:Query', [table, '*']), 'allows dynamodb:Query on every resource'],
  ])('is refused when it allows %s', (_, statement, sentence) => {
    expect(tooWide([allow('dynamodb:Query', table), statement])).toEqual([sentence]);
  });
});
