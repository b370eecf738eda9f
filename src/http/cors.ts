import { config } from '../config.ts';
import { type ApiMiddleware, answerHeaders, header } from './request.ts';

/** Response headers that a page may read; serverless.yml has what it may send, for the gateway answers preflights. */
const exposed = 'location, link, x-amzn-trace-id';

/** Lets pages of these origins, and of no others, read what is answered. */
export function cors(origins: string[] = config.frontendOrigins()): ApiMiddleware {
  const allowed = new Set(origins);
  return answerHeaders(function corsHeaders(event) {
    const origin = header(event, 'origin');
    const vary = { vary: 'Origin' };
    if (origin === undefined || !allowed.has(origin)) return vary;
    return { ...vary, 'access-control-allow-origin': origin, 'access-control-expose-headers': exposed };
  });
}
