import * as v from 'valibot';
import { userRoute } from '../src/http/api.ts';
import { check, limitedText } from '../src/http/validation.ts';
import { updateProfile } from '../src/users/profile.ts';

const bio = v.nullish(
  v.pipe(
    v.string('bio_invalid'),
    v.transform((value) => value.toWellFormed().trim()),
    v.maxLength(4096, 'bio_invalid'),
  ),
  '',
);
const schema = v.object({ display_name: limitedText('display_name_blank', 256, 'display_name_invalid'), bio });

/** `POST /api/profile/update` with `{display_name, bio}`; a missing bio is a blank one. */
export const handler = userRoute(
  'profile-update',
  async (event) => ({ body: await updateProfile(event.user, check(schema, event.json)) }),
  { body: 'json' },
);
