'use strict';
const net = require('node:net');
const { formatError, formatXRayCause } = require('./errors.cjs');

/** @typedef {{ status: number, headers: Record<string, string>, body: string }} Answer */

/**
 * The Runtime API over one connection, in plain HTTP/1.1 written here: with `node:http` every call
 * to the Runtime API would be seen by whatever the function or its layers put around `http.request`
 * (X-Ray, OpenTelemetry), and would turn up in the function's own trace. AWS's client has native
 * code for the same reason. One request at a time, which is all that the protocol needs.
 */
class RuntimeApiClient {
  /** @param {string} address `host:port`. */
  constructor(address) {
    const separator = address.lastIndexOf(':');
    this.host = address;
    this.buffer = Buffer.alloc(0);
    /** @type {((answer: Answer) => void) | undefined} */
    this.waiting = undefined;
    /** Ends when the last request that was sent has its answer. */
    this.turn = Promise.resolve();
    /** Whether a streamed response is open. */
    this.streaming = false;
    /** Whether only the error that ends the process may still be posted. */
    this.closed = false;
    this.socket = new net.Socket();
    // A layer's instrumentation of `net` keeps what it replaced as `__original`: connecting to the
    // Runtime API is no span of the function.
    const connect = this.socket.connect.__original ?? this.socket.connect;
    connect.call(this.socket, { host: address.slice(0, separator), port: Number(address.slice(separator + 1)) });
    this.socket.setNoDelay(true);
    this.socket.on('data', (chunk) => this.receive(chunk));
    // Without the Runtime API there is no environment any more: nothing that could be told to
    // anyone.
    this.socket.on('error', () => process.exit(1));
    this.socket.on('close', () => process.exit(1));
  }

  /** Waits as long as it takes for an invocation, keeping the process alive meanwhile. */
  async next() {
    this.socket.ref();
    const answer = await this.request('GET', '/2018-06-01/runtime/invocation/next', {}, '');
    // While the handler works only its own handles keep the process: an event loop that runs empty
    // ends it, as on Lambda.
    this.socket.unref();
    if (answer.status !== 200)
      throw new Error(`The Runtime API refused to give an invocation: ${answer.status} ${answer.body}`);
    return answer;
  }

  postResponse(requestId, json) {
    return this.request('POST', this.path(requestId, 'response'), { 'Content-Type': 'application/json' }, json);
  }

  postError(requestId, error) {
    if (this.streaming) return this.endChunks(error);
    const cause = formatXRayCause(error);
    return this.postDocument(
      this.path(requestId, 'error'),
      error,
      cause && { 'Lambda-Runtime-Function-XRay-Error-Cause': cause },
    );
  }

  postInitError(error) {
    return this.postDocument('/2018-06-01/runtime/init/error', error);
  }

  /**
   * Posts the error that ends the process, of an invocation or else of init. What the handler,
   * which does not know that it has failed, would post after it is not sent: its `/next` would be
   * taken for the sign that all is well.
   */
  postFatal(requestId, error) {
    const posted = requestId ? this.postError(requestId, error) : this.postInitError(error);
    this.closed = true;
    return posted;
  }

  /**
   * Begins a streamed response. Chunks go out with `writeChunk`; `endChunks` closes it and resolves
   * with the answer.
   */
  beginChunks(requestId, contentType) {
    this.socket.ref();
    const headers = {
      'Content-Type': contentType,
      'Lambda-Runtime-Function-Response-Mode': 'streaming',
      'Transfer-Encoding': 'chunked',
      Trailer: 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body',
    };
    this.streaming = true;
    this.socket.write(this.head('POST', this.path(requestId, 'response'), headers));
  }

  writeChunk(chunk, done) {
    if (chunk.length === 0 || !this.streaming) return done();
    this.socket.write(`${chunk.length.toString(16)}\r\n`);
    this.socket.write(chunk);
    this.socket.write('\r\n', done);
  }

  endChunks(error) {
    const trailers = error
      ? `Lambda-Runtime-Function-Error-Type: ${headerSafe(formatError(error).errorType)}\r\n` +
        `Lambda-Runtime-Function-Error-Body: ${Buffer.from(JSON.stringify(formatError(error))).toString('base64')}\r\n`
      : '';
    this.streaming = false;
    return this.answerTo(() => this.socket.write(`0\r\n${trailers}\r\n`));
  }

  postDocument(path, error, headers) {
    const document = formatError(error);
    return this.request(
      'POST',
      path,
      {
        'Content-Type': 'application/json',
        'Lambda-Runtime-Function-Error-Type': headerSafe(document.errorType),
        ...headers,
      },
      JSON.stringify(document),
    );
  }

  path(requestId, action) {
    return `/2018-06-01/runtime/invocation/${encodeURIComponent(requestId)}/${action}`;
  }

  head(method, path, headers) {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return `${method} ${path} HTTP/1.1\r\nHost: ${this.host}\r\n${lines.join('')}\r\n`;
  }

  /** @returns {Promise<Answer>} */
  request(method, path, headers, body) {
    this.socket.ref();
    const bytes = Buffer.from(body);
    return this.answerTo(() => {
      this.socket.write(this.head(method, path, { ...headers, 'Content-Length': bytes.length }));
      if (bytes.length > 0) this.socket.write(bytes);
    });
  }

  answerTo(send) {
    if (this.closed) return new Promise(() => {});
    const answer = this.turn.then(
      () =>
        new Promise((resolve) => {
          this.waiting = resolve;
          send();
        }),
    );
    this.turn = answer;
    return answer;
  }

  receive(chunk) {
    this.buffer = this.buffer.length === 0 ? chunk : Buffer.concat([this.buffer, chunk]);
    const end = this.buffer.indexOf('\r\n\r\n');
    if (end < 0) return;
    const [statusLine, ...lines] = this.buffer.toString('latin1', 0, end).split('\r\n');
    const headers = {};
    for (const line of lines) {
      const colon = line.indexOf(':');
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    // The platform states the length of each of its answers: there is no chunked answer to read.
    const length = Number(headers['content-length'] ?? 0);
    if (this.buffer.length < end + 4 + length) return;
    const body = this.buffer.toString('utf8', end + 4, end + 4 + length);
    this.buffer = this.buffer.subarray(end + 4 + length);
    const resolve = this.waiting;
    this.waiting = undefined;
    resolve?.({ status: Number(statusLine.split(' ')[1]), headers, body });
  }
}

/** A header cannot hold what an error's name may hold. */
function headerSafe(text) {
  return String(text)
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 256);
}

module.exports = { RuntimeApiClient };
