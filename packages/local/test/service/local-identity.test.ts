import { createPublicKey, verify } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signToken, startLocalIdentity } from '../../src/service/local-identity.ts';

const settings = {
  issuer: 'https://issuer.example',
  audience: 'api',
  handleClaim: 'preferred_username',
  jwksVariable: 'JWKS',
};
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'throughline-identity-'));
});
afterAll(() => rm(directory, { recursive: true }));

describe('the local issuer', () => {
  it('says what to do when no run has made a key', async () => {
    await expect(signToken(directory, 'worf', 60)).rejects.toThrow(/start one: npm start/);
  });

  it('signs tokens that its public key verifies', async () => {
    const { keys } = await startLocalIdentity(directory, settings);
    const [header = '', claims = '', signature = ''] = (await signToken(directory, 'worf', 60)).split('.');
    const key = createPublicKey({ key: keys[0] ?? {}, format: 'jwk' });
    const signed = Buffer.from(`${header}.${claims}`);
    const bytes = Buffer.from(signature, 'base64url');
    expect(verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, bytes)).toBe(true);
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      iss: settings.issuer,
      aud: settings.audience,
      sub: 'worf',
      preferred_username: 'worf',
    });
  });

  it('publishes no private key, and keeps it for its owner alone', async () => {
    const { keys } = await startLocalIdentity(directory, settings);
    expect(keys[0]).not.toHaveProperty('d');
    expect((await stat(path.join(directory, '.throughline/identity/issuer.json'))).mode & 0o077).toBe(0);
  });
});
