import { type ApiMiddleware, answerHeaders } from './request.ts';

/**
 * What a browser shall not do with an API's answer (OWASP REST Security Cheat Sheet): run it, frame it, guess its type,
 * keep it.
 */
const headers = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=63072000',
  'x-content-type-options': 'nosniff',
};

export function securityHeaders(): ApiMiddleware {
  return answerHeaders(() => headers);
}
