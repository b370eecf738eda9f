'use strict';
const { Writable } = require('node:stream');
const { InvalidStreamingOperation } = require('./errors.cjs');
const { streamingMark, highWaterMarkKey } = require('./handler-loader.cjs');

const integrationResponse = 'application/vnd.awslambda.http-integration-response';

/**
 * Puts `awslambda.streamifyResponse` and `awslambda.HttpResponseStream` where functions find them
 * on Lambda.
 */
function installResponseStreaming() {
  globalThis.awslambda.streamifyResponse = (handler, options) => {
    handler[streamingMark] = 'response';
    if (typeof options?.highWaterMark === 'number') handler[highWaterMarkKey] = Math.trunc(options.highWaterMark);
    return handler;
  };
  globalThis.awslambda.HttpResponseStream = {
    /**
     * Sends `prelude` (status, headers) as JSON and eight zero bytes before the first byte of the
     * body.
     */
    from(stream, prelude) {
      stream.setContentType(integrationResponse);
      stream._onBeforeFirstWrite = (write) => {
        write(JSON.stringify(prelude));
        write(new Uint8Array(8));
      };
      return stream;
    },
  };
}

/**
 * A Writable whose bytes go to the Runtime API as they are written. The request begins with the
 * first byte, or with the end.
 * @returns {{ stream: Writable, finish(error?: unknown): Promise<void> }} `finish` resolves when
 *   the Runtime API has answered.
 */
function createResponseStream(client, requestId, highWaterMark) {
  let contentType = 'application/octet-stream';
  let begun = false;
  const begin = () => {
    if (begun) return;
    begun = true;
    client.beginChunks(requestId, contentType);
    stream._onBeforeFirstWrite?.((chunk) => client.writeChunk(Buffer.from(chunk), () => {}));
  };
  const stream = new Writable({
    highWaterMark,
    write(chunk, _encoding, done) {
      begin();
      client.writeChunk(chunk, done);
    },
  });
  const write = stream.write;
  // On Lambda an object that is written goes out as JSON.
  stream.write = (chunk, ...rest) => {
    const bytes = typeof chunk === 'string' || ArrayBuffer.isView(chunk) ? chunk : JSON.stringify(chunk);
    return write.call(stream, bytes, ...rest);
  };
  stream.setContentType = (value) => {
    if (begun) throw new InvalidStreamingOperation('Cannot set content-type, too late.');
    contentType = value;
  };
  const finish = async (error) => {
    if (error === undefined && !stream.writableFinished) await new Promise((resolve) => stream.once('finish', resolve));
    if (error !== undefined && !begun) return void (await client.postError(requestId, error));
    begin();
    await client.endChunks(error);
  };
  return { stream, finish };
}

module.exports = { installResponseStreaming, createResponseStream };
