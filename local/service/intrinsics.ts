/** The CloudFormation functions that a template's values can hold, worked out as far as that is possible without an account. */

export interface TemplateContext {
  region: string;
  accountId: string;
  stackName: string;
  /** Logical id to resource: `resources.Resources`, and what Serverless itself makes of functions and events. */
  resources: Record<string, { Type?: string; Properties?: Record<string, unknown> }>;
  /** Template parameters that have a default. */
  parameters: Record<string, unknown>;
}

/** A value that only AWS knows, such as the id of a Cognito pool; `reason` says which. */
export class UnresolvedIntrinsic extends Error {
  readonly reason: string;
  constructor(reason: string) {
    super(reason);
    this.name = 'UnresolvedIntrinsic';
    this.reason = reason;
  }
}

type Resolve = (value: unknown) => unknown;

const functions: Record<string, (argument: unknown, context: TemplateContext, resolve: Resolve) => unknown> = {
  Ref: (argument, context) => reference(String(argument), context),
  'Fn::GetAtt': (argument, context) => {
    const [logicalId = '', ...rest] = Array.isArray(argument) ? argument.map(String) : String(argument).split('.');
    return attribute(logicalId, rest.join('.'), context);
  },
  'Fn::Sub': (argument, context, resolve) => {
    const [template, given] = Array.isArray(argument) ? argument : [argument, {}];
    const variables = (resolve(given ?? {}) ?? {}) as Record<string, unknown>;
    return String(template).replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) => {
      if (literal) return `\${${name}}`;
      if (Object.hasOwn(variables, name)) return String(variables[name]);
      const [logicalId = '', ...rest] = name.split('.');
      return String(rest.length ? attribute(logicalId, rest.join('.'), context) : reference(name, context));
    });
  },
  'Fn::Join': (argument, _, resolve) => {
    const [separator, parts] = resolve(argument) as [string, unknown[]];
    return parts.map(String).join(separator);
  },
  'Fn::Select': (argument, _, resolve) => {
    const [index, list] = resolve(argument) as [number | string, unknown[]];
    return list[Number(index)];
  },
  'Fn::Split': (argument, _, resolve) => {
    const [separator, text] = resolve(argument) as [string, string];
    return String(text).split(separator);
  },
  'Fn::Base64': (argument, _, resolve) => Buffer.from(String(resolve(argument))).toString('base64'),
};

/**
 * @returns `value` with every intrinsic function in it replaced by what it stands for.
 * @throws {UnresolvedIntrinsic} for what only AWS knows: outputs of other stacks, generated names, conditions.
 */
export function resolveIntrinsics(value: unknown, context: TemplateContext): unknown {
  const resolve: Resolve = (inner) => resolveIntrinsics(inner, context);
  if (Array.isArray(value)) return value.map(resolve);
  if (value === null || typeof value !== 'object') return value;
  const [only, ...others] = Object.entries(value);
  if (only && others.length === 0 && (only[0] === 'Ref' || only[0].startsWith('Fn::'))) {
    const work = functions[only[0]];
    if (!work) throw new UnresolvedIntrinsic(`${only[0]} can only be worked out by AWS`);
    return work(only[1], context, resolve);
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(inner)]));
}

const nameProperties = ['TableName', 'QueueName', 'BucketName', 'TopicName', 'FunctionName', 'LogGroupName', 'Name'];

function reference(name: string, context: TemplateContext): unknown {
  const pseudo: Record<string, string> = {
    'AWS::Region': context.region,
    'AWS::AccountId': context.accountId,
    'AWS::StackName': context.stackName,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
  };
  if (Object.hasOwn(pseudo, name)) return pseudo[name];
  if (context.parameters[name] !== undefined) return context.parameters[name];
  return resourceName(name, context);
}

function resourceName(logicalId: string, context: TemplateContext): string {
  const resource = context.resources[logicalId];
  if (!resource) throw new UnresolvedIntrinsic(`${logicalId} is no resource or parameter of this template`);
  const properties = resource.Properties ?? {};
  const property = nameProperties.find((candidate) => Object.hasOwn(properties, candidate));
  // CloudFormation makes names up from stack and logical id; locally the random tail has no use.
  return property ? String(resolveIntrinsics(properties[property], context)) : `${context.stackName}-${logicalId}`;
}

const arnKinds: Record<string, (name: string) => string> = {
  'AWS::DynamoDB::Table': (name) => `dynamodb:{place}:table/${name}`,
  'AWS::SQS::Queue': (name) => `sqs:{place}:${name}`,
  'AWS::SNS::Topic': (name) => `sns:{place}:${name}`,
  'AWS::Lambda::Function': (name) => `lambda:{place}:function:${name}`,
};

function attribute(logicalId: string, name: string, context: TemplateContext): string {
  const type = context.resources[logicalId]?.Type ?? '';
  const arn = arnKinds[type];
  if (arn && name === 'Arn') {
    const place = `${context.region}:${context.accountId}`;
    return `arn:aws:${arn(resourceName(logicalId, context)).replace('{place}', place)}`;
  }
  throw new UnresolvedIntrinsic(`${logicalId}.${name} is known to AWS only`);
}
