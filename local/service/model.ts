/**
 * A Serverless service as the local platform sees it: what `serverless.yml` says, resolved, and nothing of what the service is about.
 * `read.ts` makes it from Serverless's own object; everything in `local/` takes this and never Serverless itself.
 */
export interface LocalService {
  /** `service` in serverless.yml. */
  name: string;
  stage: string;
  region: string;
  /** Absolute path of the folder that holds serverless.yml. */
  directory: string;
  functions: LocalFunction[];
  gateway: LocalGateway;
  /** Layers of this service that are built by a script of its own: `custom.build.layers`. */
  layerBuilds?: LayerBuild[];
  /** The `AWS::DynamoDB::Table` resources, as CreateTable takes them. */
  tables: LocalTable[];
  /** The `AWS::XRay::SamplingRule` resources, by ascending priority. */
  samplingRules: SamplingRule[];
  settings: LocalSettings;
}

export interface LocalFunction {
  /** The key under `functions:`. */
  key: string;
  /** The name it is deployed under: `<service>-<stage>-<key>` unless `name:` says otherwise. */
  name: string;
  /** `handlers/home.handler`: path without extension, a dot, the export. */
  handler: string;
  /** `nodejs24.x` and so on. */
  runtime: string;
  memoryMegabytes: number;
  timeoutSeconds: number;
  /** The function's variables after the provider's, every value resolved to a string. */
  environment: Record<string, string>;
  /** Whether Lambda emits segments for it. */
  tracing: 'Active' | 'PassThrough';
  layers: LocalLayer[];
  routes: LocalRoute[];
  /** At most so many environments at a time; absent: no limit of its own. */
  reservedConcurrency?: number;
}

/** A layer by the folder that it is made from (`layers.<key>.path`), or by its ARN, which cannot be run here. */
export type LocalLayer = { kind: 'directory'; key: string; path: string } | { kind: 'arn'; arn: string };

export interface LayerBuild {
  key: string;
  /** Run with the layer's folder as its only argument; relative to the service's folder. */
  script: string;
  /** `layers.<key>.path`, absolute. */
  path: string;
}

export interface LocalRoute {
  /** Upper case, or `ANY`. */
  method: string;
  /** As API Gateway has it: `/api/activities/{id}`, `/files/{proxy+}`. Begins with a slash. */
  path: string;
  /** Absent: no preflight is answered for it by the gateway. */
  cors?: LocalCors;
}

export interface LocalCors {
  origins: string[];
  headers: string[];
  methods: string[];
  allowCredentials: boolean;
  maxAgeSeconds?: number;
}

export interface LocalGateway {
  /** `<stage>-<service>` unless `provider.apiGateway…` or `provider.apiName` says otherwise; the stage segment is named `<name>/<stage>`. */
  name: string;
  /** `provider.tracing.apiGateway`: whether the stage segment is emitted. */
  tracing: boolean;
  binaryMediaTypes: string[];
  responses: GatewayResponse[];
}

/** An `AWS::ApiGateway::GatewayResponse` resource. */
export interface GatewayResponse {
  /** `MISSING_AUTHENTICATION_TOKEN`, `DEFAULT_4XX`, … */
  responseType: string;
  statusCode?: number;
  /** Header name to value, the mapping syntax resolved: only static `'…'` values and `context.*`. */
  parameters: Record<string, string>;
  /** Content type to template; `$context.…` variables are replaced. */
  templates: Record<string, string>;
}

export interface LocalTable {
  /** The key under `resources.Resources`. */
  logicalId: string;
  tableName: string;
  /** `Properties` of the resource with intrinsics resolved. */
  properties: Record<string, unknown>;
}

/** One X-Ray sampling rule, in the field names of its API. */
export interface SamplingRule {
  RuleName: string;
  Priority: number;
  /** 0-1. */
  FixedRate: number;
  /** Requests a second that are kept before the rate applies. */
  ReservoirSize: number;
  ServiceName: string;
  ServiceType: string;
  Host: string;
  HTTPMethod: string;
  URLPath: string;
  ResourceARN: string;
  Attributes?: Record<string, string>;
}

/**
 * X-Ray's own last rule, which every account has: one request a second, then 5 %.
 * Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-console-sampling.html
 */
export const defaultSamplingRule: SamplingRule = {
  RuleName: 'Default',
  Priority: 10_000,
  FixedRate: 0.05,
  ReservoirSize: 1,
  ServiceName: '*',
  ServiceType: '*',
  Host: '*',
  HTTPMethod: '*',
  URLPath: '*',
  ResourceARN: '*',
};

/** `custom.local` of serverless.yml, over its defaults. */
export interface LocalSettings {
  ports: { api: number; console: number; otlp: number; xray: number; dynamodb: number };
  /** A script, relative to the service's folder, that is run once after the tables exist. */
  seed?: string;
  /** The module that speaks to the Runtime API instead of this project's own client, relative to the service's folder: `aws-lambda-ric`'s index.mjs is AWS's. */
  runtimeClient?: string;
  /** Variables that only a local run sets, for every function. */
  environment: Record<string, string>;
}
