/**
 * The CloudFormation functions that a template's values can hold, worked out as far as that is
 * possible without an account.
 */

export interface TemplateContext {
  region: string;
  accountId: string;
  stackName: string;
  /**
   * Logical id to resource: `resources.Resources`, and what Serverless itself makes of functions
   * and events.
   */
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
 * @throws {UnresolvedIntrinsic} for what only AWS knows: outputs of other stacks, generated
 *   names, conditions.
 */
export function resolveIntrinsics(value: unknown, context: TemplateContext): unknown {
  const resolve: Resolve = (inner) => resolveIntrinsics(inner, context);
  if (Array.isArray(value)) return value.map(resolve);
  // CloudFormation replaces these while it deploys.
  if (typeof value === 'string' && /\{\{resolve:(ssm|ssm-secure|secretsmanager):/.test(value)) {
    throw new UnresolvedIntrinsic(`only AWS knows ${value}; set the variable in custom.local.environment`);
  }
  if (value === null || typeof value !== 'object') return value;
  const [only, ...others] = Object.entries(value);
  if (only && others.length === 0 && (only[0] === 'Ref' || only[0].startsWith('Fn::'))) {
    const work = functions[only[0]];
    if (!work)
      throw new UnresolvedIntrinsic(`${only[0]} is known to AWS only; set the variable in custom.local.environment`);
    return work(only[1], context, resolve);
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(inner)]));
}

/**
 * The property that names a resource; without one CloudFormation makes a name up from stack and
 * logical id.
 */
const nameProperties = [
  ...['TableName', 'QueueName', 'BucketName', 'TopicName', 'FunctionName', 'LogGroupName', 'StateMachineName'],
  ...['StreamName', 'DeliveryStreamName', 'RoleName', 'RepositoryName', 'ClusterName', 'UserPoolName', 'Name'],
];

type Named = (name: string, context: TemplateContext) => string;

const place = ({ region, accountId }: TemplateContext) => `${region}:${accountId}`;

const arns: Record<string, Named> = {
  'AWS::DynamoDB::Table': (name, context) => `arn:aws:dynamodb:${place(context)}:table/${name}`,
  'AWS::SQS::Queue': (name, context) => `arn:aws:sqs:${place(context)}:${name}`,
  'AWS::SNS::Topic': (name, context) => `arn:aws:sns:${place(context)}:${name}`,
  'AWS::Lambda::Function': (name, context) => `arn:aws:lambda:${place(context)}:function:${name}`,
  'AWS::S3::Bucket': (name) => `arn:aws:s3:::${name}`,
  'AWS::Kinesis::Stream': (name, context) => `arn:aws:kinesis:${place(context)}:stream/${name}`,
  'AWS::KinesisFirehose::DeliveryStream': (name, context) =>
    `arn:aws:firehose:${place(context)}:deliverystream/${name}`,
  'AWS::StepFunctions::StateMachine': (name, context) => `arn:aws:states:${place(context)}:stateMachine:${name}`,
  'AWS::SecretsManager::Secret': (name, context) => `arn:aws:secretsmanager:${place(context)}:secret:${name}-local1`,
  'AWS::Events::EventBus': (name, context) => `arn:aws:events:${place(context)}:event-bus/${name}`,
  'AWS::Cognito::UserPool': (name, context) =>
    `arn:aws:cognito-idp:${place(context)}:userpool/${poolId(name, context)}`,
  'AWS::IAM::Role': (name, { accountId }) => `arn:aws:iam::${accountId}:role/${name}`,
  'AWS::Logs::LogGroup': (name, context) => `arn:aws:logs:${place(context)}:log-group:${name}:*`,
};

/** What `Ref` of a resource is, where it is not the resource's name. */
const references: Record<string, Named> = {
  'AWS::SNS::Topic': (name, context) => arns['AWS::SNS::Topic']?.(name, context) ?? name,
  'AWS::StepFunctions::StateMachine': (name, context) =>
    arns['AWS::StepFunctions::StateMachine']?.(name, context) ?? name,
  'AWS::SecretsManager::Secret': (name, context) => arns['AWS::SecretsManager::Secret']?.(name, context) ?? name,
  'AWS::SQS::Queue': (name, { region, accountId }) => `https://sqs.${region}.amazonaws.com/${accountId}/${name}`,
  'AWS::Cognito::UserPool': (name, context) => poolId(name, context),
};

/** Only AWS knows the id of a pool; locally a name in the form of one has to do. */
function poolId(name: string, { region }: TemplateContext): string {
  return `${region}_${name.replace(/[^\w]/g, '')}`;
}

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
  const type = context.resources[name]?.Type ?? '';
  const named = resourceName(name, context);
  return (Object.hasOwn(references, type) && references[type]?.(named, context)) || named;
}

function resourceName(logicalId: string, context: TemplateContext): string {
  const resource = context.resources[logicalId];
  if (!resource) throw new UnresolvedIntrinsic(`${logicalId} is not a resource or parameter of this template`);
  const properties = resource.Properties ?? {};
  const property = nameProperties.find((candidate) => Object.hasOwn(properties, candidate));
  // CloudFormation makes names up from stack and logical id; locally the random tail has no use.
  return property ? String(resolveIntrinsics(properties[property], context)) : `${context.stackName}-${logicalId}`;
}

function attribute(logicalId: string, name: string, context: TemplateContext): string {
  const resource = context.resources[logicalId];
  const type = resource?.Type ?? '';
  const arn = Object.hasOwn(arns, type) ? arns[type] : undefined;
  if (resource && arn && (name === 'Arn' || name === `${type.split('::').at(-1)}Arn`)) {
    return arn(resourceName(logicalId, context), context);
  }
  if (resource && /^(\w+Name|Name)$/.test(name)) return resourceName(logicalId, context);
  if (type === 'AWS::SQS::Queue' && name === 'QueueUrl') return String(reference(logicalId, context));
  throw new UnresolvedIntrinsic(`only AWS knows ${logicalId}.${name}`);
}
