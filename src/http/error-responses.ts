import { currentTraceId, logger, reportFault, requestEvent } from '@throughline/telemetry';
import { type ErrorCode, errors, isExpected } from '../errors.ts';
import type { ApiExchange, ApiMiddleware, ApiResult } from './request.ts';

/**
 * Turns errors into responses, for every route. An unexpected error is logged and reported; the
 * caller learns nothing of its cause.
 */
export function errorResponses(): ApiMiddleware {
  return {
    onError: function errorResponse(exchange: ApiExchange) {
      const { error } = exchange;
      if (!isExpected(error)) {
        requestEvent.set('error_code', 'internal');
        logger.error('The request failed', error as Error);
        reportFault(error);
        exchange.response = problem('internal', 500, 'Internal server error');
        return;
      }
      requestEvent.set('error_code', error.failedChecks[0] ?? error.code);
      exchange.response = error.failedChecks.length > 0 ? failedChecks(error.failedChecks) : expected(error.code);
    },
  };
}

function expected(code: ErrorCode): ApiResult {
  const { status, title } = errors[code];
  // RFC 9110, section 15.5.2: a 401 names the authentication scheme.
  return problem(code, status, title, status === 401 ? { 'www-authenticate': 'Bearer' } : {});
}

/** The front end expects an array of codes for 422, not a problem document. */
function failedChecks(codes: string[]): ApiResult {
  return { statusCode: 422, headers: { 'content-type': 'application/json' }, body: JSON.stringify(codes) };
}

/** A problem document (RFC 9457). */
function problem(code: string, status: number, title: string, headers: Record<string, string> = {}): ApiResult {
  const document = {
    type: `urn:cruddur:problem:${code.replaceAll('_', '-')}`,
    title,
    status,
    trace_id: currentTraceId(),
  };
  return {
    statusCode: status,
    headers: { ...headers, 'content-type': 'application/problem+json' },
    body: JSON.stringify(document),
  };
}
