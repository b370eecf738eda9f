'use strict';
const { logError } = require('./console.cjs');
const { JSONStringifyError } = require('./errors.cjs');
const { runtimeVersion } = require('./handler-loader.cjs');
const { keys } = require('./invoke-store.cjs');
const { createResponseStream } = require('./response-stream.cjs');
const { callHandler } = require('./callback.cjs');

/**
 * Runs the handler once and posts what came of it. Resolves when the Runtime API has taken it; does
 * not reject.
 */
async function processInvocation({ client, invocation, loaded, invokeStore }) {
  const { headers } = invocation;
  const requestId = headers['lambda-runtime-aws-request-id'];
  const traceId = headers['lambda-runtime-trace-id'];
  if (traceId) process.env._X_AMZN_TRACE_ID = traceId;
  else delete process.env._X_AMZN_TRACE_ID;

  const context = buildContext(headers);
  const store = { [keys.REQUEST_ID]: requestId, [keys.X_RAY_TRACE_ID]: traceId };
  await invokeStore.run(store, () =>
    loaded.streaming
      ? runStreaming(client, requestId, loaded, invocation.body, context)
      : runBuffered(client, requestId, loaded, invocation.body, context),
  );
}

function buildContext(headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  return {
    clientContext: parseOptional(headers['lambda-runtime-client-context']),
    identity: parseOptional(headers['lambda-runtime-cognito-identity']),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    tenantId: headers['lambda-runtime-aws-tenant-id'],
    xRayTraceId: headers['lambda-runtime-trace-id'],
    getRemainingTimeInMillis: () => deadline - Date.now(),
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
  };
}

function parseOptional(json) {
  return json ? JSON.parse(json) : undefined;
}

async function runBuffered(client, requestId, { handler }, body, context) {
  try {
    const event = JSON.parse(body);
    const result = await (runtimeVersion() >= 24 ? handler(event, context) : callHandler(handler, event, context));
    const json = stringify(result);
    // What the handler has left for the current turn of the event loop (a last log line) is part of
    // this invocation.
    await new Promise((resolve) => setImmediate(resolve));
    await client.postResponse(requestId, json);
  } catch (error) {
    await new Promise((resolve) => setImmediate(resolve));
    logError('Invoke Error', error);
    await client.postError(requestId, error);
  }
}

function stringify(result) {
  try {
    // A function or a symbol has no JSON: stringify gives undefined, and the answer must be JSON.
    return JSON.stringify(result === undefined ? null : result) ?? 'null';
  } catch {
    throw new JSONStringifyError('Unable to stringify response body');
  }
}

async function runStreaming(client, requestId, { handler, highWaterMark }, body, context) {
  const { stream, finish } = createResponseStream(client, requestId, highWaterMark);
  try {
    const returned = handler(JSON.parse(body), stream, context);
    if (typeof returned?.then !== 'function') throw new Error('Streaming does not support non-async handlers.');
    if ((await returned) !== undefined) console.warn('Streaming handlers ignore return values.');
    if (!stream.writableEnded) throw new Error('Response stream is not finished.');
    await finish();
  } catch (error) {
    logError('Invoke Error', error);
    await finish(error ?? new Error(String(error)));
  }
}

module.exports = { processInvocation };
