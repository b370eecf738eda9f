import { createSign, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerlessHttpEvent } from '../../../src/service/events/serverless-events.ts';
import { send } from '../gateway-under-test.ts';
import { type ServiceUnderTest, serviceUnderTest } from '../service-under-test.ts';

const code = `
let asked = 0;
const policy = (event, effect, context) => ({ principalId: 'u1', context: { asked, ...context }, usageIdentifierKey: 'by-authorizer',
  policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect: effect, Resource: event.methodArn }] } });
exports.echo = async (event) => ({ statusCode: 200, body: JSON.stringify(event.requestContext) });
exports.auth = async (event) => {
  asked += 1;
  const token = event.authorizationToken ?? event.headers['x-token'];
  if (token === 'unauthorized') throw new Error('Unauthorized');
  if (token === 'broken') throw new Error('no database');
  if (token === 'nothing') return null;
  if (token === 'object') return policy(event, 'Allow', { roles: ['a'] });
  if (token === 'elsewhere') return policy({ methodArn: 'arn:aws:execute-api:eu-central-1:123456789012:other/*' }, 'Allow');
  if (token === 'condition') { const p = policy(event, 'Allow'); p.policyDocument.Statement[0].Condition = { IpAddress: {} }; return p; }
  return policy(event, token === 'deny' ? 'Deny' : 'Allow', { admin: true, path: event.path });
};
`;

const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const strangers = generateKeyPairSync('rsa', { modulusLength: 2048 });
const issuer = 'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abc';

function token(claims: object, { key = keys.privateKey, kid = 'k1' } = {}): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const text = `${encode({ alg: 'RS256', kid, typ: 'JWT' })}.${encode(claims)}`;
  return `${text}.${createSign('RSA-SHA256').update(text).sign(key, 'base64url')}`;
}

const seconds = () => Math.floor(Date.now() / 1000);
const identity = (more: object = {}) => ({
  iss: issuer,
  sub: 'u1',
  aud: 'client',
  token_use: 'id',
  'cognito:groups': ['admin', 'staff'],
  iat: seconds(),
  exp: seconds() + 60,
  ...more,
});
const pool = 'arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_abc';
const poolOfTemplate = { 'Fn::GetAtt': ['Pool', 'Arn'] };

const event = (name: string, more: Partial<ServerlessHttpEvent>) => ({ http: { method: 'get', path: name, ...more } });
const events = [
  event('token', { authorizer: 'auth' }),
  event('validated', { authorizer: { name: 'auth', identityValidationExpression: 'Bearer .*' } }),
  event('uncached', { authorizer: { name: 'auth', resultTtlInSeconds: 0 } }),
  event('request', {
    authorizer: {
      name: 'auth',
      type: 'request',
      identitySource: 'method.request.header.X-Token, method.request.querystring.q',
    },
  }),
  event('elsewhere', { authorizer: 'arn:aws:lambda:eu-central-1:999999999999:function:other-prod-guard' }),
  event('standin', { authorizer: { arn: 'arn:aws:lambda:eu-central-1:999999999999:function:other', name: 'remote' } }),
  event('opened', { authorizer: { arn: 'arn:aws:lambda:eu-central-1:999999999999:function:other', name: 'opened' } }),
  event('image', { authorizer: 'image' }),
  event('iam', { authorizer: 'aws_iam' }),
  event('cognito', { authorizer: { arn: pool, name: 'users' } }),
  event('scoped', { authorizer: { arn: pool, name: 'users', scopes: ['shop/read'] } }),
  event('unknown-pool', { authorizer: { arn: poolOfTemplate, name: 'template', type: 'COGNITO_USER_POOLS' } }),
  event('referred', { authorizer: { type: 'COGNITO_USER_POOLS', authorizerId: { Ref: 'OwnAuthorizer' } } }),
  event('private', { private: true }),
  event('no-keys', { authorizer: { arn: pool, name: 'no-keys' } }),
];

let shop: ServiceUnderTest;
beforeAll(async () => {
  shop = await serviceUnderTest((directory) => {
    const jwk = { ...keys.publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'RS256' };
    writeFileSync(path.join(directory, 'keys.json'), JSON.stringify({ keys: [jwk] }));
    return {
      provider: {
        name: 'aws',
        tracing: { apiGateway: true },
        apiGateway: {
          apiKeys: [
            'made-up',
            { name: 'given', value: 'given-value-of-20-characters' },
            { name: 'off', value: 'off-value-of-20-characters', enabled: false },
          ],
          usagePlan: { throttle: { burstLimit: 2, rateLimit: 0.001 } },
        },
      },
      functions: {
        echo: { handler: 'index.echo', events },
        auth: { handler: 'index.auth' },
        image: { runtime: 'python3.12', handler: 'p.main' },
      },
      resources: {
        Resources: {
          Pool: { Type: 'AWS::Cognito::UserPool' },
          TemplateKey: {
            Type: 'AWS::ApiGateway::ApiKey',
            Properties: { Value: 'template-value-20-characters', Enabled: true },
          },
          EmptyKey: { Type: 'AWS::ApiGateway::ApiKey', Properties: { Value: '', Enabled: true } },
          OwnAuthorizer: {
            Type: 'AWS::ApiGateway::Authorizer',
            Properties: { Type: 'COGNITO_USER_POOLS', ProviderARNs: [poolOfTemplate] },
          },
        },
      },
      custom: {
        local: {
          authorizers: {
            users: { keys: 'keys.json' },
            'no-keys': { keys: 'nowhere.json' },
            typo: { open: true },
            remote: { function: 'auth' },
            opened: { open: true, context: { principalId: 'me' } },
            OwnAuthorizer: { keys: 'keys.json', issuer },
          },
        },
      },
    };
  }, code);
});
afterAll(() => shop?.stop());

async function get(name: string, headers: Record<string, string> = {}) {
  const answer = await send(shop, 'GET', `/${name}`, headers);
  return { status: answer.status, type: answer.headers['x-amzn-errortype'], body: JSON.parse(answer.text) };
}

describe('a TOKEN authorizer', () => {
  it('lets a request pass, and the function sees what it said as text', async () => {
    const { status, body } = await get('token', { authorization: 'allow' });
    expect(status).toBe(200);
    expect(body.authorizer).toMatchObject({ principalId: 'u1', admin: 'true' });
  });

  it.each([
    ['without a token', {}, 401, 'Unauthorized'],
    ['that the function calls unauthorized', { authorization: 'unauthorized' }, 401, 'Unauthorized'],
    [
      'that the policy denies',
      { authorization: 'deny' },
      403,
      'User is not authorized to access this resource with an explicit deny',
    ],
    [
      'that the policy does not name',
      { authorization: 'elsewhere' },
      403,
      'User is not authorized to access this resource',
    ],
    [
      'that the policy allows under a condition',
      { authorization: 'condition' },
      403,
      'User is not authorized to access this resource',
    ],
    ['when its function fails', { authorization: 'broken' }, 500, null],
    ['when its function returns nothing', { authorization: 'nothing' }, 500, null],
    ['when its context holds a list', { authorization: 'object' }, 500, null],
  ])('refuses a request %s', async (_, headers, status, message) => {
    expect(await get('token', headers)).toMatchObject({ status, body: { message } });
  });

  it('is asked once for the same token, unless resultTtlInSeconds is 0', async () => {
    const asked = async (name: string) => (await get(name, { authorization: `once-${name}` })).body.authorizer.asked;
    expect(await asked('token')).toBe(await asked('token'));
    expect(await asked('uncached')).not.toBe(await asked('uncached'));
  });

  it('refuses a token that identityValidationExpression does not match, without asking', async () => {
    expect((await get('validated', { authorization: 'allow' })).status).toBe(401);
    expect((await get('validated', { authorization: 'Bearer allow' })).status).toBe(200);
  });

  it('is a subsegment of the stage, before that of the function', async () => {
    await get('token', { authorization: 'traced' });
    const stage = shop.segments.findLast(
      ({ origin, in_progress }) => origin === 'AWS::ApiGateway::Stage' && !in_progress,
    );
    const names = stage?.subsegments?.map(({ aws }) => aws?.function_name);
    expect(names).toEqual(['shop-dev-auth', 'shop-dev-echo']);
  });
});

describe('a REQUEST authorizer', () => {
  it('sees the request, and needs all of its identity sources', async () => {
    expect((await get('request?q=1', { 'x-token': 'allow' })).body.authorizer.path).toBe('/request');
    expect((await get('request', { 'x-token': 'allow' })).status).toBe(401);
    expect((await get('request?q=1')).status).toBe(401);
  });
});

describe('an authorizer whose function is not here', () => {
  it.each(['elsewhere', 'image'])('refuses every request (%s), and the start says so', async (name) => {
    expect(await get(name, { authorization: 'allow' })).toMatchObject({
      status: 500,
      type: 'AuthorizerConfigurationException',
    });
    expect(shop.warnings.filter((text) => text.includes(`(GET /${name})`))).toHaveLength(1);
  });

  it('can have a function of the service stand in', async () => {
    expect((await get('standin', { authorization: 'allow' })).status).toBe(200);
    expect((await get('standin', { authorization: 'deny' })).status).toBe(403);
  });

  it('can be opened by a setting, and the start says so', async () => {
    expect((await get('opened')).body.authorizer).toEqual({ principalId: 'me' });
    expect(shop.warnings).toContainEqual(expect.stringMatching(/opened lets every request pass.*GET \/opened/));
  });
});

describe('aws_iam', () => {
  it('refuses every request, signed or not', async () => {
    expect(await get('iam')).toMatchObject({ status: 403, body: { message: 'Missing Authentication Token' } });
    expect(
      (await get('iam', { authorization: 'AWS4-HMAC-SHA256 Credential=AKIA/x, SignedHeaders=host, Signature=0' }))
        .status,
    ).toBe(403);
    expect(shop.warnings).toContainEqual(expect.stringContaining('custom.local.authorizers.aws_iam.principal'));
  });
});

describe('a Cognito authorizer', () => {
  const bearer = (text: string) => ({ authorization: `Bearer ${text}` });

  it('lets an identity token of its pool pass, with its claims as text', async () => {
    const { status, body } = await get('cognito', bearer(token(identity())));
    expect(status).toBe(200);
    expect(body.authorizer.claims).toMatchObject({ sub: 'u1', 'cognito:groups': 'admin,staff' });
    expect(body.authorizer.claims.exp).toMatch(/^\w{3} \w{3} \d\d \d\d:\d\d:\d\d UTC \d{4}$/);
  });

  it.each([
    ['no token', ''],
    ['no JWT', 'abc'],
    ['another issuer', token(identity({ iss: 'https://evil.example' }))],
    ["a stranger's signature", token(identity(), { key: strangers.privateKey })],
    ['a key that the pool has not', token(identity(), { kid: 'k2' })],
    ['an access token', token(identity({ token_use: 'access' }))],
    [
      'a changed payload',
      token(identity()).replace(
        /\.[^.]+\./,
        `.${Buffer.from(JSON.stringify(identity({ sub: 'root' }))).toString('base64url')}.`,
      ),
    ],
    [
      'no signature',
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(identity())).toString('base64url')}.`,
    ],
  ])('refuses %s', async (_, text) => {
    expect(await get('cognito', bearer(text))).toMatchObject({ status: 401, body: { message: 'Unauthorized' } });
  });

  it('says of an expired token that it has expired', async () => {
    const answer = await get('cognito', bearer(token(identity({ exp: seconds() - 10 }))));
    expect(answer).toMatchObject({ status: 401, body: { message: 'The incoming token has expired' } });
  });

  it('with scopes takes access tokens that have one of them', async () => {
    const access = (scope: string) => bearer(token(identity({ token_use: 'access', scope })));
    expect((await get('scoped', access('openid shop/read'))).status).toBe(200);
    expect((await get('scoped', access('openid'))).status).toBe(401);
    expect((await get('scoped', bearer(token(identity())))).status).toBe(401);
  });

  it('refuses every request where only AWS knows its pool, unless a setting names the issuer', async () => {
    expect((await get('unknown-pool', bearer(token(identity())))).status).toBe(500);
    expect((await get('referred', bearer(token(identity())))).status).toBe(200);
    expect((await get('referred')).status).toBe(401);
  });
});

describe('settings that open or replace a guard', () => {
  it('are named where no route has that authorizer', () => {
    expect(shop.warnings).toContainEqual(expect.stringMatching(/^custom\.local\.authorizers\.typo has no effect/));
  });

  it('refuse every request where the key file is not there, and the start says so', async () => {
    expect((await get('no-keys', { authorization: `Bearer ${token(identity())}` })).status).toBe(401);
    expect(shop.warnings).toContainEqual(expect.stringMatching(/no-keys refuses every request.*nowhere\.json/));
  });
});

describe('private: true', () => {
  it('takes a key that resources define', async () => {
    expect((await get('private', { 'x-api-key': 'template-value-20-characters' })).status).toBe(200);
  });

  it('takes a key of the service, given or made up, and shows it to the function', async () => {
    const madeUp = shop.service.gateway.apiKeys?.[0]?.value ?? '';
    expect(shop.warnings).toContainEqual(expect.stringContaining(madeUp));
    expect((await get('private', { 'x-api-key': madeUp })).body.identity).toMatchObject({
      apiKey: madeUp,
      apiKeyId: 'made-up',
    });
  });

  it.each<Record<string, string>>([
    {},
    { 'x-api-key': 'made-up' },
    { 'x-api-key': '' },
    { 'x-api-key': 'off-value-of-20-characters' },
  ])('refuses %o', async (headers) => {
    expect(await get('private', headers)).toMatchObject({
      status: 403,
      type: 'ForbiddenException',
      body: { message: 'Forbidden' },
    });
  });

  it('answers 429 beyond the burst of the usage plan', async () => {
    const statuses = [];
    for (let index = 0; index < 3; index += 1) {
      statuses.push((await get('private', { 'x-api-key': 'given-value-of-20-characters' })).status);
    }
    expect(statuses).toEqual([200, 200, 429]);
  });
});
