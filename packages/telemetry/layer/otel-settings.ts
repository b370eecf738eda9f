import { validateHeaderName, validateHeaderValue } from 'node:http';

/** The settings of the standard `OTEL_*` variables that the layer supports. */
export interface OtelSettings {
  disabled: boolean;
  /** Absent: there is nowhere to send spans to. */
  tracesUrl: string | undefined;
  headers: Record<string, string>;
  /** The parameter that holds Honeycomb's key, where no header does. */
  keyParameter: string | undefined;
  protocol: 'http/protobuf' | 'http/json';
  compression: 'none' | 'gzip';
  resource: Record<string, string>;
  /** After which a request that is not answered is given up. */
  timeoutMilliseconds: number;
  /**
   * One of so many ordinary traces is kept: 1 keeps all. Errors and slow requests are kept in any
   * case, unless it is 0.
   */
  sampleRate: number;
  /** A trace whose root took so long is kept, in milliseconds. */
  slowMilliseconds: number;
  propagators: readonly ('tracecontext' | 'baggage')[];
  /** Sentences about variables that are set and have no effect. */
  warnings: string[];
}

/** The header that holds Honeycomb's key. */
export const keyHeader = 'x-honeycomb-team';

type Environment = Record<string, string | undefined>;

const supported = new Set([
  'OTEL_SDK_DISABLED',
  'OTEL_SERVICE_NAME',
  'OTEL_RESOURCE_ATTRIBUTES',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_HEADERS',
  'OTEL_EXPORTER_OTLP_TRACES_HEADERS',
  'OTEL_EXPORTER_OTLP_PROTOCOL',
  'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL',
  'OTEL_EXPORTER_OTLP_COMPRESSION',
  'OTEL_EXPORTER_OTLP_TRACES_COMPRESSION',
  'OTEL_EXPORTER_OTLP_TIMEOUT',
  'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT',
  'OTEL_TRACES_EXPORTER',
  'OTEL_TRACES_SAMPLER',
  'OTEL_TRACES_SAMPLER_ARG',
  'OTEL_PROPAGATORS',
]);

/**
 * Reads the variables of the OpenTelemetry specification. A value that cannot be used is named in
 * `warnings` and its default is taken: telemetry never keeps a function from starting. Source:
 * OpenTelemetry's "Environment Variable Specification" and "OpenTelemetry Protocol Exporter".
 */
export function readOtelSettings(environment: Environment): OtelSettings {
  const warnings: string[] = [];
  const read = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const resource = readPairs(read, 'OTEL_RESOURCE_ATTRIBUTES', warnings);
  const serviceName = read('OTEL_SERVICE_NAME') ?? resource['service.name'] ?? read('AWS_LAMBDA_FUNCTION_NAME');
  const functionName = read('AWS_LAMBDA_FUNCTION_NAME');
  for (const name of Object.keys(environment).sort()) {
    if (/^OTEL_/.test(name) && !supported.has(name) && read(name)) {
      warnings.push(`${name} is set, and this layer does not support it.`);
    }
  }
  const tracesUrl = readUrl(read, warnings);
  const headers = readHeaders(read, warnings);
  return {
    disabled: readDisabled(read, warnings),
    tracesUrl,
    headers,
    keyParameter: needsKey(headers, tracesUrl) ? read('HONEYCOMB_KEY_PARAMETER') : undefined,
    protocol: readProtocol(read, warnings),
    compression: readCompression(read, warnings),
    timeoutMilliseconds: readTimeout(read, warnings),
    resource: {
      'service.name': serviceName ?? 'unknown_service:node',
      ...(functionName ? { 'faas.name': functionName, 'cloud.provider': 'aws', 'cloud.platform': 'aws_lambda' } : {}),
      ...(read('AWS_REGION') ? { 'cloud.region': read('AWS_REGION') as string } : {}),
      ...(read('AWS_LAMBDA_FUNCTION_VERSION') ? { 'faas.version': read('AWS_LAMBDA_FUNCTION_VERSION') as string } : {}),
      ...(read('RELEASE') ? { 'service.version': read('RELEASE') as string } : {}),
      ...(read('STAGE') ? { 'deployment.environment.name': read('STAGE') as string } : {}),
      ...resource,
      ...(serviceName ? { 'service.name': serviceName } : {}),
    },
    sampleRate: readSampleRate(read, warnings),
    slowMilliseconds: readNumber(read, 'TRACE_SLOW_MILLISECONDS', 1_000, warnings),
    propagators: readPropagators(read('OTEL_PROPAGATORS'), warnings),
    warnings,
  };
}

/**
 * The key of the parameter is for Honeycomb. Another host, such as a proxy of Honeycomb's, gets it
 * when the header is given without a value.
 */
function needsKey(headers: Record<string, string>, url: string | undefined): boolean {
  const given = Object.entries(headers).find(([name]) => name.toLowerCase() === keyHeader);
  if (given) return given[1] === '';
  return /(^|\.)honeycomb\.io$/.test(URL.parse(url ?? '')?.hostname ?? '');
}

type Read = (name: string) => string | undefined;

/** @returns which of the two counts: the signal's own, if it says anything. */
function nameOf(read: Read, setting: string): string {
  const own = `OTEL_EXPORTER_OTLP_TRACES_${setting}`;
  return read(own) === undefined ? `OTEL_EXPORTER_OTLP_${setting}` : own;
}

function readDisabled(read: Read, warnings: string[]): boolean {
  const disabled = read('OTEL_SDK_DISABLED')?.toLowerCase() ?? 'false';
  if (disabled !== 'true' && disabled !== 'false') warnings.push('OTEL_SDK_DISABLED is neither true nor false.');
  return disabled === 'true';
}

/** The signal's own endpoint is taken as it is, the general one gets `/v1/traces`. */
function readUrl(read: Read, warnings: string[]): string | undefined {
  const exporter = read('OTEL_TRACES_EXPORTER')?.toLowerCase();
  if (exporter === 'none') return undefined;
  if (exporter && exporter !== 'otlp')
    warnings.push(`OTEL_TRACES_EXPORTER is ${exporter}: only otlp and none are supported.`);
  const own = read('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  const general = read('OTEL_EXPORTER_OTLP_ENDPOINT');
  const given = own ?? general;
  if (!given) {
    warnings.push('OTEL_EXPORTER_OTLP_ENDPOINT is not set: OpenTelemetry spans go nowhere.');
    return undefined;
  }
  const url = URL.parse(given);
  if (!url || !/^https?:$/.test(url.protocol)) {
    warnings.push(`${nameOf(read, 'ENDPOINT')} is not an http or https URL: no OpenTelemetry span is sent.`);
    return undefined;
  }
  if (!own) url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/traces`;
  return own ?? url.href;
}

function readProtocol(read: Read, warnings: string[]): OtelSettings['protocol'] {
  const name = nameOf(read, 'PROTOCOL');
  const protocol = read(name)?.toLowerCase() ?? 'http/protobuf';
  if (protocol === 'http/protobuf' || protocol === 'http/json') return protocol;
  warnings.push(`${name} is ${read(name)}: only http/protobuf and http/json are supported.`);
  return 'http/protobuf';
}

function readCompression(read: Read, warnings: string[]): OtelSettings['compression'] {
  const name = nameOf(read, 'COMPRESSION');
  const compression = read(name)?.toLowerCase() ?? 'none';
  if (compression === 'none' || compression === 'gzip') return compression;
  warnings.push(`${name} is ${read(name)}: only none and gzip are supported.`);
  return 'none';
}

/** The longest time that a timer of Node's takes: with more than that it fires at once. */
const longestTimeout = 2 ** 31 - 1;

/** 0 means without a limit. */
function readTimeout(read: Read, warnings: string[]): number {
  const name = nameOf(read, 'TIMEOUT');
  const milliseconds = readNumber(read, name, 10_000, warnings);
  if (milliseconds >= 0) return Math.min(milliseconds || longestTimeout, longestTimeout);
  warnings.push(`${name} is negative.`);
  return 10_000;
}

/**
 * One that HTTP does not take would keep all the others, and every span, from leaving, and whoever
 * refuses it quotes its name: the key, where somebody wrote `x-honeycomb-team: <key>=`.
 */
function readHeaders(read: Read, warnings: string[]): Record<string, string> {
  const name = nameOf(read, 'HEADERS');
  const pairs = Object.entries(readPairs(read, name, warnings)).filter(([key, value]) => {
    try {
      validateHeaderName(key);
      validateHeaderValue(key, value);
      return true;
    } catch {
      // Without its name, which may be a key that was written in the wrong place.
      warnings.push(`${name} has a header that HTTP does not take.`);
      return false;
    }
  });
  return Object.fromEntries(pairs);
}

/**
 * `traceidratio` with 0.1 keeps one ordinary trace of ten; the rate is a whole number, because
 * Honeycomb's is.
 */
function readSampleRate(read: Read, warnings: string[]): number {
  const sampler = read('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on';
  switch (sampler.toLowerCase().replace(/^parentbased_/, '')) {
    case 'always_on':
      return 1;
    case 'always_off':
      return 0;
    case 'traceidratio': {
      const ratio = readNumber(read, 'OTEL_TRACES_SAMPLER_ARG', 1, warnings);
      if (ratio >= 0 && ratio <= 1) {
        const rate = ratio === 0 ? Number.POSITIVE_INFINITY : Math.round(1 / ratio);
        const kept = rate === 1 ? 'every trace is' : `one ordinary trace of ${rate} is`;
        // A ratio that was rounded when it was written, such as 0.33, is near enough.
        if (ratio > 0 && Math.abs(1 / rate / ratio - 1) > 0.02)
          warnings.push(
            `OTEL_TRACES_SAMPLER_ARG is ${ratio}: ${kept} kept, because Honeycomb's rates are whole numbers.`,
          );
        return rate;
      }
      warnings.push('OTEL_TRACES_SAMPLER_ARG is not between 0 and 1.');
      return 1;
    }
    default:
      warnings.push(`OTEL_TRACES_SAMPLER is ${sampler}: only always_on, always_off and traceidratio are supported.`);
      return 1;
  }
}

function readNumber(read: Read, name: string, fallback: number, warnings: string[]): number {
  const text = read(name);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (Number.isFinite(value)) return value;
  warnings.push(`${name} is not a number.`);
  return fallback;
}

function readPropagators(text: string | undefined, warnings: string[]): OtelSettings['propagators'] {
  const propagators: ('tracecontext' | 'baggage')[] = [];
  for (const entry of (text ?? 'tracecontext,baggage').split(',').map((name) => name.trim())) {
    const name = entry.toLowerCase();
    if (name === 'tracecontext' || name === 'baggage') propagators.push(name);
    else if (name !== 'none' && name !== '')
      warnings.push(`OTEL_PROPAGATORS names ${entry}, which this layer does not support.`);
  }
  return propagators;
}

/** `key=value,key=value`, each value URL-encoded. */
function readPairs(read: Read, name: string, warnings: string[]): Record<string, string> {
  const entries = (read(name) ?? '').split(',').filter((entry) => entry.trim() !== '');
  const pairs = entries.map((entry) => [entry.slice(0, Math.max(0, entry.indexOf('='))).trim(), entry] as const);
  if (pairs.some(([key]) => key === '')) warnings.push(`${name} has an entry without a key or an equals sign.`);
  return Object.fromEntries(
    pairs.flatMap(([key, entry]) => (key === '' ? [] : [[key, decode(entry.slice(entry.indexOf('=') + 1).trim())]])),
  );
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
