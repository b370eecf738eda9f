import { createSign, generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTokenVerifier } from '../../../src/gateway/guards/jwt.ts';
import type { JwtAuthorizer } from '../../../src/service/apis/api-model.ts';

const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const nowhere = (): void => {};

function verifierUnderTest() {
  const rejected: string[] = [];
  const sink = { segment: nowhere, span: nowhere, log: nowhere, metric: nowhere, error: nowhere };
  const verify = createTokenVerifier({ ...sink, rejected: (_: string, reason: string) => void rejected.push(reason) });
  return { verify, rejected };
}

/** An issuer with an OpenID configuration whose keys are at a place of its own, as Okta's are. */
async function startIssuer(): Promise<{ issuer: string; asked: string[] }> {
  const asked: string[] = [];
  const jwk = { ...keys.publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'RS256' };
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const documents: Record<string, object> = {
      '/.well-known/openid-configuration': { issuer: base, jwks_uri: `${base}/v1/keys` },
      '/v1/keys': { keys: [jwk] },
    };
    const document = documents[request.url ?? ''];
    response.writeHead(document ? 200 : 404).end(JSON.stringify(document ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

function token(iss: string): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 60;
  const text = `${encode({ alg: 'RS256', kid: 'k1' })}.${encode({ iss, aud: 'app', exp })}`;
  return `${text}.${createSign('RSA-SHA256').update(text).sign(keys.privateKey, 'base64url')}`;
}

const authorizer = (issuers: string[]): JwtAuthorizer => ({
  kind: 'jwt',
  name: 'jwt',
  issuers,
  audience: ['app'],
  scopes: [],
  identitySource: '$request.header.Authorization',
  cognito: false,
});

describe('the verifier of tokens', () => {
  it('loads the keys once, from where the OpenID configuration of the issuer says', async () => {
    const { issuer, asked } = await startIssuer();
    const { verify } = verifierUnderTest();
    for (let index = 0; index < 3; index += 1) {
      expect(await verify(authorizer([issuer]), token(issuer))).toMatchObject({ kind: 'valid' });
    }
    expect(asked).toEqual(['/.well-known/openid-configuration', '/v1/keys']);
  });

  it('verifies a token against the issuer that it names, of several', async () => {
    const { issuer } = await startIssuer();
    const { verify } = verifierUnderTest();
    const several = authorizer(['https://other.example', issuer]);
    expect(await verify(several, token(issuer))).toMatchObject({ kind: 'valid' });
    expect(await verify(several, token('https://third.example'))).toMatchObject({ kind: 'invalid' });
  });

  it('lets nothing pass while the keys cannot be loaded, and records why', async () => {
    const { verify, rejected } = verifierUnderTest();
    const gone = 'http://127.0.0.1:9';
    expect(await verify(authorizer([gone]), token(gone))).toMatchObject({ kind: 'invalid' });
    expect(rejected).toEqual(['The keys of an authorizer could not be loaded.']);
  });
});
