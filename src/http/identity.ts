import { config } from '../config.ts';
import { failure } from '../errors.ts';
import { requestEvent } from '../telemetry/event.ts';
import type { Identity } from '../users/user.ts';
import type { ApiEvent, ApiExchange, ApiMiddleware } from './request.ts';

/**
 * Says who a request is from. Without an issuer of tokens that is nobody, or, on a laptop, the default user.
 * Where an issuer is configured a token has to be verified, and as nothing here verifies one yet, nobody is believed.
 */
export async function identify(_event: ApiEvent): Promise<Identity | undefined> {
  if (config.identityIssuer() !== undefined) return undefined;
  const handle = config.defaultUser();
  return handle === undefined ? undefined : { id: handle, handle };
}

/** Puts who a request is from into the event, and refuses it where that has to be somebody and is nobody. */
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
