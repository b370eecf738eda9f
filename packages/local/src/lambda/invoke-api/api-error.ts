/** What Lambda's API refuses, in the form of its REST-JSON protocol. */
export class ApiError extends Error {
  readonly status: number;
  readonly type: string;
  readonly fields: Record<string, string>;

  constructor(status: number, type: string, message: string, fields: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.type = type;
    this.fields = fields;
  }

  get body(): string {
    const side = this.status >= 500 ? 'Service' : 'User';
    return JSON.stringify({ Type: side, ...this.fields, Message: this.message, message: this.message });
  }
}
