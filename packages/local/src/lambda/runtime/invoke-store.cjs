'use strict';

/**
 * The keys that the platform fills, by the symbols that `@aws/lambda-invoke-store` looks them up
 * by.
 */
const keys = {
  REQUEST_ID: Symbol.for('_AWS_LAMBDA_REQUEST_ID'),
  X_RAY_TRACE_ID: Symbol.for('_AWS_LAMBDA_X_RAY_TRACE_ID'),
  TENANT_ID: Symbol.for('_AWS_LAMBDA_TENANT_ID'),
  TRACEPARENT: Symbol.for('_AWS_LAMBDA_TRACEPARENT'),
  TRACESTATE: Symbol.for('_AWS_LAMBDA_TRACESTATE'),
  BAGGAGE: Symbol.for('_AWS_LAMBDA_BAGGAGE'),
};
const protectedKeys = new Set(Object.values(keys));

/**
 * What `globalThis.awslambda.InvokeStore` is on Lambda, for environments with one invocation at a
 * time. `@aws/lambda-invoke-store`, the AWS SDK and Powertools take this one when it is there.
 */
function createInvokeStore() {
  let context;
  return {
    getContext: () => context,
    hasContext: () => context !== undefined,
    isProtectedKey: (key) => protectedKeys.has(key),
    get: (key) => context?.[key],
    set(key, value) {
      if (protectedKeys.has(key)) throw new Error(`Cannot modify protected Lambda context field: ${String(key)}`);
      context = context ?? {};
      context[key] = value;
    },
    run(newContext, work) {
      context = newContext;
      return work();
    },
    getRequestId: () => context?.[keys.REQUEST_ID] ?? '-',
    getXRayTraceId: () => context?.[keys.X_RAY_TRACE_ID],
    getTenantId: () => context?.[keys.TENANT_ID],
    getTraceparent: () => context?.[keys.TRACEPARENT],
    getTracestate: () => context?.[keys.TRACESTATE],
    getBaggage: () => context?.[keys.BAGGAGE],
  };
}

module.exports = { createInvokeStore, keys };
