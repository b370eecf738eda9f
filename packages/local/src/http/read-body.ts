import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, inflate, zstdDecompress } from 'node:zlib';
import { HttpError } from './http-error.ts';

export interface BodyReading {
  /** complete: read to its end; too-large: stopped over the limit; aborted: it will never end. */
  end: 'complete' | 'too-large' | 'aborted';
  /** At most `maximumBytes`. */
  body: Buffer;
  /** All bytes that came, also those over the limit. */
  bytes: number;
  /** When the first byte came, by `performance.now()`. */
  startedAt: number;
}

export interface CollectOptions {
  maximumBytes: number;
  /** Over the limit: `stop` pauses the request, `discard` reads on and keeps what it has. */
  overflow: 'stop' | 'discard';
  /** Stops waiting for the rest. */
  signal?: AbortSignal;
}

/** Reads a body into memory, within a limit. Never rejects, and never destroys the socket. */
export function collectBody(request: IncomingMessage, options: CollectOptions): Promise<BodyReading> {
  const { maximumBytes, overflow, signal } = options;
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let kept = 0;
    let bytes = 0;
    let startedAt = performance.now();
    // Not for-await: leaving that loop destroys the socket, and with it the answer.
    const finish = (end: BodyReading['end']): void => {
      request.off('data', take).off('end', complete).off('error', abort).off('close', abort);
      signal?.removeEventListener('abort', abort);
      resolve({ end, body: Buffer.concat(chunks, kept), bytes, startedAt });
    };
    const complete = (): void => finish('complete');
    const abort = (): void => finish('aborted');
    const take = (chunk: Buffer): void => {
      if (bytes === 0) startedAt = performance.now();
      bytes += chunk.length;
      if (bytes <= maximumBytes) {
        chunks.push(chunk);
        kept += chunk.length;
      } else if (overflow === 'stop') {
        request.pause();
        finish('too-large');
      }
    };
    request.on('data', take).once('end', complete).once('error', abort).once('close', abort);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
  });
}

type Inflate = (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>;

const encodings: Record<string, Inflate> = {
  gzip: promisify(gunzip) as Inflate,
  'x-gzip': promisify(gunzip) as Inflate,
  deflate: promisify(inflate) as Inflate,
  zstd: promisify(zstdDecompress) as Inflate,
  // Honeycomb's name for it.
  zst: promisify(zstdDecompress) as Inflate,
};

/**
 * Reads a body and inflates it by its Content-Encoding: none, gzip, deflate or zstd.
 * @throws {HttpError} 413 as soon as more than `maximumBytes` have arrived or come out; 400 when
 *   the body is cut off or does not inflate; 415 for another encoding.
 */
export async function readBody(request: IncomingMessage, maximumBytes: number): Promise<Buffer> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const decompress = Object.hasOwn(encodings, encoding) ? encodings[encoding] : undefined;
  if (!decompress && encoding !== 'identity' && encoding !== '') {
    throw new HttpError(415, `Content-Encoding "${encoding}" is not supported: use gzip, deflate, zstd or none.`);
  }
  const tooLarge = () => new HttpError(413, `The body is larger than ${maximumBytes} bytes.`);
  if (Number(request.headers['content-length'] ?? 0) > maximumBytes) throw tooLarge();
  const { end, body } = await collectBody(request, { maximumBytes, overflow: 'stop' });
  if (end === 'too-large') throw tooLarge();
  if (end === 'aborted') throw new HttpError(400, 'The connection closed before the end of the body.');
  if (!decompress || body.length === 0) return body;
  return inflated(body, encoding, decompress, maximumBytes);
}

async function inflated(body: Buffer, encoding: string, decompress: Inflate, maximumBytes: number): Promise<Buffer> {
  try {
    return await decompress(body, { maxOutputLength: maximumBytes });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') {
      throw new HttpError(413, `The body inflates to more than ${maximumBytes} bytes.`);
    }
    throw new HttpError(400, `The body is not valid ${encoding}: ${(error as Error).message}.`);
  }
}
