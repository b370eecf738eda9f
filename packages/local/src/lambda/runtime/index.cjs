/**
 * The local Lambda's own runtime client: the main program of an execution environment, as
 * /var/runtime/index.mjs is on Lambda. It loads the function, then asks the Runtime API for one
 * invocation after the other. It has no dependency and is CommonJS, because an ES module as the
 * main program costs every cold start some milliseconds. Protocol:
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
'use strict';
const { RuntimeApiClient } = require('./runtime-api-client.cjs');
const { patchConsole, logError } = require('./console.cjs');
const { createInvokeStore } = require('./invoke-store.cjs');
const { UnhandledPromiseRejection } = require('./errors.cjs');
const { configureSdkV2 } = require('./sdk-v2.cjs');
const { loadHandler } = require('./handler-loader.cjs');
const { installResponseStreaming } = require('./response-stream.cjs');
const { processInvocation } = require('./invocation.cjs');

/** The invocation that is being worked on; errors that nobody caught are its errors. */
let currentRequestId;
let initialized = false;
let failing = false;

async function main() {
  globalThis.awslambda = globalThis.awslambda || {};
  const invokeStore = createInvokeStore();
  globalThis.awslambda.InvokeStore = invokeStore;
  installResponseStreaming();
  patchConsole(invokeStore);

  const client = new RuntimeApiClient(process.env.AWS_LAMBDA_RUNTIME_API);
  const fail = async (title, error, exitCode) => {
    // Of the errors that follow from the first, none is of interest.
    if (failing) return;
    failing = true;
    logError(title, error);
    // Between two invocations there is nobody to tell: the platform sees the process end.
    if (currentRequestId || !initialized) await client.postFatal(currentRequestId, error);
    process.exit(exitCode);
  };
  // The exit codes are those of AWS's client.
  process.on('uncaughtException', (error) => fail('Uncaught Exception', error, 129));
  process.on('unhandledRejection', (reason, promise) => {
    fail('Unhandled Promise Rejection', new UnhandledPromiseRejection(reason, promise), 128);
  });

  configureSdkV2();
  let loaded;
  try {
    loaded = await loadHandler(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
  } catch (error) {
    logError('Init Error', error);
    await client.postInitError(error);
    process.exit(1);
  }

  initialized = true;

  for (;;) {
    const invocation = await client.next();
    currentRequestId = invocation.headers['lambda-runtime-aws-request-id'];
    await processInvocation({ client, invocation, loaded, invokeStore });
    currentRequestId = undefined;
  }
}

main();
