/** An error as X-Ray's REST-JSON API answers it; the SDKs make it an exception of that name. */
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

/** The request says something that is not valid, or not supported here. */
export function invalidRequest(message: string): ApiError {
  return new ApiError('InvalidRequestException', message);
}
