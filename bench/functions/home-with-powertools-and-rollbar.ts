/** The same inside Rollbar's own wrapper for Lambda. */
import Rollbar from 'rollbar';
import { handler as home } from './home-with-powertools.ts';

const rollbar = new Rollbar({
  accessToken: process.env.ROLLBAR_ACCESS_TOKEN ?? '',
  endpoint: process.env.ROLLBAR_ENDPOINT ?? '',
  captureUncaught: true,
  captureUnhandledRejections: true,
});

export const handler = rollbar.lambdaHandler(home);
