import { failure } from '../src/errors.ts';
import { publicRoute } from '../src/http/api.ts';
import { handleIn, pathVariable } from '../src/http/request.ts';
import { userShort } from '../src/users/profile.ts';

/** `GET /api/users/{id}/short`: the public fields of `@handle`. */
export const handler = publicRoute('user-short', async (event) => {
  const handle = handleIn(pathVariable(event, 'id'));
  if (handle === undefined) throw failure('user_not_found');
  return { body: await userShort(handle) };
});
