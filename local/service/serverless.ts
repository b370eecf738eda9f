/** The parts of Serverless's own objects that are read here, as its plugins receive them. They are validated by Serverless's schema before a command runs. */
export interface ServerlessInstance {
  serviceDir: string;
  service: ServerlessService;
  configurationFilename: string | false;
  /** `commands` is `['package']` for `sls package`. */
  processedInput: { commands: string[] };
  pluginManager: { plugins: Record<string, unknown>[] };
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
    tracing?: { lambda?: boolean | 'Active' | 'PassThrough'; apiGateway?: boolean };
    apiGateway?: { binaryMediaTypes?: string[] };
    /** While packaging: the template as it will be deployed. */
    compiledCloudFormationTemplate?: ServerlessTemplate;
  };
  functions?: Record<string, ServerlessFunction>;
  layers?: Record<string, { path?: string }>;
  resources?: ServerlessTemplate | ServerlessTemplate[];
  custom?: { local?: Record<string, unknown>; build?: { layers?: Record<string, string> } };
  package?: { individually?: boolean };
}

export interface ServerlessTemplate {
  Resources?: Record<string, { Type?: string; Properties?: Record<string, unknown> }>;
  Parameters?: Record<string, { Default?: unknown }>;
}

export interface ServerlessFunction {
  name?: string;
  handler?: string;
  runtime?: string;
  memorySize?: number;
  timeout?: number;
  environment?: Record<string, unknown>;
  layers?: unknown[];
  tracing?: boolean | 'Active' | 'PassThrough';
  reservedConcurrency?: number;
  events?: { http?: string | ServerlessHttpEvent }[];
  package?: { artifact?: string; individually?: boolean };
}

export interface ServerlessHttpEvent {
  method: string;
  path: string;
  cors?: boolean | ServerlessCors;
}

export interface ServerlessCors {
  origin?: string;
  origins?: string[] | string;
  headers?: string[] | string;
  methods?: string[];
  allowCredentials?: boolean;
  maxAge?: number;
}
