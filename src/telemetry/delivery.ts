import type { ClientRequest, IncomingMessage } from 'node:http';
import http from 'node:http';
import https from 'node:https';

/** One POST to a back end. */
export interface HttpPost {
  url: string;
  headers: Record<string, string>;
  body: string | Uint8Array;
}

/** How a POST ended. `unsent`: the back end cannot have had it, so it may be sent again; `unanswered`: it may have had it. */
export type PostResult =
  | { kind: 'answered'; status: number; body: Buffer; retryAfterMilliseconds: number | undefined }
  | { kind: 'unsent' | 'unanswered'; reason: string };

/** A POST that is on its way. With `held`, all but its last byte is sent, and the back end does nothing before it has that. */
export interface Post {
  readonly result: Promise<PostResult>;
  /** Sends the last byte of a held POST. */
  release(): void;
  /** Gives up. A held POST that was not released counts as unsent. */
  abort(): void;
}

/** What is read of an answer; an endless one is cut off there, and counts by its status. */
const maximumAnswerBytes = 65_536;
const longestRetryAfter = 5 * 60_000;

const agents = {
  'http:': new http.Agent({ keepAlive: true, maxSockets: 4 }),
  'https:': new https.Agent({ keepAlive: true, maxSockets: 4 }),
};

/**
 * Starts a POST. It follows no redirect, reads at most 64 KB of the answer, and keeps no process alive.
 * @param limitMilliseconds after which it is given up, whatever it is waiting for.
 */
export function startPost(post: HttpPost, limitMilliseconds: number, { held = false } = {}): Post {
  let request: ClientRequest | undefined;
  let settle: (result: PostResult) => void = () => {};
  let sent = false;
  const body = Buffer.from(post.body as Uint8Array);
  const result = new Promise<PostResult>((resolve) => {
    settle = resolve;
  });
  const fail = (reason: string): void => settle({ kind: sent ? 'unanswered' : 'unsent', reason });
  const timer = setTimeout(() => abort('it did not answer in time'), limitMilliseconds).unref();
  result.finally(() => clearTimeout(timer));

  function abort(reason: string): void {
    fail(reason);
    request?.destroy();
  }

  function finish(): void {
    if (!request || request.writableEnded) return;
    request.end(held ? body.subarray(body.length - 1) : body);
  }

  function begin(retried: boolean): void {
    const url = new URL(post.url);
    const secure = url.protocol === 'https:';
    const send = secure ? https.request : http.request;
    sent = false;
    request = send(url, {
      method: 'POST',
      agent: agents[secure ? 'https:' : 'http:'],
      headers: { ...post.headers, 'content-length': body.length },
    });
    // All of it has been handed to the system; before that, the back end cannot have understood it.
    request.on('finish', () => {
      sent = true;
    });
    request.on('socket', (socket) => socket.unref());
    request.on('response', (answer) => readAnswer(answer, settle, fail));
    request.on('error', (error: NodeJS.ErrnoException) => {
      // A pooled connection that the back end closed while this environment was frozen: nobody has read what was written to it.
      if (request?.reusedSocket && error.code === 'ECONNRESET' && !retried) begin(true);
      else fail(error.code ?? error.message);
    });
    if (held) request.write(body.subarray(0, body.length - 1));
    else finish();
  }

  try {
    begin(false);
  } catch (error) {
    fail(error instanceof Error ? error.message : 'it could not be sent');
  }
  return { result, release: finish, abort: () => abort('it was given up') };
}

function readAnswer(
  answer: IncomingMessage,
  settle: (result: PostResult) => void,
  fail: (reason: string) => void,
): void {
  const chunks: Buffer[] = [];
  let length = 0;
  const done = (): void =>
    settle({
      kind: 'answered',
      status: answer.statusCode ?? 0,
      body: Buffer.concat(chunks),
      retryAfterMilliseconds: retryAfter(answer.headers['retry-after']),
    });
  answer.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length <= maximumAnswerBytes) chunks.push(chunk);
    else {
      done();
      answer.destroy();
    }
  });
  answer.on('end', done);
  answer.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
}

/** `Retry-After` (RFC 9110, section 10.2.3): seconds or a date, here between 0 and 5 minutes; undefined for anything else. */
export function retryAfter(value: string | undefined, now = Date.now()): number | undefined {
  if (!value) return undefined;
  const milliseconds = /^\s*-?\d+\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  if (Number.isNaN(milliseconds)) return undefined;
  return Math.min(Math.max(milliseconds, 0), longestRetryAfter);
}
