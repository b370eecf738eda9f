import { generateKeyPairSync, type JsonWebKey, sign } from 'node:crypto';

/** An OIDC issuer of one rehearsal: its public keys, and tokens that it signs. */
export interface Issuer {
  issuer: string;
  audience: string;
  jwks: { keys: JsonWebKey[] };
  /** @returns a token for the user `handle`, valid for an hour. */
  token(handle: string): string;
}

export function createIssuer(): Issuer {
  const [issuer, audience, kid] = ['https://issuer.rehearsal.example', 'cruddur', 'rehearsal'];
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return {
    issuer,
    audience,
    jwks: { keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }] },
    token(handle) {
      const iat = Math.floor(Date.now() / 1000);
      const claims = { iss: issuer, aud: audience, sub: handle, preferred_username: handle, iat, exp: iat + 3_600 };
      const signed = `${part({ alg: 'ES256', kid, typ: 'JWT' })}.${part(claims)}`;
      const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return `${signed}.${signature.toString('base64url')}`;
    },
  };
}
