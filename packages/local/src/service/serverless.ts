import type { ServerlessEvent, ServerlessFunctionUrl, ServerlessHttpApi } from './events/serverless-events.ts';

/**
 * The parts of Serverless's own objects that are read here, as its plugins receive them. They are
 * validated by Serverless's schema before a command runs.
 */
export interface ServerlessInstance {
  serviceDir: string;
  service: ServerlessService;
  configurationFilename: string | false;
  /** `commands` is `['package']` for `sls package`. */
  processedInput: { commands: string[] };
  pluginManager: { plugins: Record<string, unknown>[]; spawn(command: string): Promise<void> };
  config: { serviceDir?: string; servicePath?: string };
  /** Makes an error that Serverless prints as one sentence, with no stack. */
  classes: { Error: new (message: string, code?: string) => Error };
  configSchemaHandler: {
    defineCustomProperties(schema: Record<string, unknown>): void;
  };
  getProvider(name: 'aws'): {
    getStage(): string;
    getRegion(): string;
    naming: {
      getApiGatewayName(): string;
      getRestApiLogicalId(): string;
      getLambdaLogicalId(key: string): string;
      getLambdaLayerLogicalId(key: string): string;
    };
  };
}

export interface ServerlessService {
  service: string;
  provider: {
    name: string;
    runtime?: string;
    memorySize?: number;
    timeout?: number;
    environment?: Record<string, unknown>;
    layers?: unknown[];
    logs?: { lambda?: ServerlessLogging };
    tracing?: { lambda?: boolean | 'Active' | 'PassThrough'; apiGateway?: boolean };
    apiGateway?: {
      binaryMediaTypes?: string[];
      minimumCompressionSize?: number;
      timeoutInMillis?: number;
      apiKeys?: unknown[];
      apiKeySourceType?: string;
      usagePlan?: unknown;
      resourcePolicy?: unknown;
      request?: { schemas?: Record<string, unknown> };
    };
    httpApi?: ServerlessHttpApi;
    /** Where Serverless 1 and 2 had the keys of the API. */
    apiKeys?: unknown[];
    endpointType?: string;
    /** While packaging: the template as it will be deployed. */
    compiledCloudFormationTemplate?: ServerlessTemplate;
  };
  functions?: Record<string, ServerlessFunction>;
  layers?: Record<string, { path?: string }>;
  resources?: ServerlessTemplate | ServerlessTemplate[];
  /** Serverless 4's own bundler: `build: { esbuild: … }`. */
  build?: unknown;
  custom?: {
    local?: Record<string, unknown>;
    build?: { layers?: Record<string, string>; esbuild?: Record<string, unknown> };
    /** The settings of serverless-esbuild. */
    esbuild?: unknown;
    stageVariables?: Record<string, unknown>;
  };
  package?: ServerlessPackage & { individually?: boolean };
}

export interface ServerlessPackage {
  patterns?: string[];
  include?: string[];
  exclude?: string[];
}

export interface ServerlessTemplate {
  Resources?: Record<string, { Type?: string; Properties?: Record<string, unknown> }>;
  Parameters?: Record<string, { Default?: unknown }>;
}

export interface ServerlessLogging {
  logFormat?: 'JSON' | 'Text';
  applicationLogLevel?: string;
  systemLogLevel?: string;
  logGroup?: unknown;
}

export interface ServerlessFunction {
  logs?: ServerlessLogging;
  name?: string;
  handler?: string;
  runtime?: string;
  memorySize?: number;
  timeout?: number;
  environment?: Record<string, unknown>;
  layers?: unknown[];
  tracing?: boolean | 'Active' | 'PassThrough';
  reservedConcurrency?: number;
  destinations?: unknown;
  onError?: unknown;
  maximumRetryAttempts?: number;
  maximumEventAge?: number;
  fileSystemConfig?: unknown;
  events?: (string | ServerlessEvent)[];
  httpApi?: { payload?: string };
  url?: boolean | ServerlessFunctionUrl;
  package?: ServerlessPackage & { artifact?: string; individually?: boolean };
}
