/** What the standard `OTEL_*` variables say, as far as the layer supports them. */
export interface LayerConfig {
  disabled: boolean;
  /** Absent: there is nowhere to send spans to. */
  tracesUrl: string | undefined;
  headers: Record<string, string>;
  protocol: 'http/protobuf' | 'http/json';
  compression: 'none' | 'gzip';
  resource: Record<string, string>;
  /** After which a request that is not answered is given up. */
  timeoutMilliseconds: number;
  /** One of so many ordinary traces is kept: 1 keeps all. Errors and slow requests are kept in any case, unless it is 0. */
  sampleRate: number;
  /** A trace whose root took so long is kept, in milliseconds. */
  slowMilliseconds: number;
  propagators: readonly ('tracecontext' | 'baggage')[];
  /** Sentences about variables that are set and have no effect. */
  warnings: string[];
}

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
 * Reads the variables of the OpenTelemetry specification. A value that cannot be used is named in `warnings` and its default is taken:
 * telemetry never keeps a function from starting.
 * Source: OpenTelemetry's "Environment Variable Specification" and "OpenTelemetry Protocol Exporter".
 */
export function readConfig(environment: Environment): LayerConfig {
  const warnings: string[] = [];
  const read = (name: string): string | undefined => environment[name]?.trim() || undefined;
  const resource = readPairs(read('OTEL_RESOURCE_ATTRIBUTES'), 'OTEL_RESOURCE_ATTRIBUTES', warnings);
  const serviceName = read('OTEL_SERVICE_NAME') ?? resource['service.name'] ?? read('AWS_LAMBDA_FUNCTION_NAME');
  const functionName = read('AWS_LAMBDA_FUNCTION_NAME');
  for (const name of Object.keys(environment).sort()) {
    if (/^OTEL_/.test(name) && !supported.has(name) && read(name)) {
      warnings.push(`${name} is set, and this layer does not support it.`);
    }
  }
  return {
    disabled: read('OTEL_SDK_DISABLED')?.toLowerCase() === 'true',
    tracesUrl: readUrl(read, warnings),
    headers: readHeaders(read, warnings),
    protocol: readProtocol(read, warnings),
    compression: readCompression(read, warnings),
    timeoutMilliseconds: readNumber(
      read,
      read('OTEL_EXPORTER_OTLP_TRACES_TIMEOUT') ? 'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT' : 'OTEL_EXPORTER_OTLP_TIMEOUT',
      10_000,
      warnings,
    ),
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

type Read = (name: string) => string | undefined;

/** The signal's own endpoint is taken as it is, the general one gets `/v1/traces`. */
function readUrl(read: Read, warnings: string[]): string | undefined {
  const exporter = read('OTEL_TRACES_EXPORTER');
  if (exporter === 'none') return undefined;
  if (exporter && exporter !== 'otlp')
    warnings.push(`OTEL_TRACES_EXPORTER is ${exporter}: only otlp and none are supported.`);
  const own = read('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  const general = read('OTEL_EXPORTER_OTLP_ENDPOINT');
  const url = own ?? (general && `${general.replace(/\/+$/, '')}/v1/traces`);
  if (!url) return undefined;
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url;
  warnings.push(
    `${own ? 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT' : 'OTEL_EXPORTER_OTLP_ENDPOINT'} is no http or https URL.`,
  );
  return undefined;
}

function readProtocol(read: Read, warnings: string[]): LayerConfig['protocol'] {
  const protocol = read('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? read('OTEL_EXPORTER_OTLP_PROTOCOL') ?? 'http/protobuf';
  if (protocol === 'http/protobuf' || protocol === 'http/json') return protocol;
  warnings.push(`OTEL_EXPORTER_OTLP_PROTOCOL is ${protocol}: only http/protobuf and http/json are supported.`);
  return 'http/protobuf';
}

function readCompression(read: Read, warnings: string[]): LayerConfig['compression'] {
  const own = read('OTEL_EXPORTER_OTLP_TRACES_COMPRESSION');
  const compression = own ?? read('OTEL_EXPORTER_OTLP_COMPRESSION') ?? 'none';
  if (compression === 'none' || compression === 'gzip') return compression;
  warnings.push(
    `OTEL_EXPORTER_OTLP_${own ? 'TRACES_' : ''}COMPRESSION is ${compression}: only none and gzip are supported.`,
  );
  return 'none';
}

/** `traceidratio` with 0.1 keeps one ordinary trace of ten; the rate is a whole number, because Honeycomb's is. */
function readSampleRate(read: Read, warnings: string[]): number {
  const sampler = read('OTEL_TRACES_SAMPLER') ?? 'parentbased_always_on';
  switch (sampler.replace(/^parentbased_/, '')) {
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
  warnings.push(`${name} is no number.`);
  return fallback;
}

function readPropagators(text: string | undefined, warnings: string[]): LayerConfig['propagators'] {
  const propagators: ('tracecontext' | 'baggage')[] = [];
  for (const name of (text ?? 'tracecontext,baggage').split(',').map((entry) => entry.trim())) {
    if (name === 'tracecontext' || name === 'baggage') propagators.push(name);
    else if (name !== 'none' && name !== '')
      warnings.push(`OTEL_PROPAGATORS names ${name}, which this layer does not support.`);
  }
  return propagators;
}

/** What is no name of a header would be quoted by whoever sends it, and it holds the key where somebody wrote `x-honeycomb-team: <key>=`. */
function readHeaders(read: Read, warnings: string[]): Record<string, string> {
  const name = read('OTEL_EXPORTER_OTLP_TRACES_HEADERS')
    ? 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'
    : 'OTEL_EXPORTER_OTLP_HEADERS';
  const pairs = Object.entries(readPairs(read(name), name, warnings));
  const headers = pairs.filter(([header]) => /^[\w!#$%&'*+.^`|~-]+$/.test(header));
  if (headers.length < pairs.length) warnings.push(`${name} has an entry whose key is no name of a header.`);
  return Object.fromEntries(headers);
}

/** `key=value,key=value`, each value URL-encoded. */
function readPairs(text: string | undefined, name: string, warnings: string[]): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const entry of (text ?? '').split(',')) {
    if (entry.trim() === '') continue;
    const at = entry.indexOf('=');
    const key = entry.slice(0, at).trim();
    if (at < 1 || key === '') warnings.push(`${name} has an entry without a key or an equals sign.`);
    else pairs[key] = decode(entry.slice(at + 1).trim());
  }
  return pairs;
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
