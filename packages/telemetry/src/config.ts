/** A service's settings about its own data, for `configureTelemetry`. */
export interface TelemetryConfiguration {
  /**
   * Names of fields whose values are never shown, compared without case, `_` and `-`: `diagnosis`.
   */
  secretFields?: readonly (string | RegExp)[];
  /**
   * Fields of a body or query that name things, with the values that do: every other value is
   * confidential.
   */
  openFields?: readonly (readonly [name: RegExp, value: RegExp])[];
  /**
   * Secrets known by their form, with what stands in their place (`$1` as in `String.replace`).
   * Must be linear.
   */
  patterns?: readonly (readonly [pattern: RegExp, replacement: string])[];
}

const configuration: Required<TelemetryConfiguration> = { secretFields: [], openFields: [], patterns: [] };

/**
 * Adds a service's own words to what is redacted. Call it once, when the service's module is
 * loaded.
 */
export function configureTelemetry({ secretFields, openFields, patterns }: TelemetryConfiguration): void {
  if (secretFields) configuration.secretFields = secretFields;
  if (openFields) configuration.openFields = openFields;
  if (patterns) configuration.patterns = patterns;
}

/** The only reader of `process.env` in this package. Values are read when asked for. */
export const config = {
  /** The settings given to `configureTelemetry`. */
  ofService: (): Required<TelemetryConfiguration> => configuration,
  /** All variables, for the layer, whose settings are OpenTelemetry's own `OTEL_*`. */
  environment: (): Record<string, string | undefined> => process.env,
  /** Set by Lambda: the handler's name, such as `handlers/home.handler`. */
  handlerName: () => optional('_HANDLER'),
  /**
   * Set by Lambda: `Root=1-…;Parent=…;Sampled=1` of the invocation, where an environment runs one
   * at a time.
   */
  traceHeader: () => optional('_X_AMZN_TRACE_ID'),
  /** Set by Lambda: host and port of its Runtime and Extensions APIs. */
  runtimeApi: () => optional('AWS_LAMBDA_RUNTIME_API'),
  /**
   * Set by Lambda where an environment runs several invocations at a time; no extension may
   * register for INVOKE there.
   */
  concurrentInvocations: () => optional('AWS_LAMBDA_MAX_CONCURRENCY'),
  /**
   * Set by Lambda: `on-demand` and the like; absent in emulators, which may not end an environment
   * as Lambda does.
   */
  initializationType: () => optional('AWS_LAMBDA_INITIALIZATION_TYPE'),
  /**
   * Powertools' Tracer, a handler's own too, would record each HTTP call a second time. A variable
   * that is set counts.
   */
  leaveCallsToOneOwner: (): void => {
    process.env.POWERTOOLS_TRACER_CAPTURE_HTTPS_REQUESTS ??= 'false';
  },
  functionName: () => optional('AWS_LAMBDA_FUNCTION_NAME'),
  region: () => optional('AWS_REGION'),
  /** Names the service in logs, metrics and traces. */
  serviceName: () => optional('POWERTOOLS_SERVICE_NAME') ?? optional('OTEL_SERVICE_NAME') ?? 'service_undefined',
  metricsNamespace: () => optional('POWERTOOLS_METRICS_NAMESPACE') ?? 'Throughline',
  stage: () => optional('STAGE') ?? 'unspecified',
  /** The deployed commit or version. */
  release: () => optional('RELEASE'),
  /**
   * A Rollbar project access token with the scope post_server_item; without one, nothing is
   * reported.
   */
  rollbarAccessToken: () => optional('ROLLBAR_ACCESS_TOKEN'),
  /** The parameter that holds that token, where the variable is blank. */
  rollbarTokenParameter: () => optional('ROLLBAR_TOKEN_PARAMETER'),
  rollbarEndpoint: () => optional('ROLLBAR_ENDPOINT'),
  /**
   * @returns the values of the variables whose names are chosen, such as those that name secrets.
   */
  valuesOf: (isChosen: (name: string) => boolean): string[] =>
    Object.keys(process.env).flatMap((name) => (isChosen(name) && optional(name)) || []),
  /**
   * A link to a trace, with `{trace_id}` or `{xray_id}` in it; default: X-Ray in the AWS console.
   */
  traceUrl: () => optional('TRACE_URL'),
};

function optional(key: string): string | undefined {
  return process.env[key]?.trim() || undefined;
}
