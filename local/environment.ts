import type { LocalService } from './service/model.ts';

export interface LocalEndpoints {
  /** `http://127.0.0.1:8000`. */
  dynamodb: string;
  /** Port of the X-Ray intake, UDP and TCP; absent where nothing receives segments. */
  xray?: number;
  /** Port of the OTLP, Rollbar and CloudWatch Logs intake; absent where nothing receives it. */
  telemetry?: number;
}

/**
 * The variables that make a function use this machine for AWS and for the tools: each AWS SDK reads `AWS_ENDPOINT_URL_<SERVICE>`, each
 * OpenTelemetry SDK `OTEL_EXPORTER_OTLP_ENDPOINT`, so that no function needs a line of code for it.
 * The credentials are accepted by the local services alone.
 */
export function localEnvironment(service: LocalService, endpoints: LocalEndpoints): Record<string, string> {
  const environment: Record<string, string> = {
    AWS_REGION: service.region,
    AWS_DEFAULT_REGION: service.region,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_SESSION_TOKEN: 'local',
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
  };
  if (endpoints.xray !== undefined) {
    environment['AWS_XRAY_DAEMON_ADDRESS'] = `127.0.0.1:${endpoints.xray}`;
    environment['AWS_ENDPOINT_URL_XRAY'] = `http://127.0.0.1:${endpoints.xray}`;
  }
  if (endpoints.telemetry !== undefined) {
    const address = `http://127.0.0.1:${endpoints.telemetry}`;
    environment['OTEL_EXPORTER_OTLP_ENDPOINT'] = address;
    environment['AWS_ENDPOINT_URL_CLOUDWATCH_LOGS'] = address;
    environment['ROLLBAR_ENDPOINT'] = `${address}/api/1/item/`;
  }
  return environment;
}
