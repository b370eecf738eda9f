import { readFile } from 'node:fs/promises';
import { JwtRsaVerifier } from 'aws-jwt-verify';
import { JwtExpiredError } from 'aws-jwt-verify/error';
import type { Jwks } from 'aws-jwt-verify/jwk';
import type { JwtPayload } from 'aws-jwt-verify/jwt-model';
import type { JwtAuthorizer } from '../../service/apis/api-model.ts';
import type { TelemetrySink } from '../../trace/records.ts';

export type TokenVerdict =
  | { kind: 'valid'; claims: JwtPayload; scopes: string[] }
  | { kind: 'invalid'; reason: string; expired: boolean }
  | { kind: 'insufficient-scope' };

export type VerifyToken = (authorizer: JwtAuthorizer, token: string) => Promise<TokenVerdict>;

/**
 * A token that names an unknown key makes the keys be loaded again, but no more often than this.
 */
const reloadMilliseconds = 10_000;
const fetchMilliseconds = 5_000;

async function fetchJson(url: string): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(fetchMilliseconds) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.json();
}

/** Keys are where the issuer's OpenID configuration says, else at the usual place. */
async function issuerKeys(issuer: string): Promise<unknown> {
  const base = issuer.replace(/\/$/, '');
  const configuration = await fetchJson(`${base}/.well-known/openid-configuration`).catch(() => undefined);
  const uri = (configuration as { jwks_uri?: string } | undefined)?.jwks_uri;
  return fetchJson(uri ?? `${base}/.well-known/jwks.json`);
}

async function loadKeys(issuer: string, keys: string | undefined): Promise<Jwks> {
  const source = keys ?? issuer;
  const loaded =
    keys === undefined
      ? await issuerKeys(issuer)
      : /^https?:/.test(keys)
        ? await fetchJson(keys)
        : JSON.parse(await readFile(keys, 'utf8'));
  if (!Array.isArray((loaded as Jwks | null)?.keys)) throw new Error(`${source} is not a JSON Web Key Set`);
  return loaded as Jwks;
}

export function scopesOf(claims: JwtPayload): string[] {
  const given = claims.scope ?? claims.scp;
  if (Array.isArray(given)) return given.map(String);
  return typeof given === 'string' ? given.split(' ').filter((scope) => scope !== '') : [];
}

function audienceProblem({ audience, cognito, scopes }: JwtAuthorizer, claims: JwtPayload): string | undefined {
  // Without scopes Cognito's authorizer takes identity tokens, with scopes access tokens.
  if (cognito && claims.token_use !== (scopes.length > 0 ? 'access' : 'id')) {
    return `token_use is ${JSON.stringify(claims.token_use ?? null)}`;
  }
  if (audience.length === 0) return undefined;
  const given = [claims.aud ?? claims.client_id].flat();
  return given.some((one) => audience.includes(String(one))) ? undefined : 'the audience is another one';
}

/**
 * Creates the verifier of tokens. It checks the signature by the issuer's keys, or by those of
 * `custom.local.authorizers.<name>.keys`, and issuer, expiry, audience and scopes. A token whose
 * keys cannot be loaded is invalid. The verifier never rejects.
 */
export function createTokenVerifier(sink: TelemetrySink): VerifyToken {
  const loaded = new Map<string, { at: number; keys: Promise<Jwks> }>();
  const keysOf = (issuer: string, keys: string | undefined, fresh: boolean): Promise<Jwks> => {
    const id = keys ?? issuer;
    const known = loaded.get(id);
    if (known && !(fresh && Date.now() - known.at > reloadMilliseconds)) return known.keys;
    const loading = loadKeys(issuer, keys);
    loaded.set(id, { at: Date.now(), keys: loading });
    loading.catch((error: unknown) => {
      loaded.delete(id);
      sink.rejected('gateway', 'The keys of an authorizer could not be loaded.', `${id}: ${String(error)}`);
    });
    return loading;
  };

  async function verify(authorizer: JwtAuthorizer, token: string, fresh: boolean): Promise<JwtPayload> {
    const issuer = authorizer.issuers.length === 1 ? authorizer.issuers[0] : issuerIn(token, authorizer.issuers);
    if (issuer === undefined) throw new Error('the issuer is another one');
    const jwks = await keysOf(issuer, authorizer.keys, fresh);
    const verifier = JwtRsaVerifier.create({ issuer, audience: null, jwksUri: 'https://127.0.0.1/keys' });
    verifier.cacheJwks(jwks);
    return verifier.verifySync(token);
  }

  return async (authorizer, token) => {
    let claims: JwtPayload;
    try {
      claims = await verify(authorizer, token, false).catch((error: unknown) => {
        if (error instanceof Error && /Kid|Jwk/.test(error.name)) return verify(authorizer, token, true);
        throw error;
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { kind: 'invalid', reason, expired: error instanceof JwtExpiredError };
    }
    const problem = audienceProblem(authorizer, claims);
    if (problem) return { kind: 'invalid', reason: problem, expired: false };
    const scopes = scopesOf(claims);
    const enough = authorizer.scopes.length === 0 || authorizer.scopes.some((scope) => scopes.includes(scope));
    return enough ? { kind: 'valid', claims, scopes } : { kind: 'insufficient-scope' };
  };
}

/** @returns which of the issuers a token names; it is verified against that one. */
function issuerIn(token: string, issuers: string[]): string | undefined {
  try {
    const { iss } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { iss?: string };
    return issuers.find((issuer) => issuer === iss);
  } catch {
    return undefined;
  }
}
