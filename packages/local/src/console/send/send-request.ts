import { isUtf8 } from 'node:buffer';
import { request } from 'node:http';

/** A request as the page asks for it. */
export interface RequestToSend {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

export interface SentAnswer {
  status: number;
  headers: [name: string, value: string][];
  /** Empty for an answer that is not text. */
  text: string;
  bytes: number;
  /** Over the limit, so that `text` is its beginning. */
  isCut: boolean;
}

/** As much of an answer as a page can show. */
const shownBytes = 200_000;

/** @returns the request, or a sentence that says what is wrong with it. */
export function readRequest(value: unknown): RequestToSend | string {
  if (value === null || typeof value !== 'object') return 'The request is not an object.';
  const { method, path, headers = {}, body = '' } = value as Record<string, unknown>;
  if (typeof method !== 'string' || !/^[A-Z]{1,20}$/.test(method)) return 'The method must be upper-case letters.';
  if (typeof path !== 'string' || !/^\/[!-~]*$/.test(path))
    return 'The path must begin with / and hold printable ASCII alone: encode anything else.';
  if (typeof body !== 'string') return 'The body must be text.';
  if (headers === null || typeof headers !== 'object') return 'The headers must be an object.';
  const entries = Object.entries(headers);
  for (const [name, text] of entries) {
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) return `"${name}" is not a header name.`;
    if (typeof text !== 'string' || !/^[\t\x20-\x7e\x80-\xff]*$/.test(text))
      return `The header ${name} has an invalid value.`;
    if (/^(host|connection|content-length|transfer-encoding|upgrade|expect)$/i.test(name))
      return `The header ${name} is set by the connection.`;
  }
  return { method, path, headers: Object.fromEntries(entries), body };
}

/**
 * Sends a request to the local API, wherever its path leads. Waits as long as the API does.
 * @param api `http://127.0.0.1:3000`.
 * @throws the connection's error.
 */
export function sendRequest(api: string, toSend: RequestToSend, signal: AbortSignal): Promise<SentAnswer> {
  const { hostname, port } = new URL(api);
  const { method, path, headers, body } = toSend;
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, method, path, headers, signal, agent: false }, (answer) => {
      const kept: Buffer[] = [];
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        if (bytes < shownBytes) kept.push(chunk);
        bytes += chunk.length;
      });
      answer.on('error', reject);
      answer.on('end', () => {
        const shown = Buffer.concat(kept).subarray(0, shownBytes);
        // A cut may be in the middle of a character.
        const isText = isUtf8(shown) || (bytes > shownBytes && isUtf8(shown.subarray(0, shown.lastIndexOf(10) + 1)));
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.rawHeaders.flatMap((name, at, all) =>
            at % 2 === 0 ? [[name, all[at + 1] ?? ''] as [string, string]] : [],
          ),
          text: isText ? shown.toString('utf8') : '',
          bytes,
          isCut: bytes > shownBytes,
        });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body === '' ? undefined : body);
  });
}
