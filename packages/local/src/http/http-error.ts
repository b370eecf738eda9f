/** A request that cannot be served. `message` is shown to the sender. */
export class HttpError extends Error {
  readonly status: number;
  /** The protocol's own name for the error, where it has one. */
  readonly code: string | undefined;

  constructor(status: number, message: string, code?: string) {
    super(message);
    this.name = 'HttpError';
    this.status = status;
    this.code = code;
  }
}
