'use strict';

/**
 * Calls a handler as the runtimes before nodejs24.x do: it may return a promise, call
 * `callback(error, result)`, or use `context.succeed`, `fail` and `done`. A callback waits for an
 * empty event loop unless `context.callbackWaitsForEmptyEventLoop` is false. A handler that does
 * none of these ends with null when the event loop is empty.
 */
function callHandler(handler, event, context) {
  return new Promise((resolve, reject) => {
    let waitsForEmptyEventLoop = true;
    let settle = () => resolve(null);
    const whenEmpty = () => settle();
    process.once('beforeExit', whenEmpty);
    const done = (error, result) => {
      process.off('beforeExit', whenEmpty);
      if (error !== undefined && error !== null) reject(error);
      else resolve(result);
    };
    const callback = (error, result) => {
      if ((error !== undefined && error !== null) || !waitsForEmptyEventLoop) return done(error, result);
      settle = () => done(null, result);
    };
    Object.defineProperty(context, 'callbackWaitsForEmptyEventLoop', {
      enumerable: true,
      get: () => waitsForEmptyEventLoop,
      set: (value) => {
        waitsForEmptyEventLoop = value;
      },
    });
    Object.assign(context, {
      done,
      succeed: (result) => done(null, result),
      fail: (error) => done(error ?? 'handled'),
    });
    try {
      const returned = handler(event, context, callback);
      if (typeof returned?.then === 'function') returned.then((result) => done(null, result), done);
    } catch (error) {
      done(error ?? 'handled');
    }
  });
}

module.exports = { callHandler };
