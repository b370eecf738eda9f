import type { TelemetrySink } from '../../store/records.ts';
import { type Intake, IntakeError, type IntakeLimits, json } from '../http.ts';
import { isObject, parseJson, textOf } from '../json.ts';
import { errorRecord } from './item.ts';

/** Larger items are truncated by Rollbar's clients before they are sent. */
const MAXIMUM_ITEM_BYTES = 1_048_576;

/** Rollbar's item endpoint: POST /api/1/item/. Any access token will do, but there must be one, as there. */
export function rollbarIntake(sink: TelemetrySink, limits: IntakeLimits): Intake {
  return {
    name: 'rollbar',
    handles: (request) => request.path.startsWith('/api/1/'),
    async answer(request) {
      if (request.path !== '/api/1/item/' && request.path !== '/api/1/item') {
        throw new IntakeError(404, `${request.path} is not supported here: only /api/1/item/ is.`);
      }
      if (request.method !== 'POST') throw new IntakeError(405, `Items are created by POST, not ${request.method}.`);
      const payload = parseJson(await request.body(MAXIMUM_ITEM_BYTES), limits);
      if (!isObject(payload)) throw new IntakeError(400, 'The payload must be a JSON object.');
      if (!request.headers['x-rollbar-access-token'] && !textOf(payload['access_token'])) {
        throw new IntakeError(401, 'Missing access token: send X-Rollbar-Access-Token.');
      }
      const record = errorRecord(payload['data'], Date.now());
      sink.error(record);
      return json(200, { err: 0, result: { id: null, uuid: record.uuid.replaceAll('-', '') } });
    },
    refuse: (error) => json(error.status, { err: 1, message: error.message }),
  };
}
