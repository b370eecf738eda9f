'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { createRequire } = require('node:module');
const { pathToFileURL } = require('node:url');
const errors = require('./errors.cjs');

const streamingMark = Symbol.for('aws.lambda.runtime.handler.streaming');
const highWaterMarkKey = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');

/** Lambda's order. TypeScript is not in it, although this Node could run it. */
const extensions = ['', '.js', '.mjs', '.cjs'];

/**
 * Loads `folder/file.export.nested` below the task root as Lambda does: `import()` from nodejs24.x
 * on, `require` first before it.
 * @returns {Promise<{ handler: Function, streaming: boolean, highWaterMark?: number }>}
 * @throws an error named `Runtime.…`, or what the function's own code threw while it was loaded.
 */
async function loadHandler(taskRoot, handlerName) {
  if (handlerName.includes('..')) {
    throw new errors.MalformedHandlerName(
      `'${handlerName}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const match = /^([^.]*)\.(.*)$/.exec(path.basename(handlerName));
  if (!match) throw new errors.MalformedHandlerName('Bad handler');
  const [, file, exportPath] = match;
  const module = await loadModule(taskRoot, path.resolve(taskRoot, path.dirname(handlerName)), file);
  const handler = property(module, exportPath) ?? property(module?.default, exportPath);
  if (!handler) throw new errors.HandlerNotFound(`${handlerName} is undefined or not exported`);
  if (typeof handler !== 'function') throw new errors.HandlerNotFound(`${handlerName} is not a function`);
  const streaming = isStreaming(handler);
  refuseCallbackHandler(handler, streaming);
  return { handler, streaming, highWaterMark: Number(handler[highWaterMarkKey]) || undefined };
}

async function loadModule(taskRoot, folder, file) {
  try {
    for (const extension of extensions) {
      const candidate = path.join(folder, file) + extension;
      if (fs.statSync(candidate, { throwIfNoEntry: false })?.isFile()) return await loadFile(candidate);
    }
    return require(require.resolve(file, { paths: [taskRoot, folder] }));
  } catch (error) {
    if (error instanceof SyntaxError) throw new errors.UserCodeSyntaxError(error);
    if (error?.code === 'MODULE_NOT_FOUND' || error?.code === 'ERR_MODULE_NOT_FOUND')
      throw new errors.ImportModuleError(String(error) + installHint(error));
    throw error;
  }
}

/** Lambda's runtime has the AWS SDK, so a service may leave it out of its dependencies. */
function installHint(error) {
  const name = /Cannot find (?:module|package) '((?:@aws-sdk|@smithy)\/[^'/]+)/.exec(String(error))?.[1];
  return name ? `\nLambda's runtime has ${name}; for local runs install it: npm install --save-dev ${name}` : '';
}

async function loadFile(file) {
  if (runtimeVersion() >= 24 || file.endsWith('.mjs')) return import(pathToFileURL(file));
  try {
    return createRequire(file)(file);
  } catch (error) {
    // An ES module that awaits at its top cannot be required.
    if (error?.code === 'ERR_REQUIRE_ASYNC_MODULE' || error?.code === 'ERR_REQUIRE_ESM')
      return import(pathToFileURL(file));
    throw error;
  }
}

function property(module, exportPath) {
  let value = module;
  for (const key of exportPath.split('.')) {
    if (value === null || typeof value !== 'object') return undefined;
    value = value[key];
  }
  return value;
}

function isStreaming(handler) {
  const kind = handler[streamingMark];
  if (kind && kind !== 'response') throw new errors.MalformedStreamingHandler('Only response streaming is supported.');
  return kind === 'response';
}

/** The runtime that the function was declared for, which need not be the Node that runs it here. */
function runtimeVersion() {
  return Number(/nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV ?? '')?.[1] ?? 24);
}

function refuseCallbackHandler(handler, streaming) {
  if (runtimeVersion() < 24 || streaming || handler.length < 3) return;
  throw new errors.CallbackHandlerDeprecated(
    'ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need to modify this function to use a supported handler signature to use Node.js 24 or later. For more information see https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html.',
  );
}

module.exports = { loadHandler, runtimeVersion, streamingMark, highWaterMarkKey };
