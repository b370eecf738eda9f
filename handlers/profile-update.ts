import * as v from 'valibot';
import { userRoute } from '../src/http/api.ts';
import { check, displayName, freeText } from '../src/http/validation.ts';
import { updateProfile } from '../src/users/profile.ts';

/** The input, which the API's description is generated from. */
export const schema = v.object({ display_name: displayName(256), bio: freeText(4096, 'bio_invalid') });

/** `POST /api/profile/update` with `{display_name, bio}`; a missing bio counts as blank. */
export const handler = userRoute(
  'profile-update',
  async (event) => ({ body: await updateProfile(event.user, check(schema, event.json)) }),
  { body: 'json' },
);
