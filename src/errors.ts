/**
 * Everything that is expected to go wrong: what a caller is told, by code. Only the edge (`src/http/errors.ts`) turns
 * one into a response.
 */
export const errors = {
  body_not_json: { status: 400, title: 'The body is no JSON' },
  unauthenticated: { status: 401, title: 'Sign in first' },
  not_a_member: { status: 403, title: 'Only members of a message group may read it or write to it' },
  activity_not_found: { status: 404, title: 'There is no such activity' },
  message_group_not_found: { status: 404, title: 'There is no such message group' },
  user_not_found: { status: 404, title: 'There is no such user' },
  body_too_large: { status: 413, title: 'The body is larger than 6 MB' },
  unsupported_media_type: { status: 415, title: 'The body must be application/json in UTF-8' },
  invalid_input: { status: 422, title: 'The input is not valid' },
} as const;

export type ErrorCode = keyof typeof errors;

/** An error that a caller caused and is told about. */
export interface ExpectedError extends Error {
  code: ErrorCode;
  /** Of HTTP: a span that this passes through is flagged by it, as an error and not as a fault. */
  status: number;
  /** With `invalid_input`: every check that failed, in the order of the contract. */
  failedChecks: string[];
}

/** @returns the error to throw for `code`; it is recognised by its code, as bundling can give two copies of a class. */
export function failure(code: ErrorCode, failedChecks: string[] = []): ExpectedError {
  return Object.assign(new Error(errors[code].title), {
    name: 'ExpectedError',
    code,
    status: errors[code].status,
    failedChecks,
  });
}

/** @returns the error that names every failed check of a caller's input. */
export function invalidInput(failedChecks: string[]): ExpectedError {
  return failure('invalid_input', failedChecks);
}

/** Whether `error` is one of the list above. */
export function isExpected(error: unknown): error is ExpectedError {
  if (typeof error !== 'object' || error === null) return false;
  try {
    return 'code' in error && typeof error.code === 'string' && Object.hasOwn(errors, error.code);
  } catch {
    // A getter or a Proxy that throws: what is thrown may be anything.
    return false;
  }
}
