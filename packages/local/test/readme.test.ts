import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ServerlessHttpApi, ServerlessHttpEvent } from '../src/service/events/serverless-events.ts';
import { servedEvents, unservedEvents } from '../src/service/events/unserved-events.ts';
import type { LocalFunction } from '../src/service/model.ts';
import { readService } from '../src/service/read.ts';
import type { ServerlessFunction } from '../src/service/serverless.ts';
import { serverlessInstance } from './gateway/service-under-test.ts';

const readme = readFileSync(path.join(import.meta.dirname, '..', 'README.md'), 'utf8');

/**
 * The first two cells of each row of the table below a heading, the first without its backquotes.
 */
function rowsOf(heading: string): [name: string, here: string][] {
  const section = readme.split(`### ${heading}\n`)[1]?.split('\n#')[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(2).map((line) => {
    const [, name = '', here = ''] = line.split('|');
    return [name.replaceAll('`', '').trim(), here.trim()];
  });
}

const pool = { 'Fn::GetAtt': ['Pool', 'Arn'] };
const elsewhere = 'arn:aws:lambda:eu-central-1:999999999999:function:other-prod-guard';
const own = 'arn:aws:lambda:eu-central-1:123456789012:function:shop-dev-guard';

function read(lambda: ServerlessFunction, httpApi?: ServerlessHttpApi) {
  const { service, warnings } = readService(
    serverlessInstance({
      provider: { name: 'aws', ...(httpApi ? { httpApi } : {}) },
      functions: {
        a: { handler: 'a.handler', ...lambda },
        guard: { name: 'shop-dev-guard', handler: 'guard.handler' },
      },
      resources: {
        Resources: {
          Pool: { Type: 'AWS::Cognito::UserPool' },
          Own: {
            Type: 'AWS::ApiGateway::Authorizer',
            Properties: { Type: 'REQUEST', AuthorizerUri: `arn:aws:apigateway:x:lambda:path/${own}/invocations` },
          },
        },
      },
    }),
  );
  return { lambda: service.functions[0] as LocalFunction, warnings };
}

const rest = (authorizer: ServerlessHttpEvent['authorizer']) =>
  read({ events: [{ http: { method: 'get', path: 'x', authorizer } }] });
const http = (entry: NonNullable<ServerlessHttpApi['authorizers']>[string]) =>
  read({ events: [{ httpApi: { method: 'get', path: '/x', authorizer: 'one' } }] }, { authorizers: { one: entry } });

const guards: Record<string, () => ReturnType<typeof read>> = {
  'http: authorizer: <function>': () => rest('guard'),
  'http: a function of this service by its ARN': () => rest(own),
  'http: a function elsewhere': () => rest(elsewhere),
  'http: Cognito, by the ARN of a pool': () => rest('arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_a'),
  'http: Cognito, a pool of this template': () => rest({ name: 'users', type: 'COGNITO_USER_POOLS', arn: pool }),
  'http: authorizerId of an authorizer of this template': () => rest({ type: 'CUSTOM', authorizerId: { Ref: 'Own' } }),
  'http: authorizerId of one elsewhere': () => rest({ type: 'CUSTOM', authorizerId: 'abc123' }),
  'http: aws_iam': () => rest('aws_iam'),
  'httpApi: JWT': () => http({ type: 'jwt', issuerUrl: 'https://issuer.example', audience: ['a'] }),
  'httpApi: JWT, an issuer of this template': () =>
    http({ type: 'jwt', issuerUrl: { 'Fn::GetAtt': ['Pool', 'ProviderURL'] }, audience: ['a'] }),
  'httpApi: Lambda, a function of this service': () => http({ type: 'request', functionName: 'guard' }),
  'httpApi: Lambda, a function elsewhere': () => http({ type: 'request', functionArn: elsewhere }),
  'httpApi: aws_iam': () =>
    read({ events: [{ httpApi: { method: 'get', path: '/x', authorizer: { type: 'aws_iam' } } }] }),
  'url: aws_iam': () => read({ url: { authorizer: 'aws_iam' } }),
};

const integration = (event: Partial<ServerlessHttpEvent>) =>
  read({ events: [{ http: { method: 'get', path: 'x', ...event } }] });
const integrations: Record<string, () => ReturnType<typeof read>> = {
  'lambda-proxy': () => integration({}),
  lambda: () => integration({ integration: 'lambda' }),
  'async: true': () => integration({ async: true }),
  mock: () => integration({ integration: 'mock' }),
  http: () => integration({ integration: 'http', request: { uri: 'http://x' } }),
  'http-proxy': () => integration({ integration: 'http-proxy', request: { uri: 'http://x' } }),
  'a back end behind a VPC link': () =>
    integration({ integration: 'http-proxy', connectionType: 'vpc-link', request: { uri: 'http://x' } }),
};

describe('the table "What is served" of README.md', () => {
  it('names each event as the code has it', () => {
    const expected = [
      ...[...servedEvents, 'url'].map((name) => [name, 'served']),
      ...unservedEvents.map((name) => [name, 'named']),
    ];
    expect(rowsOf('Events').sort()).toEqual(expected.sort());
  });

  it.each(unservedEvents)('is right about %s: the start names it', (type) => {
    const { warnings } = read({ events: [{ [type]: {} }] });
    expect(warnings).toEqual([expect.stringContaining(`${type} events are not delivered here (functions: a)`)]);
  });

  it('names each guard', () => {
    expect(rowsOf('Guards').map(([name]) => name)).toEqual(Object.keys(guards));
  });

  it.each(rowsOf('Guards'))('is right about %s: %s', (name, here) => {
    const { lambda, warnings } = guards[name]?.() ?? expect.fail(`no case for ${name}`);
    const authorizer = lambda.routes[0]?.authorizer ?? lambda.httpApiRoutes?.[0]?.authorizer ?? lambda.url?.authorizer;
    expect(authorizer?.kind).toMatch(here === 'refused' ? /^refused$/ : /^(lambda|jwt)$/);
    expect(warnings.filter((text) => text.includes('refuses every request'))).toHaveLength(here === 'refused' ? 1 : 0);
  });

  it('names each integration', () => {
    expect(rowsOf('Integrations').map(([name]) => name)).toEqual(Object.keys(integrations));
  });

  it.each(rowsOf('Integrations'))('is right about %s: %s', (name, here) => {
    const { lambda, warnings } = integrations[name]?.() ?? expect.fail(`no case for ${name}`);
    expect(lambda.routes[0]?.integration?.kind === 'unserved').toBe(here === 'refused');
    expect(warnings.length).toBe(here === 'refused' ? 1 : 0);
  });
});
