import { homedir } from 'node:os';
import path from 'node:path';
import { config } from '../config.ts';
import type { LocalService } from '../service/model.ts';

export interface LocalEndpoints {
  /** `http://127.0.0.1:8000`; absent where a service without tables runs one function alone. */
  dynamodb?: string;
  /** Port of the local X-Ray, UDP and TCP; absent where nothing receives segments. */
  xray?: number;
  /** Port of Lambda's Invoke API; absent where functions cannot call each other. */
  lambda?: number;
  /** Port of the OTLP, Rollbar and CloudWatch Logs receivers; absent where nothing receives it. */
  telemetry?: number;
}

/**
 * The variables that make a function use this machine for AWS and for the tools: each AWS SDK reads
 * `AWS_ENDPOINT_URL_<SERVICE>`, each OpenTelemetry SDK `OTEL_EXPORTER_OTLP_ENDPOINT`, so that no
 * function needs a line of code for it. The credentials are accepted by the local services alone.
 */
export function localEnvironment(service: LocalService, endpoints: LocalEndpoints): Record<string, string> {
  const environment: Record<string, string> = {
    AWS_REGION: service.region,
    AWS_DEFAULT_REGION: service.region,
    ...credentials(service),
  };
  if (endpoints.dynamodb !== undefined) environment.AWS_ENDPOINT_URL_DYNAMODB = endpoints.dynamodb;
  if (endpoints.xray !== undefined) {
    environment.AWS_XRAY_DAEMON_ADDRESS = config.xrayDaemonAddress() ?? `127.0.0.1:${endpoints.xray}`;
    environment.AWS_ENDPOINT_URL_XRAY = `http://127.0.0.1:${endpoints.xray}`;
  }
  if (endpoints.telemetry !== undefined) {
    const address = `http://127.0.0.1:${endpoints.telemetry}`;
    environment.OTEL_EXPORTER_OTLP_ENDPOINT = address;
    environment.AWS_ENDPOINT_URL_CLOUDWATCH_LOGS = address;
    environment.ROLLBAR_ENDPOINT = `${address}/api/1/item/`;
  }
  if (endpoints.lambda !== undefined) environment.AWS_ENDPOINT_URL_LAMBDA = `http://127.0.0.1:${endpoints.lambda}`;
  return environment;
}

/**
 * The local services accept any credentials. `custom.local.profile` reaches an account of one's own
 * beside them.
 */
function credentials({ settings: { profile } }: LocalService): Record<string, string> {
  if (!profile) return { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local', AWS_SESSION_TOKEN: 'local' };
  const directory = path.join(homedir(), '.aws');
  return {
    AWS_PROFILE: profile,
    AWS_SDK_LOAD_CONFIG: '1',
    AWS_CONFIG_FILE: path.join(directory, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: path.join(directory, 'credentials'),
  };
}
