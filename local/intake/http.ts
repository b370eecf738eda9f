import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate, zstdDecompress } from 'node:zlib';

/** What one request may hold. Everything that a receiver keeps, inflates or descends into is bounded by one of these. */
export interface IntakeLimits {
  /** Of a body, as it was sent and again when it is inflated. */
  bodyBytes: number;
  /** Levels of nesting, in JSON and in protobuf. */
  depth: number;
  /** Objects, arrays and messages in one body: a few bytes each on the wire, a hundred in memory. */
  objects: number;
  /** Spans, log records, data points or events in one body; the first ones are taken. */
  records: number;
  /** Attributes of one span, event, link, log record or data point; the first ones are taken. */
  attributes: number;
  /** From a request's first byte to its last. */
  requestMilliseconds: number;
  connections: number;
}

export const DEFAULT_LIMITS: IntakeLimits = {
  bodyBytes: 20_000_000,
  depth: 100,
  objects: 2_000_000,
  records: 100_000,
  attributes: 1_000,
  requestMilliseconds: 10_000,
  connections: 256,
};

export interface IntakeRequest {
  method: string;
  /** Without the query. */
  path: string;
  headers: IncomingHttpHeaders;
  /**
   * Reads and inflates the body, of at most `maximumBytes` or what the limits say.
   * @throws IntakeError 400 (does not inflate), 413 (too large), 415 (unknown encoding)
   */
  body(maximumBytes?: number): Promise<Buffer>;
}

export interface IntakeAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

/** One protocol on the shared port. */
export interface Intake {
  /** As it is named in `TelemetrySink.rejected`. */
  name: string;
  handles(request: IntakeRequest): boolean;
  /** @throws IntakeError when the request as a whole cannot be taken */
  answer(request: IntakeRequest): Promise<IntakeAnswer>;
  /** Says no in the protocol's own form. */
  refuse(error: IntakeError, request: IntakeRequest): IntakeAnswer;
}

/** A request that cannot be taken; `message` is shown to the sender. */
export class IntakeError extends Error {
  readonly status: number;
  /** The protocol's own name for it, where it has one. */
  readonly code: string | undefined;

  constructor(status: number, message: string, code?: string) {
    super(message);
    this.name = 'IntakeError';
    this.status = status;
    this.code = code;
  }
}

type Inflate = (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const ENCODINGS: Record<string, Inflate> = {
  gzip: promisify(gunzip) as Inflate,
  'x-gzip': promisify(gunzip) as Inflate,
  deflate: promisify(inflate) as Inflate,
  zstd: promisify(zstdDecompress) as Inflate,
  // Honeycomb's name for it.
  zst: promisify(zstdDecompress) as Inflate,
};

/**
 * @returns the body of `request`, inflated by its Content-Encoding (none, gzip, deflate, zstd; one, not a list of them)
 * @throws IntakeError 413 as soon as more than `maximumBytes` have arrived or come out, 400, 415
 */
export async function readBody(request: IncomingMessage, maximumBytes: number): Promise<Buffer> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const decompress = Object.hasOwn(ENCODINGS, encoding) ? ENCODINGS[encoding] : undefined;
  if (!decompress && encoding !== 'identity' && encoding !== '') {
    throw new IntakeError(415, `Content-Encoding "${encoding}" is not supported: use gzip, deflate, zstd or none.`);
  }
  const tooLarge = () => new IntakeError(413, `The body is larger than ${maximumBytes} bytes.`);
  if (Number(request.headers['content-length'] ?? 0) > maximumBytes) throw tooLarge();

  const chunks: Buffer[] = [];
  let length = 0;
  try {
    // Not for-await: leaving that loop destroys the socket, and with it the answer.
    await new Promise<void>((resolve, reject) => {
      request.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > maximumBytes) reject(tooLarge());
        else chunks.push(chunk);
      });
      request.once('end', resolve);
      const cutOff = () => reject(new IntakeError(400, 'The connection closed before the body had ended.'));
      request.once('error', cutOff);
      request.once('close', cutOff);
    });
  } finally {
    request.removeAllListeners('data');
  }
  const body = Buffer.concat(chunks, length);
  if (!decompress || body.length === 0) return body;
  try {
    return await decompress(body, { maxOutputLength: maximumBytes });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new IntakeError(413, `The body inflates to more than ${maximumBytes} bytes.`);
    }
    throw new IntakeError(400, `The body is not valid ${encoding}: ${(error as Error).message}.`);
  }
}

/** @returns the media type of the body without its parameters, in lower case; empty without a Content-Type. */
export function mediaType(headers: IncomingHttpHeaders): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** @returns an answer whose body is `value` as JSON. */
export function json(status: number, value: unknown, type = 'application/json'): IntakeAnswer {
  return { status, headers: { 'content-type': type }, body: JSON.stringify(value) };
}
