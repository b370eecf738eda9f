import { createPrivateKey, generateKeyPairSync, type JsonWebKey, randomUUID, sign } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { LocalFailure } from '../local-failure.ts';
import type { IdentitySettings } from './model.ts';
import { stateDirectory } from './state-directory.ts';

/** The local OIDC issuer: the settings of the service, and the key that signs its tokens. */
interface LocalIdentity extends IdentitySettings {
  kid: string;
  privateKey: JsonWebKey;
}

const fileOf = (serviceDirectory: string) => path.join(serviceDirectory, '.throughline', 'identity', 'issuer.json');

/**
 * Creates the key of this run, and stores it for `throughline token`.
 * @returns the public keys (RFC 7517), which the functions verify tokens with.
 */
export async function startLocalIdentity(
  serviceDirectory: string,
  settings: IdentitySettings,
): Promise<{ keys: JsonWebKey[] }> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const identity: LocalIdentity = {
    ...settings,
    kid: randomUUID(),
    privateKey: privateKey.export({ format: 'jwk' }),
  };
  await stateDirectory(serviceDirectory, 'identity');
  await writeFile(fileOf(serviceDirectory), JSON.stringify(identity), { mode: 0o600 });
  return { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: identity.kid, alg: 'ES256', use: 'sig' }] };
}

/**
 * Signs a token for `user` with the key of the newest run (RFC 7519).
 * @param lifetimeSeconds how long it is valid; negative: it has expired.
 * @throws {LocalFailure} when no run has stored a key.
 */
export async function signToken(serviceDirectory: string, user: string, lifetimeSeconds: number): Promise<string> {
  const { issuer, audience, handleClaim, kid, privateKey } = await readIdentity(serviceDirectory);
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: audience, sub: user, [handleClaim]: user, iat: now, exp: now + lifetimeSeconds };
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'ES256', kid, typ: 'JWT' })}.${part(claims)}`;
  const key = createPrivateKey({ key: privateKey, format: 'jwk' });
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

async function readIdentity(serviceDirectory: string): Promise<LocalIdentity> {
  try {
    return JSON.parse(await readFile(fileOf(serviceDirectory), 'utf8'));
  } catch {
    throw new LocalFailure(
      'No local run has a key to sign tokens with. Set custom.local.identity in serverless.yml, then start one: npm start.',
    );
  }
}
