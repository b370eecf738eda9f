import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, globalAgent, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { selfSignedCertificate } from '../../../../packages/telemetry/test/harness/certificate.ts';

const issuer = 'https://issuer.example';
const audience = 'cruddur';
const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwks = { keys: [{ ...own.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256', use: 'sig' }] };
const now = Math.floor(Date.now() / 1000);
const claims = { iss: issuer, aud: audience, sub: 'user-1', preferred_username: 'worf', exp: now + 60, iat: now };

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

function token(changed: object = {}, key: KeyObject = own.privateKey, header: object = {}): string {
  const text = `${part({ alg: 'ES256', kid: 'one', typ: 'JWT', ...header })}.${part({ ...claims, ...changed })}`;
  const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

function unsigned(header: object, secret?: string): string {
  const text = `${part(header)}.${part(claims)}`;
  return `${text}.${secret === undefined ? '' : createHmac('sha256', secret).update(text).digest('base64url')}`;
}

async function freshVerify(variables: Record<string, string>) {
  vi.resetModules();
  for (const name of Object.keys(process.env)) if (name.startsWith('IDENTITY_')) delete process.env[name];
  Object.assign(process.env, { IDENTITY_ISSUER: issuer, IDENTITY_AUDIENCE: audience, ...variables });
  const { logger } = await import('@throughline/telemetry');
  const warn = vi.spyOn(logger, 'warn').mockImplementation(() => {});
  const { verifyToken } = await import('../../../../src/http/identity/token.ts');
  return { verifyToken, warn };
}

afterAll(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('IDENTITY_')) delete process.env[name];
});

describe('a token', () => {
  let verifyToken: (token: string) => Promise<unknown>;
  beforeEach(async () => {
    ({ verifyToken } = await freshVerify({ IDENTITY_JWKS: JSON.stringify(jwks) }));
  });

  it('of the issuer names the caller', async () => {
    expect(await verifyToken(token())).toEqual({ id: 'user-1', handle: 'worf' });
  });

  const [head = '', body = '', signature = ''] = token().split('.');
  it.each([
    ['with a changed claim', `${head}.${part({ ...claims, preferred_username: 'londo' })}.${signature}`],
    ['without its signature', `${head}.${body}.`],
    ['with another signature', `${head}.${body}.${Buffer.alloc(64, 1).toString('base64url')}`],
    ['signed by a foreign key under the same id', token({}, foreign.privateKey)],
    ['with an unknown key id', token({}, own.privateKey, { kid: 'two' })],
    ['with alg none', unsigned({ alg: 'none', kid: 'one' })],
    ['with alg NONE and a signature', `${part({ alg: 'NONE', kid: 'one' })}.${body}.${signature}`],
    [
      'with HS256 and the public key as its secret',
      unsigned({ alg: 'HS256', kid: 'one' }, JSON.stringify(jwks.keys[0])),
    ],
    ['that has expired', token({ exp: now - 1 })],
    ['that is not valid yet', token({ nbf: now + 600 })],
    ['of a foreign issuer', token({ iss: 'https://other.example' })],
    ['for a foreign audience', token({ aud: 'other' })],
    ['without a handle', token({ preferred_username: undefined })],
    ['whose handle is a table key', token({ preferred_username: 'worf#PROFILE' })],
    ['without a subject', token({ sub: undefined })],
    ['that is not a token', 'abc'],
    ['that is empty parts', '..'],
    ['that is 100 kB of dots', '.'.repeat(100_000)],
  ])('%s is refused', async (_, given) => {
    expect(await verifyToken(given)).toBeUndefined();
  });
});

describe("the issuer's keys", () => {
  let fetches = 0;
  let server: Server | undefined;
  const { key, cert } = selfSignedCertificate('localhost');

  async function serve(answer: 'keys' | 'nothing' | 'nonsense'): Promise<string> {
    fetches = 0;
    server = createServer({ key, cert }, (_, response) => {
      fetches++;
      if (answer === 'keys') response.end(JSON.stringify(jwks));
      if (answer === 'nonsense') response.end('<html>');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    globalAgent.options.ca = cert;
    return `https://localhost:${(server.address() as AddressInfo).port}/keys`;
  }
  async function close() {
    server?.closeAllConnections();
    server?.close();
  }

  it('are fetched once for many tokens', async () => {
    const { verifyToken } = await freshVerify({ IDENTITY_JWKS_URI: await serve('keys') });
    const identities = await Promise.all(Array.from({ length: 5 }, () => verifyToken(token())));
    expect(identities).toEqual(Array(5).fill({ id: 'user-1', handle: 'worf' }));
    await verifyToken(token());
    expect(fetches).toBe(1);
    await close();
  });

  it.each(['nothing', 'nonsense'] as const)(
    'answered by %s make every token invalid, with one warning',
    async (answer) => {
      const { verifyToken, warn } = await freshVerify({ IDENTITY_JWKS_URI: await serve(answer) });
      expect(await verifyToken(token())).toBeUndefined();
      expect(await verifyToken(token())).toBeUndefined();
      expect(warn).toHaveBeenCalledTimes(1);
      expect(fetches).toBeLessThanOrEqual(2);
      await close();
    },
  );

  it('are not fetched without an audience to compare: no token is accepted', async () => {
    const { verifyToken, warn } = await freshVerify({ IDENTITY_AUDIENCE: '', IDENTITY_JWKS_URI: await serve('keys') });
    expect(await verifyToken(token())).toBeUndefined();
    expect(warn).toHaveBeenCalledTimes(1);
    expect(fetches).toBe(0);
    await close();
  });
});

describe("an Amazon Cognito pool's access token", () => {
  const pool = 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aBcDeFgHi';
  const access = { iss: pool, aud: undefined, client_id: audience, token_use: 'access', username: 'londo' };
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keys = [{ ...rsa.publicKey.export({ format: 'jwk' }), kid: 'rsa', alg: 'RS256', use: 'sig' }];
  const signed = (changed: object) => {
    const text = `${part({ alg: 'RS256', kid: 'rsa' })}.${part({ ...claims, ...access, ...changed })}`;
    return `${text}.${sign('sha256', Buffer.from(text), rsa.privateKey).toString('base64url')}`;
  };

  it.each<[string, object, unknown]>([
    ['names the caller', {}, { id: 'user-1', handle: 'londo' }],
    ['of another app client is refused', { client_id: 'other' }, undefined],
    ['that is an id token is refused', { token_use: 'id', aud: audience }, undefined],
  ])('%s', async (_, changed, identity) => {
    const { verifyToken } = await freshVerify({ IDENTITY_ISSUER: pool, IDENTITY_JWKS: JSON.stringify({ keys }) });
    expect(await verifyToken(signed(changed))).toEqual(identity);
  });
});
