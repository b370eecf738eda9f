/** `home` with Powertools' three, and the line that a request has. */
import type { Context } from 'aws-lambda';
import { handler as home } from '../../handlers/home.ts';
import type { ApiEvent } from '../../src/http/request.ts';
import { logger, middlewares } from './with-powertools.ts';

const traced = home.use(middlewares);

export const handler = async (event: ApiEvent, context: Context) => {
  const answer = await traced(event, context);
  logger.info('request', { status: answer.statusCode });
  return answer;
};
