'use strict';
const fs = require('node:fs');
const { format } = require('node:util');

/** Name to priority, in Lambda's order. */
const levels = { TRACE: 1, DEBUG: 2, INFO: 3, WARN: 4, ERROR: 5, FATAL: 6 };
const frameText = 0xa55a0003;
const frameJson = 0xa55a0002;
const frameHeaderBytes = 16;

/**
 * Replaces `console` as Lambda does: text lines `time \t request id \t LEVEL \t message`, or JSON
 * with AWS_LAMBDA_LOG_FORMAT=JSON, nothing below AWS_LAMBDA_LOG_LEVEL. Each call is one frame on
 * the file descriptor `_LAMBDA_TELEMETRY_LOG_FD`, so that a message of many lines stays one record;
 * without it, one line on stdout with carriage returns inside.
 */
function patchConsole(invokeStore) {
  const json = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === 'JSON';
  const minimum = levels[process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase()] ?? levels.TRACE;
  const write = createWriter(takeTelemetryDescriptor(), json);
  const method = (level) => {
    if (levels[level] < minimum) return () => {};
    const render = json ? jsonLine : textLine;
    return (...values) => {
      const now = new Date();
      write(level, now, render(now.toISOString(), invokeStore.getRequestId(), level, values));
    };
  };
  console.trace = method('TRACE');
  console.debug = method('DEBUG');
  console.info = method('INFO');
  console.log = console.info;
  console.warn = method('WARN');
  console.error = method('ERROR');
  console.fatal = method('FATAL');
}

function takeTelemetryDescriptor() {
  const descriptor = Number(process.env._LAMBDA_TELEMETRY_LOG_FD);
  // A process that the function starts must not take the descriptor for its own.
  delete process.env._LAMBDA_TELEMETRY_LOG_FD;
  return Number.isInteger(descriptor) && descriptor > 2 ? descriptor : undefined;
}

function createWriter(descriptor, json) {
  if (descriptor === undefined) return (_level, _now, line) => process.stdout.write(`${line.replace(/\n/g, '\r')}\n`);
  return (level, now, line) => {
    const message = Buffer.from(line);
    const frame = Buffer.allocUnsafe(frameHeaderBytes + message.length);
    frame.writeUInt32BE(((json ? frameJson : frameText) | (levels[level] << 2)) >>> 0, 0);
    frame.writeUInt32BE(message.length, 4);
    frame.writeBigInt64BE(BigInt(now.getTime()) * 1000n, 8);
    message.copy(frame, frameHeaderBytes);
    for (let written = 0; written < frame.length; ) written += fs.writeSync(descriptor, frame, written);
  };
}

function textLine(time, requestId, level, values) {
  return `${time}\t${requestId}\t${level}\t${format(...values)}`;
}

function jsonLine(timestamp, requestId, level, values) {
  const line = { timestamp, level, requestId };
  if (values.length === 1) {
    try {
      return JSON.stringify({ ...line, message: values[0] }, replaceErrors);
    } catch {
      // Circular, BigInt, a getter that throws: the text is all that can be said of it.
    }
  }
  line.message = format(...values);
  const error = values.length > 1 ? values.find((value) => value instanceof Error) : undefined;
  return JSON.stringify(error ? { ...line, ...errorFields(error) } : line);
}

function replaceErrors(_key, value) {
  return value instanceof Error ? { ...errorFields(value), ...value } : value;
}

function errorFields(error) {
  return {
    errorType: error.constructor?.name ?? 'UnknownError',
    errorMessage: error.message,
    stackTrace: typeof error.stack === 'string' ? error.stack.split('\n') : [],
  };
}

/**
 * Writes an error of the runtime as Lambda does: the title, a tab, the error as JSON (in JSON
 * format the error alone).
 */
function logError(title, thrown) {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  if (process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === 'JSON') return console.error(error);
  console.error(title, `\t${errorJson(error)}`);
}

function errorJson(error) {
  const known = { errorType: error.name, errorMessage: error.message };
  const stack = typeof error.stack === 'string' ? error.stack.split('\n') : [];
  try {
    return JSON.stringify({ ...known, code: error.code, ...error, stack });
  } catch {
    return JSON.stringify({ ...known, stack });
  }
}

module.exports = { patchConsole, logError };
