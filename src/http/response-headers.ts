import { config } from '../config.ts';
import { type ApiMiddleware, answerHeaders, header } from './request.ts';

/**
 * Response headers that a page may read. The gateway answers preflights: serverless.yml lists the
 * request headers.
 */
const exposed = 'location, link, x-amzn-trace-id';

/**
 * Keeps browsers from executing, framing, sniffing or caching an answer (OWASP REST Security Cheat
 * Sheet).
 */
const security = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=63072000',
  'x-content-type-options': 'nosniff',
};

/** Lets pages of `origins`, and of no others, read what is answered. */
export function cors(origins: string[] = config.frontendOrigins()): ApiMiddleware {
  const allowed = new Set(origins);
  return answerHeaders(function corsHeaders(event) {
    const origin = header(event, 'origin');
    const vary = { vary: 'Origin' };
    if (origin === undefined || !allowed.has(origin)) return vary;
    return { ...vary, 'access-control-allow-origin': origin, 'access-control-expose-headers': exposed };
  });
}

export function securityHeaders(): ApiMiddleware {
  return answerHeaders(() => security);
}
