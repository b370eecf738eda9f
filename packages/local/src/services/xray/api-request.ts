/** An error of X-Ray's REST-JSON API. The SDKs turn it into an exception named `type`. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly type: string;
  readonly status: number;

  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

/** @returns the error for a request that is not valid, or not supported here. */
export function invalidRequest(message: string): ApiError {
  return new ApiError('InvalidRequestException', message);
}

/** Of a date that JavaScript can hold. */
const latestMilliseconds = 8.64e15;

/** The body of a request, as JSON. */
export type Body = Record<string, unknown>;

/** @throws ApiError unless `key` is a list of strings. */
export function stringList(body: Body, key: string): string[] {
  const value = body[key];
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) {
    throw invalidRequest(`${key} must be a list of strings.`);
  }
  return value;
}

/** @throws ApiError unless `key` is absent or a string. */
export function optionalString(body: Body, key: string): string | undefined {
  const value = body[key] ?? undefined;
  if (value !== undefined && typeof value !== 'string') throw invalidRequest(`${key} must be a string.`);
  return value;
}

/**
 * SDKs send epoch seconds with a fraction; ISO 8601 is read too.
 * @returns epoch milliseconds.
 * @throws ApiError for anything else, and when it is absent.
 */
export function timestamp(body: Body, key: string): number {
  const value = body[key];
  const time = typeof value === 'number' ? value * 1000 : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (!(Math.abs(time) <= latestMilliseconds)) throw invalidRequest(`${key} must be a time in epoch seconds.`);
  return time;
}

/**
 * @returns StartTime and EndTime in epoch milliseconds. @throws ApiError when one is missing or the
 * end is before the start.
 */
export function timeRange(body: Body): { from: number; to: number } {
  const from = timestamp(body, 'StartTime');
  const to = timestamp(body, 'EndTime');
  if (to < from) throw invalidRequest('EndTime is before StartTime.');
  return { from, to };
}
