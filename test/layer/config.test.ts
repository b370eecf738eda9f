import { describe, expect, it } from 'vitest';
import { readConfig } from '../../layer/config.ts';

describe("the layer's configuration", () => {
  it('appends the path of traces to the general endpoint, with and without a slash at its end', () => {
    for (const endpoint of ['https://api.honeycomb.io', 'https://api.honeycomb.io/']) {
      expect(readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }).tracesUrl).toBe(
        'https://api.honeycomb.io/v1/traces',
      );
    }
  });

  it("takes the signal's own endpoint as it is, before the general one", () => {
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://b/own' };

    expect(readConfig(environment).tracesUrl).toBe('http://b/own');
  });

  it('reads headers as a list of pairs whose values are URL-encoded', () => {
    expect(
      readConfig({ OTEL_EXPORTER_OTLP_HEADERS: 'x-honeycomb-team=abc%3D, x-honeycomb-dataset = d' }).headers,
    ).toEqual({
      'x-honeycomb-team': 'abc=',
      'x-honeycomb-dataset': 'd',
    });
  });

  it('names the service by OTEL_SERVICE_NAME, before the resource attributes, before the function', () => {
    const attributes = 'service.name=by-attributes,team=blue';
    const name = (environment: Record<string, string>): unknown => readConfig(environment).resource['service.name'];

    expect(name({ OTEL_SERVICE_NAME: 'by-name', OTEL_RESOURCE_ATTRIBUTES: attributes })).toBe('by-name');
    expect(name({ OTEL_RESOURCE_ATTRIBUTES: attributes, AWS_LAMBDA_FUNCTION_NAME: 'f' })).toBe('by-attributes');
    expect(name({ AWS_LAMBDA_FUNCTION_NAME: 'f' })).toBe('f');
    expect(readConfig({ OTEL_RESOURCE_ATTRIBUTES: attributes }).resource['team']).toBe('blue');
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
    expect(readConfig({ OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: ratio })).toMatchObject({
      sampleRate: rate,
      warnings: [],
    });
  });

  it.each([
    ['OTEL_METRICS_EXPORTER', 'otlp', 'OTEL_METRICS_EXPORTER is set, and this layer does not support it.'],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote', 'OTEL_TRACES_SAMPLER is jaeger_remote'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc', 'OTEL_EXPORTER_OTLP_PROTOCOL is grpc'],
    ['OTEL_EXPORTER_OTLP_COMPRESSION', 'zstd', 'OTEL_EXPORTER_OTLP_COMPRESSION is zstd'],
    ['OTEL_EXPORTER_OTLP_TRACES_COMPRESSION', 'zstd', 'OTEL_EXPORTER_OTLP_TRACES_COMPRESSION is zstd'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'ftp://x', 'OTEL_EXPORTER_OTLP_ENDPOINT is no http or https URL.'],
    ['OTEL_PROPAGATORS', 'b3', 'OTEL_PROPAGATORS names b3'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'no-equals-sign', 'OTEL_EXPORTER_OTLP_HEADERS has an entry'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'x-honeycomb-team: abc==', 'OTEL_EXPORTER_OTLP_HEADERS has an entry'],
    ['OTEL_TRACES_EXPORTER', 'zipkin', 'OTEL_TRACES_EXPORTER is zipkin'],
  ])('says so once when %s is %s', (name, value, warning) => {
    const { warnings } = readConfig({ [name]: value });

    expect(warnings).toEqual([expect.stringContaining(warning)]);
  });

  it.each([
    ['0.7', 1, 'every trace is kept'],
    ['0.3', 3, 'one ordinary trace of 3 is kept'],
  ])('says what it keeps where the ratio %s is none of a whole number', (ratio, sampleRate, kept) => {
    expect(readConfig({ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: ratio })).toMatchObject({
      sampleRate,
      warnings: [expect.stringContaining(kept)],
    });
  });

  it("takes the signal's own time limit before the general one, and 10 s without either", () => {
    expect(readConfig({}).timeoutMilliseconds).toBe(10_000);
    expect(readConfig({ OTEL_EXPORTER_OTLP_TIMEOUT: '3000' }).timeoutMilliseconds).toBe(3_000);
    expect(
      readConfig({ OTEL_EXPORTER_OTLP_TIMEOUT: '3000', OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '500' }).timeoutMilliseconds,
    ).toBe(500);
  });

  it('compresses nothing unless it is told to, for its own signal before all', () => {
    expect(readConfig({}).compression).toBe('none');
    expect(readConfig({ OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' })).toMatchObject({ compression: 'gzip', warnings: [] });
    expect(
      readConfig({ OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip', OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'none' }).compression,
    ).toBe('none');
  });

  it('can be switched off', () => {
    expect(readConfig({ OTEL_SDK_DISABLED: 'true' }).disabled).toBe(true);
    expect(
      readConfig({ OTEL_TRACES_EXPORTER: 'none', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a' }).tracesUrl,
    ).toBeUndefined();
  });
});
