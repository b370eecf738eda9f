import { describe, expect, it } from 'vitest';
import {
  resolveIntrinsics,
  type TemplateContext,
  UnresolvedIntrinsic,
} from '../../../src/service/values/intrinsics.ts';

const context: TemplateContext = {
  region: 'eu-central-1',
  accountId: '123456789012',
  stackName: 'shop-dev',
  resources: {
    Orders: { Type: 'AWS::DynamoDB::Table', Properties: { TableName: { 'Fn::Sub': '${AWS::StackName}-orders' } } },
    Files: { Type: 'AWS::S3::Bucket', Properties: {} },
    News: { Type: 'AWS::SNS::Topic', Properties: { TopicName: 'news' } },
    Mail: { Type: 'AWS::SQS::Queue' },
  },
  parameters: { Colour: 'red', NoDefault: undefined },
};

describe('intrinsic functions of a template', () => {
  it.each([
    ['a reference to a named resource is its name', { Ref: 'Orders' }, 'shop-dev-orders'],
    ['a resource without a name gets one of stack and logical id', { Ref: 'Files' }, 'shop-dev-Files'],
    [
      'a reference to a queue is its URL',
      { Ref: 'Mail' },
      'https://sqs.eu-central-1.amazonaws.com/123456789012/shop-dev-Mail',
    ],
    [
      'a reference to a topic is its ARN, and so is its attribute TopicArn',
      [{ Ref: 'News' }, { 'Fn::GetAtt': ['News', 'TopicArn'] }],
      Array(2).fill('arn:aws:sns:eu-central-1:123456789012:news'),
    ],
    ['an attribute that is the name', { 'Fn::GetAtt': ['News', 'TopicName'] }, 'news'],
    ['an ARN without region and account', { 'Fn::GetAtt': ['Files', 'Arn'] }, 'arn:aws:s3:::shop-dev-Files'],
    ['a pseudo parameter', { Ref: 'AWS::Region' }, 'eu-central-1'],
    ['a parameter is its default', { Ref: 'Colour' }, 'red'],
    [
      'an ARN, in both ways of writing it',
      [{ 'Fn::GetAtt': ['Orders', 'Arn'] }, { 'Fn::GetAtt': 'Orders.Arn' }],
      Array(2).fill('arn:aws:dynamodb:eu-central-1:123456789012:table/shop-dev-orders'),
    ],
    [
      'a substitution with variables of its own',
      { 'Fn::Sub': ['${a}/${Colour}', { a: { Ref: 'Files' } }] },
      'shop-dev-Files/red',
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
    ['what only AWS knows', { 'Fn::GetAtt': ['Orders', 'StreamArn'] }, 'only AWS knows Orders.StreamArn'],
    [
      'outputs of other stacks',
      { 'Fn::ImportValue': 'x' },
      'Fn::ImportValue is known to AWS only; set the variable in custom.local.environment',
    ],
    [
      'a parameter of SSM',
      '{{resolve:ssm:/x}}',
      'only AWS knows {{resolve:ssm:/x}}; set the variable in custom.local.environment',
    ],
    ['what is not in the template', { Ref: 'Nowhere' }, 'Nowhere is not a resource or parameter of this template'],
    [
      'a parameter without a default',
      { Ref: 'NoDefault' },
      'NoDefault is not a resource or parameter of this template',
    ],
  ])('refuses %s, and says why', (_, value, reason) => {
    expect(() => resolveIntrinsics(value, context)).toThrow(new UnresolvedIntrinsic(reason));
  });
});
