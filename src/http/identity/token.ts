import { logger } from '@throughline/telemetry';
import { CognitoJwtVerifier, JwtVerifier } from 'aws-jwt-verify';
import { FetchError, JwksValidationError } from 'aws-jwt-verify/error';
import { type Fetcher, SimpleFetcher } from 'aws-jwt-verify/https';
import { SimpleJwksCache } from 'aws-jwt-verify/jwk';
import { config } from '../../config.ts';
import type { Identity } from '../../users/user.ts';
import { handleIn } from '../request.ts';

/** The caller waits while the issuer's keys are fetched. The library tries twice. */
const fetchMilliseconds = 1_000;

/** After a failed fetch, tokens are refused without another one for this long. */
const pauseMilliseconds = 10_000;

type Claims = Record<string, unknown>;
interface Verifier {
  verify(token: string): Promise<Claims>;
}

let verifier: { key: string; verifier: Verifier | undefined } | undefined;

/**
 * @returns the identity in a valid token of the configured issuer and audience, else undefined.
 * Never throws.
 */
export async function verifyToken(token: string): Promise<Identity | undefined> {
  try {
    const claims = await currentVerifier()?.verify(token);
    return claims && identityOf(claims);
  } catch (error) {
    // Every other error is the caller's: malformed, tampered, expired, foreign, or signed by
    // another key or algorithm.
    if (error instanceof FetchError || error instanceof JwksValidationError) warnOnce(error);
    return undefined;
  }
}

/** Keeps the verifier, and with it the fetched keys, across the invocations of an environment. */
function currentVerifier(): Verifier | undefined {
  const [issuer = '', audience, jwks] = [config.identityIssuer(), config.identityAudience(), config.identityJwks()];
  const key = JSON.stringify([issuer, audience, jwks]);
  if (verifier?.key !== key) verifier = { key, verifier: createVerifier(issuer, audience, jwks) };
  return verifier.verifier;
}

function createVerifier(issuer: string, audience: string | undefined, jwks: string | undefined): Verifier | undefined {
  if (audience === undefined) {
    logger.warn('IDENTITY_AUDIENCE is missing, so no token is accepted');
    return undefined;
  }
  const jwksCache = new SimpleJwksCache({ fetcher: pausingFetcher() });
  const userPoolId = userPoolIn(issuer);
  // Cognito's access tokens have no `aud`: their `client_id` is compared instead.
  const created = userPoolId
    ? CognitoJwtVerifier.create({ userPoolId, clientId: audience, tokenUse: 'access' }, { jwksCache })
    : JwtVerifier.create(
        { issuer, audience, ...(config.identityJwksUri() ? { jwksUri: config.identityJwksUri() } : {}) },
        { jwksCache },
      );
  if (jwks !== undefined) created.cacheJwks(JSON.parse(jwks));
  return created;
}

function userPoolIn(issuer: string): string | undefined {
  return /^https:\/\/cognito-idp\.[a-z0-9-]+\.amazonaws\.com\/([\w-]+_\w+)$/.exec(issuer)?.[1];
}

function identityOf(claims: Claims): Identity | undefined {
  const isCognito = userPoolIn(String(claims.iss)) !== undefined;
  const handle = claims[config.identityHandleClaim() ?? (isCognito ? 'username' : 'preferred_username')];
  const { sub } = claims;
  if (typeof handle !== 'string' || typeof sub !== 'string' || handleIn(`@${handle}`) === undefined) return undefined;
  return { id: sub, handle };
}

/**
 * Fetches within a limit, and fails at once for a while after a failure: an issuer that is down
 * costs no caller more.
 */
function pausingFetcher(): Fetcher {
  const fetcher = new SimpleFetcher({ defaultRequestOptions: { responseTimeout: fetchMilliseconds } });
  let failed: { at: number; error: unknown } | undefined;
  return {
    async fetch(uri, options, data) {
      if (failed && performance.now() - failed.at < pauseMilliseconds) throw failed.error;
      try {
        const document = await fetcher.fetch(uri, options, data);
        failed = undefined;
        return document;
      } catch (error) {
        failed = { at: performance.now(), error };
        throw error;
      }
    },
  };
}

let warned = false;
function warnOnce(error: Error): void {
  if (warned) return;
  warned = true;
  logger.warn("The identity issuer's keys could not be fetched, so tokens are refused", error);
}
