import { HttpError } from '../../http/http-error.ts';
import { isObject, parseJson, textOf } from '../../receiver/json.ts';
import { json, type Receiver, type ReceiverLimits } from '../../receiver/receiver.ts';
import type { TelemetrySink } from '../../trace/records.ts';
import { errorRecord } from './item.ts';

/** Larger items are truncated by Rollbar's clients before they are sent. */
const maximumItemBytes = 1_048_576;

/**
 * Rollbar's item endpoint: POST /api/1/item/. Any access token will do, but there must be one, as
 * there.
 */
export function rollbarReceiver(sink: TelemetrySink, limits: ReceiverLimits): Receiver {
  return {
    name: 'rollbar',
    // Sentry's project 1 has the same beginning.
    handles: ({ path }) =>
      path.startsWith('/api/1/') && !/^\/api\/1\/(envelope|store|security|minidump)\/?$/.test(path),
    async answer(request) {
      if (request.path !== '/api/1/item/' && request.path !== '/api/1/item') {
        throw new HttpError(404, `${request.path} is not supported here: only /api/1/item/ is.`);
      }
      if (request.method !== 'POST') throw new HttpError(405, `Items are created by POST, not ${request.method}.`);
      const payload = parseJson(await request.body(maximumItemBytes), limits);
      if (!isObject(payload)) throw new HttpError(400, 'The payload must be a JSON object.');
      if (!request.headers['x-rollbar-access-token'] && !textOf(payload.access_token)) {
        throw new HttpError(401, 'Missing access token: send X-Rollbar-Access-Token.');
      }
      const record = errorRecord(payload.data, Date.now());
      sink.error(record);
      return json(200, { err: 0, result: { id: null, uuid: record.uuid.replaceAll('-', '') } });
    },
    refuse: (error) => json(error.status, { err: 1, message: error.message }),
  };
}
