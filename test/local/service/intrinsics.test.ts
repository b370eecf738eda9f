import { describe, expect, it } from 'vitest';
import { resolveIntrinsics, type TemplateContext, UnresolvedIntrinsic } from '../../../local/service/intrinsics.ts';

const context: TemplateContext = {
  region: 'eu-central-1',
  accountId: '123456789012',
  stackName: 'shop-dev',
  resources: {
    Orders: { Type: 'AWS::DynamoDB::Table', Properties: { TableName: { 'Fn::Sub': '${AWS::StackName}-orders' } } },
    Jobs: { Type: 'AWS::SQS::Queue', Properties: {} },
    Mail: { Type: 'AWS::SQS::Queue' },
  },
  parameters: { Colour: 'red', NoDefault: undefined },
};

describe('intrinsic functions of a template', () => {
  it.each([
    ['a reference to a named resource is its name', { Ref: 'Orders' }, 'shop-dev-orders'],
    ['a resource without a name gets one of stack and logical id', { Ref: 'Jobs' }, 'shop-dev-Jobs'],
    ['a resource without properties has such a name too', { Ref: 'Mail' }, 'shop-dev-Mail'],
    ['a pseudo parameter', { Ref: 'AWS::Region' }, 'eu-central-1'],
    ['a parameter is its default', { Ref: 'Colour' }, 'red'],
    [
      'an ARN, in both ways of writing it',
      [{ 'Fn::GetAtt': ['Orders', 'Arn'] }, { 'Fn::GetAtt': 'Orders.Arn' }],
      Array(2).fill('arn:aws:dynamodb:eu-central-1:123456789012:table/shop-dev-orders'),
    ],
    [
      'a substitution with variables of its own',
      { 'Fn::Sub': ['${a}/${Colour}', { a: { Ref: 'Jobs' } }] },
      'shop-dev-Jobs/red',
    ],
    ['an escaped substitution stays', { 'Fn::Sub': '${!Literal}' }, '${Literal}'],
    ['functions inside functions', { 'Fn::Select': [1, { 'Fn::Split': ['-', { Ref: 'Orders' }] }] }, 'dev'],
    ['a join', { 'Fn::Join': ['/', ['a', { Ref: 'Colour' }, 1]] }, 'a/red/1'],
    [
      'values without functions',
      { Ref: 'x', and: ['more', 1, null, true] },
      { Ref: 'x', and: ['more', 1, null, true] },
    ],
  ])('%s', (_, value, expected) => {
    expect(resolveIntrinsics(value, context)).toEqual(expected);
  });

  it.each([
    ['what only AWS knows', { 'Fn::GetAtt': ['Orders', 'StreamArn'] }, 'Orders.StreamArn is known to AWS only'],
    ['outputs of other stacks', { 'Fn::ImportValue': 'x' }, 'Fn::ImportValue can only be worked out by AWS'],
    ['what is not in the template', { Ref: 'Nowhere' }, 'Nowhere is no resource or parameter of this template'],
    ['a parameter without a default', { Ref: 'NoDefault' }, 'NoDefault is no resource or parameter of this template'],
  ])('refuses %s, and says why', (_, value, reason) => {
    expect(() => resolveIntrinsics(value, context)).toThrow(new UnresolvedIntrinsic(reason));
  });
});
