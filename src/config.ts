/**
 * The only reader of `process.env` in `src/` and `handlers/`. Values are read when asked for, so a function reads at
 * INIT what it cannot do without and fails there, by a sentence that names the key, and not on its first request.
 */
export const config = {
  /** The DynamoDB table that everything is kept in. */
  tableName: () => required('TABLE_NAME'),
  /** The origins that may call from a browser. */
  frontendOrigins: () => list(required('FRONTEND_URL')),
  /** What cursors are encrypted with: at least 16 characters that nobody guesses. */
  cursorSecret: () => longSecret('CURSOR_SECRET', 16),
  /** Who a request is from when nobody signs in; set on a laptop alone. */
  defaultUser: () => optional('IDENTITY_DEFAULT_USER'),
  /** Whose tokens are trusted. */
  identityIssuer: () => optional('IDENTITY_ISSUER'),

  /** Lambda's own: the handler's name, such as `handlers/home.handler`. */
  handlerName: () => optional('_HANDLER'),
  /**
   * Lambda's own: `Root=1-…;Parent=…;Sampled=1` of the invocation, where one environment has one invocation at a time.
   */
  traceHeader: () => optional('_X_AMZN_TRACE_ID'),
  /** Lambda's own: host and port of its Runtime and Extensions API. */
  runtimeApi: () => optional('AWS_LAMBDA_RUNTIME_API'),
  /**
   * Lambda's own: set where one environment has several invocations at a time; no extension may register for INVOKE
   * there.
   */
  concurrentInvocations: () => optional('AWS_LAMBDA_MAX_CONCURRENCY'),
  /** Lambda's own: `on-demand` and the like; absent in emulators that may not end an environment as Lambda does. */
  initializationType: () => optional('AWS_LAMBDA_INITIALIZATION_TYPE'),
  functionName: () => optional('AWS_LAMBDA_FUNCTION_NAME'),
  region: () => optional('AWS_REGION'),
  /** Names the service in logs, metrics and traces. */
  serviceName: () => optional('POWERTOOLS_SERVICE_NAME') ?? optional('OTEL_SERVICE_NAME') ?? 'service_undefined',
  metricsNamespace: () => optional('POWERTOOLS_METRICS_NAMESPACE') ?? 'Throughline',
  stage: () => optional('STAGE') ?? 'unspecified',
  /** What is deployed: a commit or a version. */
  release: () => optional('RELEASE'),
  /** A project access token of Rollbar with the scope post_server_item; absent: nothing is reported. */
  rollbarAccessToken: () => optional('ROLLBAR_ACCESS_TOKEN'),
  rollbarEndpoint: () => optional('ROLLBAR_ENDPOINT'),
  /** @returns the values of the variables whose names are chosen, such as those that name secrets. */
  valuesOf: (isChosen: (name: string) => boolean): string[] =>
    Object.keys(process.env).flatMap((name) => (isChosen(name) && optional(name)) || []),
  /** Where a trace can be looked at, with `{trace_id}` or `{xray_id}` in it; default: X-Ray in the AWS console. */
  traceUrl: () => optional('TRACE_URL'),
};

function optional(key: string): string | undefined {
  return process.env[key]?.trim() || undefined;
}

function required(key: string): string {
  const value = optional(key);
  if (value === undefined) throw new Error(`The environment variable ${key} is missing or blank.`);
  return value;
}

function longSecret(key: string, minimumLength: number): string {
  const value = required(key);
  if (value.length < minimumLength) {
    throw new Error(`The environment variable ${key} is too short: it needs ${minimumLength} characters or more.`);
  }
  return value;
}

function list(value: string): string[] {
  return value
    .split(',')
    .map((entry) => entry.trim().replace(/\/$/, ''))
    .filter(Boolean);
}
