import { requestEvent } from '@throughline/telemetry';
import { config } from '../../config.ts';
import { failure } from '../../errors.ts';
import type { Identity } from '../../users/user.ts';
import { type ApiEvent, type ApiExchange, type ApiMiddleware, header } from '../request.ts';
import type { verifyToken } from './token.ts';

let verify: Promise<typeof verifyToken> | undefined;

/**
 * Identifies the caller by the request's bearer token (RFC 6750). Without a token that is the
 * default user, which exists only on a laptop.
 * @returns undefined for an invalid token too: a route that requires a caller answers 401 to it.
 */
export async function identify(event: ApiEvent): Promise<Identity | undefined> {
  const token = bearerToken(header(event, 'authorization'));
  if (token !== undefined && config.identityIssuer() !== undefined) {
    // Loaded with the first token: most cold starts do without.
    verify ??= import('./token.ts').then((module) => module.verifyToken);
    return (await verify)(token);
  }
  const handle = config.defaultUser();
  return handle === undefined ? undefined : { id: handle, handle };
}

function bearerToken(authorization = ''): string | undefined {
  return /^\s*bearer\s+(\S+)\s*$/i.exec(authorization)?.[1];
}

/** Sets `event.user`, and answers 401 if the route requires a caller and there is none. */
export function identity(need: 'required' | 'optional'): ApiMiddleware {
  return {
    before: async function identifyCaller({ event }: ApiExchange) {
      const user = await identify(event);
      if (user) {
        event.user = user;
        requestEvent.set('user', user.handle);
      } else if (need === 'required') {
        throw failure('unauthenticated');
      }
    },
  };
}
