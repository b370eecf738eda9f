import { activityStatus } from '../src/activities/show.ts';
import { failure } from '../src/errors.ts';
import { publicRoute } from '../src/http/api.ts';
import { handleIn, pathVariable, uuidIn } from '../src/http/request.ts';

/**
 * `GET /api/activities/{id}/status/{uuid}`: one activity of the user `@handle`, with its replies
 * beside it.
 */
export const handler = publicRoute('activity-status', async (event, now) => {
  const handle = handleIn(pathVariable(event, 'id'));
  const uuid = uuidIn(pathVariable(event, 'uuid'));
  if (handle === undefined || uuid === undefined) throw failure('activity_not_found');
  return { body: await activityStatus(uuid, now, handle) };
});
