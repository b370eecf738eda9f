/**
 * Every error that a caller can cause, by code. Only `src/http/error-responses.ts` turns one into a
 * response.
 */
export const errors = {
  body_not_json: { status: 400, title: 'The request body is not valid JSON' },
  body_too_deep: { status: 400, title: 'The request body is nested too deeply' },
  unauthenticated: { status: 401, title: 'Authentication required' },
  activity_not_found: { status: 404, title: 'Activity not found' },
  message_group_not_found: { status: 404, title: 'Message group not found' },
  user_not_found: { status: 404, title: 'User not found' },
  body_too_large: { status: 413, title: 'The request body is larger than 6 MB' },
  unsupported_media_type: { status: 415, title: 'The request body must be application/json in UTF-8' },
  invalid_input: { status: 422, title: 'Invalid input' },
} as const;

export type ErrorCode = keyof typeof errors;

/** An error that the caller caused and is told about. */
export interface ExpectedError extends Error {
  code: ErrorCode;
  /**
   * The HTTP status. A span that the error passes through is flagged as an error by it, not as a
   * fault.
   */
  status: number;
  /** With `invalid_input`: every failed check, in the order of the contract. */
  failedChecks: string[];
}

/**
 * @returns the error to throw for `code`. Its code identifies it: a bundle can hold two copies of a
 * class.
 */
export function failure(code: ErrorCode, failedChecks: string[] = []): ExpectedError {
  const { title, status } = errors[code];
  const error = Object.assign(new Error(title), { name: 'ExpectedError', code, status, failedChecks });
  // The stack begins where the error is thrown, not in here.
  Error.captureStackTrace(error, failure);
  return error;
}

/** @returns the error that names every failed check of a caller's input. */
export function invalidInput(failedChecks: string[]): ExpectedError {
  const error = failure('invalid_input', failedChecks);
  Error.captureStackTrace(error, invalidInput);
  return error;
}

/** Tells whether `error` is one of the errors above. */
export function isExpected(error: unknown): error is ExpectedError {
  if (typeof error !== 'object' || error === null) return false;
  try {
    return 'code' in error && typeof error.code === 'string' && Object.hasOwn(errors, error.code);
  } catch {
    // Anything can be thrown, also an object whose getter or Proxy throws.
    return false;
  }
}
