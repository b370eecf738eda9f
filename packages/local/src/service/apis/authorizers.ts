import path from 'node:path';
import type { HttpApiAuthorizer, RestAuthorizer } from '../events/serverless-events.ts';
import { authorizerSetting, listOf, type Reading, resolved, resolvedText } from '../reading.ts';
import type { JwtAuthorizer, LambdaAuthorizer, LocalAuthorizer, OpenGuard, RefusedGuard } from './api-model.ts';

const cognitoArn = /^arn:[\w-]+:cognito-idp:([\w-]+):\d*:userpool\/(.+)$/;
const lambdaArn = /:lambda:[\w-]+:\d*:function:([\w-]+)/;
const defaultSource = 'method.request.header.Authorization';

/** @returns what guards a route of a REST API, by the `authorizer` of its event. */
export function readRestAuthorizer(given: string | RestAuthorizer, reading: Reading): LocalAuthorizer {
  if (typeof given === 'string' && given.toUpperCase() === 'AWS_IAM') return iamGuard(reading);
  const authorizer: RestAuthorizer =
    typeof given !== 'string' ? given : given.includes(':') ? { arn: given } : { name: given };
  if (authorizer.type?.toUpperCase() === 'AWS_IAM') return iamGuard(reading);
  if (authorizer.authorizerId) return referredAuthorizer(authorizer, reading);
  const name = authorizer.name ?? nameFromArn(authorizer.arn);
  const opened = openGuard(name, reading);
  if (opened) return opened;

  const arn = authorizer.arn === undefined ? undefined : resolvedText(authorizer.arn, reading);
  if (authorizer.type?.toUpperCase() === 'COGNITO_USER_POOLS' || (arn && cognitoArn.test(arn))) {
    return cognitoAuthorizer(name, [authorizer.arn], authorizer, reading);
  }
  const key = authorizer.arn === undefined ? name : functionByArn(arn, reading);
  return lambdaAuthorizer(name, key, authorizer, reading);
}

/**
 * @returns the guard of an event that names an `AWS::ApiGateway::Authorizer` of the template by
 * `Ref`, or one that exists only on AWS.
 */
function referredAuthorizer(event: RestAuthorizer, reading: Reading): LocalAuthorizer {
  const logicalId = (event.authorizerId as { Ref?: string } | null)?.Ref;
  const resource = logicalId === undefined ? undefined : reading.context.resources[logicalId];
  const name = logicalId ?? String(event.authorizerId);
  const opened = openGuard(name, reading);
  if (opened) return opened;
  if (resource?.Type !== 'AWS::ApiGateway::Authorizer') return lambdaAuthorizer(name, undefined, event, reading);
  const { Type, ProviderARNs, AuthorizerUri, IdentitySource, AuthorizerResultTtlInSeconds } = resource.Properties ?? {};
  const { IdentityValidationExpression } = resource.Properties ?? {};
  const authorizer: RestAuthorizer = {
    ...event,
    type: String(Type),
    ...(IdentitySource ? { identitySource: String(IdentitySource) } : {}),
    ...(AuthorizerResultTtlInSeconds === undefined ? {} : { resultTtlInSeconds: Number(AuthorizerResultTtlInSeconds) }),
    ...(IdentityValidationExpression ? { identityValidationExpression: String(IdentityValidationExpression) } : {}),
  };
  if (Type === 'COGNITO_USER_POOLS') return cognitoAuthorizer(name, listOf(ProviderARNs), authorizer, reading);
  return lambdaAuthorizer(name, functionByArn(resolvedText(AuthorizerUri, reading), reading), authorizer, reading);
}

function lambdaAuthorizer(
  name: string,
  key: string | undefined,
  authorizer: RestAuthorizer,
  reading: Reading,
): LambdaAuthorizer | RefusedGuard {
  const functionKey = authorizerSetting(name, reading).function ?? key;
  if (functionKey === undefined) return elsewhere(name, reading);
  const type = authorizer.type?.toUpperCase() === 'REQUEST' ? 'REQUEST' : 'TOKEN';
  const { identityValidationExpression: validation } = authorizer;
  if (validation !== undefined && !isExpression(validation)) {
    return refused(name, `its identityValidationExpression is not a regular expression here: ${validation}`);
  }
  const ttl = Number(authorizer.resultTtlInSeconds ?? 300);
  const sources = authorizer.identitySource ?? (type === 'REQUEST' && ttl === 0 ? '' : defaultSource);
  return {
    kind: 'lambda',
    name,
    functionKey,
    type,
    identitySources: splitSources(sources),
    ...(validation ? { validation } : {}),
    ttlSeconds: Number.isNaN(ttl) ? 300 : ttl,
    payload: '1.0',
    simpleResponses: false,
  };
}

function cognitoAuthorizer(
  name: string,
  pools: unknown[],
  authorizer: RestAuthorizer,
  reading: Reading,
): JwtAuthorizer | RefusedGuard {
  const setting = authorizerSetting(name, reading);
  // A pool of this template exists only on AWS, whatever its ARN would be here.
  const issuers = setting.issuer
    ? [setting.issuer]
    : pools.flatMap((pool) => {
        if (typeof pool !== 'string' && !setting.keys) return [];
        const [, region, id] = cognitoArn.exec(resolvedText(pool, reading) ?? '') ?? [];
        return region && id ? [`https://cognito-idp.${region}.amazonaws.com/${id}`] : [];
      });
  if (issuers.length === 0) {
    return refused(
      name,
      `its user pool is known to AWS only. Set custom.local.authorizers.${name}.issuer (and .keys for a key file of your own), or .open: true`,
    );
  }
  return {
    kind: 'jwt',
    name,
    issuers,
    audience: [],
    scopes: (authorizer.scopes ?? []).map((scope) => resolvedText(scope, reading) ?? ''),
    identitySource: authorizer.identitySource ?? defaultSource,
    ...keysOf(name, reading),
    cognito: true,
  };
}

/** @returns what guards a route of an HTTP API, by the `authorizer` of its event. */
export function readHttpApiAuthorizer(
  given: string | { name?: string; id?: unknown; type?: string; scopes?: string[] },
  authorizers: Record<string, HttpApiAuthorizer>,
  reading: Reading,
): LocalAuthorizer {
  const { name: named, id, type, scopes = [] } = typeof given === 'string' ? { name: given } : given;
  if ((type ?? named)?.toLowerCase() === 'aws_iam') return iamGuard(reading);
  const name = named ?? resolvedText(id, reading) ?? 'authorizer';
  const opened = openGuard(name, reading);
  if (opened) return opened;
  const authorizer = Object.hasOwn(authorizers, name) ? authorizers[name] : undefined;
  if (!authorizer || authorizer.type === 'request') return httpLambdaAuthorizer(name, authorizer, reading);

  const setting = authorizerSetting(name, reading);
  const issuer = setting.issuer ?? resolvedText(authorizer.issuerUrl, reading);
  if (!issuer) return refused(name, `its issuer is known to AWS only. Set custom.local.authorizers.${name}.issuer`);
  const audience = resolved(authorizer.audience, reading);
  if ('unknown' in audience) {
    const why = `its audience is known to AWS only (${audience.unknown})`;
    return refused(name, `${why}. Set custom.local.authorizers.${name}.open: true to let every request pass`);
  }
  return {
    kind: 'jwt',
    name,
    issuers: [issuer],
    audience: listOf(audience.value).map(String),
    scopes,
    identitySource: listOf(authorizer.identitySource)[0] ?? '$request.header.Authorization',
    ...keysOf(name, reading),
    cognito: false,
  };
}

function httpLambdaAuthorizer(
  name: string,
  authorizer: HttpApiAuthorizer | undefined,
  reading: Reading,
): LambdaAuthorizer | RefusedGuard {
  const functionKey =
    authorizerSetting(name, reading).function ??
    authorizer?.functionName ??
    functionByArn(resolvedText(authorizer?.functionArn, reading), reading);
  if (functionKey === undefined) return elsewhere(name, reading);
  return {
    kind: 'lambda',
    name,
    functionKey,
    type: 'REQUEST',
    identitySources: listOf(authorizer?.identitySource).flatMap(splitSources),
    ttlSeconds: authorizer?.resultTtlInSeconds ?? 0,
    payload: authorizer?.payloadVersion === '1.0' ? '1.0' : '2.0',
    simpleResponses: authorizer?.enableSimpleResponses === true,
  };
}

/** @returns the guard of a route that asks for a signature of IAM, which only AWS can check. */
export function iamGuard(reading: Reading): OpenGuard | RefusedGuard {
  const { principal, open, context } = authorizerSetting('aws_iam', reading);
  if (principal || open) {
    return {
      kind: 'open',
      name: 'aws_iam',
      ...(principal ? { principal } : {}),
      ...(context ? { authorizer: context } : {}),
    };
  }
  const reason =
    'a signature of IAM can be checked by AWS only. Set custom.local.authorizers.aws_iam.principal to an ARN to let every request pass as that caller';
  return { kind: 'refused', name: 'aws_iam', guard: 'iam', reason };
}

function openGuard(name: string, reading: Reading): OpenGuard | undefined {
  const { open, context } = authorizerSetting(name, reading);
  return open ? { kind: 'open', name, ...(context ? { authorizer: context } : {}) } : undefined;
}

function refused(name: string, reason: string): RefusedGuard {
  return { kind: 'refused', name, guard: 'authorizer', reason };
}

function elsewhere(name: string, _: Reading): RefusedGuard {
  const set = `custom.local.authorizers.${name}`;
  return refused(
    name,
    `its function is not one of this service. Set ${set}.function to one that stands in, or ${set}.open: true`,
  );
}

function keysOf(name: string, reading: Reading): { keys?: string } {
  const { keys } = authorizerSetting(name, reading);
  if (!keys) return {};
  return { keys: /^https?:/.test(keys) ? keys : path.resolve(reading.serverless.serviceDir, keys) };
}

function isExpression(text: string): boolean {
  try {
    return new RegExp(text) instanceof RegExp;
  } catch {
    return false;
  }
}

function splitSources(text: string): string[] {
  return text
    .split(',')
    .map((source) => source.trim())
    .filter((source) => source !== '');
}

/**
 * As Serverless names an authorizer by its ARN: the last part of a function's name, or the pool.
 */
function nameFromArn(arn: unknown): string {
  if (typeof arn !== 'string') return 'authorizer';
  const last = arn.split(':').at(-1) ?? arn;
  return cognitoArn.test(arn) ? (last.split('/').at(-1) ?? last) : (last.split('-').at(-1) ?? last);
}

/** @returns the key of the function of this service that an ARN, or a URI with one in it, names. */
function functionByArn(arn: string | undefined, { serverless }: Reading): string | undefined {
  const name = lambdaArn.exec(arn ?? '')?.[1];
  if (name === undefined) return undefined;
  return Object.entries(serverless.service.functions ?? {}).find(([, lambda]) => lambda.name === name)?.[0];
}
