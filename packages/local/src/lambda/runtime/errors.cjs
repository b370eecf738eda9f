'use strict';

/**
 * @returns {typeof Error} a class of errors whose name is Lambda's, so that it becomes the
 * `errorType`.
 */
function lambdaError(name) {
  return class extends Error {
    constructor(message) {
      super(message);
      this.name = name;
    }
  };
}

const HandlerNotFound = lambdaError('Runtime.HandlerNotFound');
const MalformedHandlerName = lambdaError('Runtime.MalformedHandlerName');
const ImportModuleError = lambdaError('Runtime.ImportModuleError');
const MalformedStreamingHandler = lambdaError('Runtime.MalformedStreamingHandler');
const InvalidStreamingOperation = lambdaError('Runtime.InvalidStreamingOperation');
const JSONStringifyError = lambdaError('Runtime.JSONStringifyError');
const CallbackHandlerDeprecated = lambdaError('Runtime.CallbackHandlerDeprecated');

class UserCodeSyntaxError extends lambdaError('Runtime.UserCodeSyntaxError') {
  constructor(cause) {
    super(String(cause));
    // The stack of a syntax error begins with the place in the file, which is what one looks for.
    this.stack = cause.stack;
  }
}

class UnhandledPromiseRejection extends lambdaError('Runtime.UnhandledPromiseRejection') {
  constructor(reason, promise) {
    super(printable(reason));
    this.reason = reason;
    this.promise = promise;
  }
}

function printable(value) {
  try {
    return String(value);
  } catch {
    return 'a value that cannot be printed';
  }
}

/**
 * What the Runtime API takes as an error: Node's form has `trace`, an array of lines. Never throws,
 * whatever was thrown.
 */
function formatError(error) {
  try {
    if (error instanceof Error) {
      return {
        errorType: String(error.name),
        errorMessage: String(error.message),
        trace: typeof error.stack === 'string' ? error.stack.split('\n') : [],
      };
    }
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  } catch {
    return {
      errorType: 'handled',
      errorMessage:
        'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack',
      trace: [],
    };
  }
}

/** X-Ray's limit of a document is 64 KB, and a header should be far below it. */
const maximumFrames = 50;
const maximumMessage = 2000;

/**
 * The cause for the function's segment, as the header `Lambda-Runtime-Function-XRay-Error-Cause`
 * carries it.
 * @returns {string} JSON in ASCII, or an empty string where the error cannot be read.
 */
function formatXRayCause(error) {
  try {
    if (!(error instanceof Error)) return '';
    const stack = frames(String(error.stack ?? '')).slice(0, maximumFrames);
    const cause = {
      working_directory: process.cwd(),
      exceptions: [{ type: String(error.name), message: String(error.message).slice(0, maximumMessage), stack }],
      paths: [...new Set(stack.map((frame) => frame.path))],
    };
    return JSON.stringify(cause).replace(
      /[^\x20-\x7e]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
  } catch {
    return '';
  }
}

const framePattern = /^\s+at (?:(.*) \()?(.*?):(\d+)(?::\d+)?\)?$/;

function frames(stack) {
  return stack.split('\n').flatMap((line) => {
    const match = framePattern.exec(line);
    return match ? [{ path: match[2], line: Number(match[3]), label: match[1] ?? 'anonymous' }] : [];
  });
}

module.exports = {
  HandlerNotFound,
  MalformedHandlerName,
  ImportModuleError,
  MalformedStreamingHandler,
  InvalidStreamingOperation,
  JSONStringifyError,
  CallbackHandlerDeprecated,
  UserCodeSyntaxError,
  UnhandledPromiseRejection,
  formatError,
  formatXRayCause,
};
