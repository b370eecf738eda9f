import { publicRoute } from '../src/http/api.ts';
import { reportMessage } from '../src/telemetry/errors.ts';

/**
 * `GET /rollbar/test`: shows that errors reach Rollbar, as a message, or with `?error=1` as an exception that nobody
 * expected.
 */
export const handler = publicRoute('rollbar-test', (event) => {
  if (event.queryStringParameters?.['error'] === '1') throw new Error('Rollbar test: an error on purpose');
  reportMessage('warning', 'Hello World!');
  return { body: 'Hello World!' };
});
