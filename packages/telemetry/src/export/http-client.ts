import type { ClientRequest, IncomingMessage } from 'node:http';
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { suppressTracing } from '../context/suppress-tracing.ts';

/** A POST's body and headers. */
export interface HttpPost {
  headers: Record<string, string>;
  body: string | Uint8Array;
}

/**
 * How a POST ended. `unsent`: the back end cannot have had it, so it may be sent again;
 * `unanswered`: it may have had it.
 */
export type PostResult =
  | { kind: 'answered'; status: number; body: Buffer; retryAfterMilliseconds: number | undefined }
  | { kind: 'unsent' | 'unanswered'; reason: string };

/**
 * A POST whose connection is being opened, or is open. The back end has heard nothing of it before
 * `send`.
 */
export interface OpenPost {
  /**
   * Follows no redirect, and reads at most 64 KB of the answer. Called once.
   * @param limitMilliseconds after which it is given up, whatever it is waiting for.
   */
  send(post: HttpPost, limitMilliseconds: number): Promise<PostResult>;
  /** Gives up what has not been answered. */
  close(): void;
}

/** Bytes read of an answer; a longer one is cut off there, and counts by its status. */
const maximumAnswerBytes = 65_536;
const longestRetryAfter = 5 * 60_000;

/**
 * Gateways forget idle connections, some after a minute, and tell nobody: what is written to one of
 * those is lost.
 */
const longestIdle = 30_000;

const agents = {
  'http:': pooling(new http.Agent({ keepAlive: true, maxSockets: 4 })),
  'https:': pooling(new https.Agent({ keepAlive: true, maxSockets: 4 })),
};

interface Pool {
  agent: http.Agent;
  /** Closes what has been idle too long. */
  sweep(): void;
}

function pooling(agent: http.Agent): Pool {
  /** Epoch milliseconds: no other clock of the process runs while its environment is frozen. */
  const idleSince = new WeakMap<object, number>();
  agent.on('free', (socket: Socket) => idleSince.set(socket, Date.now()));
  const sweep = (): void => {
    for (const socket of Object.values(agent.freeSockets).flatMap((sockets = []) => sockets)) {
      const idle = Date.now() - (idleSince.get(socket) ?? 0);
      // A clock that was set back says nothing of how long it was.
      if (idle < 0 || idle > longestIdle) socket.destroy();
    }
  };
  return { agent, sweep };
}

/**
 * Opens a connection for a POST, or takes one of the pool. It keeps no process alive, and never
 * throws.
 */
export function openPost(url: string): OpenPost {
  let early: string | undefined;
  let onError = (_request: ClientRequest, error: NodeJS.ErrnoException): void => {
    early = error.code ?? error.message;
  };
  let request: ClientRequest | undefined;
  let closed = false;

  function open(): ClientRequest {
    const target = new URL(url);
    const secure = target.protocol === 'https:';
    const create = secure ? https.request : http.request;
    // Node connects now and writes nothing before the body is there.
    const { agent, sweep } = agents[secure ? 'https:' : 'http:'];
    sweep();
    const opened = suppressTracing(() => create(target, { method: 'POST', agent }));
    opened.on('socket', (socket) => socket.unref());
    opened.on('error', (error: NodeJS.ErrnoException) => onError(opened, error));
    return opened;
  }

  function send({ headers, body }: HttpPost, limitMilliseconds: number): Promise<PostResult> {
    return new Promise((resolve) => {
      let sent = false;
      let settled = false;
      /**
       * Since the head of the answer is there: settles by its status, with what has come of its
       * body.
       */
      let settleAnswered: (() => void) | undefined;
      const settle = (result: PostResult): void => {
        settled = true;
        clearTimeout(timer);
        // Answered before all of it was sent: nobody reads the rest, which would wait in memory for
        // ever.
        if (request && !request.writableFinished) request.destroy();
        resolve(result);
      };
      const fail = (reason: string): void => {
        if (settled) return;
        if (settleAnswered) settleAnswered();
        else settle({ kind: sent ? 'unanswered' : 'unsent', reason });
      };
      const timer = setTimeout(() => {
        fail('it did not answer in time');
        request?.destroy();
      }, limitMilliseconds).unref();

      const write = (current: ClientRequest, retried: boolean): void => {
        request = current;
        sent = false;
        onError = (failed, error) => {
          if (failed !== request) return;
          // A pooled connection that the back end has closed. Once all was handed over, the back
          // end may have read it before it closed.
          const isDead = failed.reusedSocket && !sent && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
          if (isDead && !retried && !settled && !settleAnswered && !closed) write(open(), true);
          else fail(error.code ?? error.message);
        };
        // All of it has been handed to the system; before that, the back end cannot have understood
        // it.
        current.on('finish', () => {
          sent = true;
        });
        current.on('response', (answer) => {
          settleAnswered = readAnswer(answer, settle);
        });
        for (const [name, value] of Object.entries(headers)) current.setHeader(name, value);
        current.end(Buffer.from(body as Uint8Array));
      };
      const begin = (looks: number): void => {
        if (settled) return;
        try {
          if (!request || early !== undefined) {
            early = undefined;
            request = open();
          }
          // Two turns of the event loop have looked at all connections once: one that was closed
          // while this environment was frozen is known then, and nothing has been written to it.
          if (request.reusedSocket && looks < 2) setImmediate(begin, looks + 1);
          else write(request, false);
        } catch (error) {
          fail(error instanceof Error ? error.message : 'it could not be sent');
        }
      };
      begin(0);
    });
  }

  try {
    request = open();
  } catch (error) {
    early = String(error);
  }
  const close = (): void => {
    closed = true;
    request?.destroy();
  };
  return { send, close };
}

/**
 * @returns what settles by the status and by what has come of the body until then: a status is an
 * answer, whatever becomes of the rest.
 */
function readAnswer(answer: IncomingMessage, settle: (result: PostResult) => void): () => void {
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
  answer.on('error', done);
  return done;
}

/**
 * `Retry-After` (RFC 9110, section 10.2.3): seconds or a date, here between 0 and 5 minutes;
 * undefined for anything else.
 */
export function retryAfter(value: string | undefined, now = Date.now()): number | undefined {
  if (!value) return undefined;
  const milliseconds = /^\s*-?\d+\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  if (Number.isNaN(milliseconds)) return undefined;
  return Math.min(Math.max(milliseconds, 0), longestRetryAfter);
}
