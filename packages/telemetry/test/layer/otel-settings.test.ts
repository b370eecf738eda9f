import { describe, expect, it } from 'vitest';
import { readOtelSettings } from '../../layer/otel-settings.ts';

describe("the layer's configuration", () => {
  /** Of settings beside an endpoint, without which there is a warning. */
  const read = (environment: Record<string, string | undefined>) =>
    readOtelSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', ...environment });

  it('appends the path of traces to the general endpoint, with and without a slash at its end', () => {
    for (const endpoint of ['https://api.honeycomb.io', 'https://api.honeycomb.io/']) {
      expect(readOtelSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }).tracesUrl).toBe(
        'https://api.honeycomb.io/v1/traces',
      );
    }
  });

  it('keeps the query of the general endpoint behind the path', () => {
    expect(readOtelSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://a/otlp?key=1' }).tracesUrl).toBe(
      'https://a/otlp/v1/traces?key=1',
    );
  });

  it("takes the signal's own endpoint as it is, before the general one", () => {
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://b/own' };

    expect(readOtelSettings(environment).tracesUrl).toBe('http://b/own');
  });

  it('reads headers as a list of pairs whose values are URL-encoded', () => {
    expect(
      readOtelSettings({ OTEL_EXPORTER_OTLP_HEADERS: 'x-honeycomb-team=abc%3D, x-honeycomb-dataset = d' }).headers,
    ).toEqual({
      'x-honeycomb-team': 'abc=',
      'x-honeycomb-dataset': 'd',
    });
  });

  it('names the service by OTEL_SERVICE_NAME, before the resource attributes, before the function', () => {
    const attributes = 'service.name=by-attributes,team=blue';
    const name = (environment: Record<string, string>): unknown =>
      readOtelSettings(environment).resource['service.name'];

    expect(name({ OTEL_SERVICE_NAME: 'by-name', OTEL_RESOURCE_ATTRIBUTES: attributes })).toBe('by-name');
    expect(name({ OTEL_RESOURCE_ATTRIBUTES: attributes, AWS_LAMBDA_FUNCTION_NAME: 'f' })).toBe('by-attributes');
    expect(name({ AWS_LAMBDA_FUNCTION_NAME: 'f' })).toBe('f');
    expect(readOtelSettings({ OTEL_RESOURCE_ATTRIBUTES: attributes }).resource.team).toBe('blue');
  });

  it.each([
    [undefined, undefined, 1],
    ['always_on', undefined, 1],
    ['always_off', undefined, 0],
    ['traceidratio', '0.1', 10],
    ['parentbased_traceidratio', '0.25', 4],
    ['traceidratio', '0', Number.POSITIVE_INFINITY],
    ['traceidratio', '1', 1],
    ['traceidratio', '0.33', 3],
    ['traceidratio', '0.001', 1_000],
  ])('with the sampler %s and %s keeps one of %s', (sampler, ratio, rate) => {
    expect(read({ OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: ratio })).toMatchObject({
      sampleRate: rate,
      warnings: [],
    });
  });

  it.each([
    ['OTEL_METRICS_EXPORTER', 'otlp', 'OTEL_METRICS_EXPORTER is set, and this layer does not support it.'],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote', 'OTEL_TRACES_SAMPLER is jaeger_remote'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', 'OTEL_EXPORTER_OTLP_PROTOCOL is grpc'],
    ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'grpc', 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL is grpc'],
    ['OTEL_EXPORTER_OTLP_COMPRESSION', 'zstd', 'OTEL_EXPORTER_OTLP_COMPRESSION is zstd'],
    ['OTEL_EXPORTER_OTLP_TRACES_COMPRESSION', 'zstd', 'OTEL_EXPORTER_OTLP_TRACES_COMPRESSION is zstd'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'ftp://x', 'OTEL_EXPORTER_OTLP_ENDPOINT is not an http or https URL'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'OTEL_EXPORTER_OTLP_ENDPOINT is not an http or https URL'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'nowhere', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is not an http or https URL'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', '', 'OTEL_EXPORTER_OTLP_ENDPOINT is not set'],
    ['OTEL_SDK_DISABLED', '1', 'OTEL_SDK_DISABLED is neither true nor false'],
    ['OTEL_PROPAGATORS', 'b3', 'OTEL_PROPAGATORS names b3'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'no-equals-sign', 'OTEL_EXPORTER_OTLP_HEADERS has an entry'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'x-honeycomb-team: abc==', 'OTEL_EXPORTER_OTLP_HEADERS has a header'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'one,=two', 'OTEL_EXPORTER_OTLP_HEADERS has an entry'],
    ['OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'one', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS has an entry'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'two words=1', 'OTEL_EXPORTER_OTLP_HEADERS has a header that HTTP does not take.'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'x=1%0d%0ay:2', 'OTEL_EXPORTER_OTLP_HEADERS has a header that HTTP does not take.'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '-5', 'OTEL_EXPORTER_OTLP_TIMEOUT is negative.'],
    ['OTEL_TRACES_EXPORTER', 'zipkin', 'OTEL_TRACES_EXPORTER is zipkin'],
  ])('says so once when %s is %s', (name, value, warning) => {
    const { warnings } = read({ [name]: value });

    expect(warnings).toEqual([expect.stringContaining(warning)]);
  });

  it.each([
    ['0.7', 1, 'every trace is kept'],
    ['0.3', 3, 'one ordinary trace of 3 is kept'],
  ])('says what it keeps where the ratio %s is not 1 divided by a whole number', (ratio, sampleRate, kept) => {
    expect(read({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: ratio })).toMatchObject({
      sampleRate,
      warnings: [expect.stringContaining(kept)],
    });
  });

  it('leaves out a header that HTTP does not take, and keeps the others', () => {
    const headers = 'two words=1,x-tick=%E2%9C%93,x-honeycomb-team=key';

    expect(read({ OTEL_EXPORTER_OTLP_HEADERS: headers }).headers).toEqual({ 'x-honeycomb-team': 'key' });
  });

  it('knows its words in any case', () => {
    expect(
      read({
        OTEL_TRACES_SAMPLER: 'ALWAYS_OFF',
        OTEL_PROPAGATORS: 'TraceContext',
        OTEL_TRACES_EXPORTER: 'OTLP',
        OTEL_EXPORTER_OTLP_PROTOCOL: 'HTTP/JSON',
        OTEL_EXPORTER_OTLP_COMPRESSION: 'GZIP',
      }),
    ).toMatchObject({
      sampleRate: 0,
      propagators: ['tracecontext'],
      tracesUrl: 'http://a/v1/traces',
      protocol: 'http/json',
      compression: 'gzip',
      warnings: [],
    });
  });

  it.each([
    ['0', 2 ** 31 - 1],
    ['99999999999', 2 ** 31 - 1],
    ['-5', 10_000],
    ['soon', 10_000],
  ])(
    'with the time limit %s waits for %s ms at most: no timer takes more, and 0 means no limit',
    (limit, milliseconds) => {
      expect(read({ OTEL_EXPORTER_OTLP_TIMEOUT: limit }).timeoutMilliseconds).toBe(milliseconds);
    },
  );

  it("takes the signal's own time limit before the general one, and 10 s without either", () => {
    expect(readOtelSettings({}).timeoutMilliseconds).toBe(10_000);
    expect(readOtelSettings({ OTEL_EXPORTER_OTLP_TIMEOUT: '3000' }).timeoutMilliseconds).toBe(3_000);
    expect(
      readOtelSettings({ OTEL_EXPORTER_OTLP_TIMEOUT: '3000', OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '500' })
        .timeoutMilliseconds,
    ).toBe(500);
  });

  it('compresses nothing unless it is told to, for its own signal before all', () => {
    expect(readOtelSettings({}).compression).toBe('none');
    expect(read({ OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' })).toMatchObject({ compression: 'gzip', warnings: [] });
    expect(
      readOtelSettings({ OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip', OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'none' })
        .compression,
    ).toBe('none');
  });

  it('can be switched off', () => {
    expect(readOtelSettings({ OTEL_SDK_DISABLED: 'true' }).disabled).toBe(true);
    expect(
      readOtelSettings({ OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a' }).tracesUrl,
    ).toBeUndefined();
  });
});
