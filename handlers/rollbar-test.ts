import { reportMessage } from '@throughline/telemetry';
import { publicRoute } from '../src/http/api.ts';

/**
 * `GET /rollbar/test`: proves that Rollbar receives errors. Sends a message, or throws an exception
 * with `?error=1`.
 */
export const handler = publicRoute('rollbar-test', (event) => {
  if (event.queryStringParameters?.error === '1') throw new Error('Rollbar test: a deliberate error');
  reportMessage('warning', 'Hello World!');
  return { body: 'Hello World!' };
});
