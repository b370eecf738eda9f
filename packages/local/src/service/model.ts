import type {
  LocalApiKey,
  LocalAuthorizer,
  LocalFunctionUrl,
  LocalHttpApi,
  LocalHttpApiRoute,
  LocalIntegration,
  LocalUsagePlan,
  RequestValidation,
} from './apis/api-model.ts';

/**
 * A Serverless service as the local platform sees it: what `serverless.yml` says, resolved, and
 * nothing of what the service is about. `read.ts` makes it from Serverless's own object; everything
 * in `local/` takes this and never Serverless itself.
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
  /**
   * `package.patterns`, with the older `include` and `exclude`: the files beside the bundles in
   * every zip.
   */
  packagePatterns?: string[];
  /**
   * The service's esbuild settings: `custom.build.esbuild`, or those of a bundler that is
   * not a plugin here.
   */
  bundle?: BundleSettings;
  /** Layers of this service that are built by a script of its own: `custom.build.layers`. */
  layerBuilds?: LayerBuild[];
  /** The `AWS::DynamoDB::Table` resources, as CreateTable takes them. */
  tables: LocalTable[];
  /** The `AWS::XRay::SamplingRule` resources, by ascending priority. */
  samplingRules: SamplingRule[];
  /** The `AWS::XRay::Group` resources. */
  traceGroups?: TraceGroup[];
  settings: LocalSettings;
}

/** A group of traces, as X-Ray's API names its members. */
export interface TraceGroup {
  GroupName: string;
  FilterExpression: string;
  InsightsConfiguration: { InsightsEnabled: boolean; NotificationsEnabled: boolean };
}

/** The options of esbuild that a service can set, as esbuild names them, and one of our own. */
export interface BundleSettings {
  /**
   * Packages in a file of their own, which is read when they are first imported, and the module that
   * is bundled there.
   */
  chunks?: Record<string, string>;
  external?: string[];
  mainFields?: string[];
  loader?: Record<
    string,
    'js' | 'jsx' | 'ts' | 'tsx' | 'json' | 'text' | 'base64' | 'binary' | 'dataurl' | 'file' | 'copy' | 'empty'
  >;
  define?: Record<string, string>;
  alias?: Record<string, string>;
  keepNames?: boolean;
  minify?: boolean;
  minifyWhitespace?: boolean;
  minifySyntax?: boolean;
  minifyIdentifiers?: boolean;
  /** Characters after which a line of a bundle ends at the next place where it can. */
  lineLimit?: number;
  tsconfig?: string;
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
  /** Whether Lambda emits segments for it. A local run always does. */
  tracing: 'Active' | 'PassThrough';
  /**
   * serverless.yml leaves Lambda's tracing off, so AWS would emit no segments for this function.
   */
  untracedOnAws?: true;
  layers: LocalLayer[];
  /** In the service's REST API. */
  routes: LocalRoute[];
  /** In its HTTP API. */
  httpApiRoutes?: LocalHttpApiRoute[];
  httpApiPayload?: '1.0' | '2.0';
  url?: LocalFunctionUrl;
  /** Queues that are polled for it. */
  queues?: LocalQueue[];
  /** When it runs by itself. */
  schedules?: LocalSchedule[];
  /**
   * `provider.logs.lambda`, or the function's own `logs`; absent: text, every line, the function's
   * own group.
   */
  logging?: LocalLogging;
  /** At most so many environments at a time; absent: no limit of its own. */
  reservedConcurrency?: number;
}

/** An `sqs` event of a service that names where its queues are. */
export interface LocalQueue {
  arn: string;
  /** `http://127.0.0.1:4566`. */
  endpoint: string;
  /** 1-10. */
  batchSize: number;
  /** Whether the function's answer names the messages that failed. */
  reportsFailures: boolean;
}

/** A `schedule` event. */
export interface LocalSchedule {
  /** `rate(5 minutes)`, `cron(0 12 * * ? *)`, `at(…)`. */
  expression: string;
  /** An IANA name; absent: UTC. */
  timezone?: string;
  /** JSON text that the function gets instead of EventBridge's event. */
  input?: string;
}

/** Lambda's logging configuration. Levels count in JSON format alone, as on AWS. */
export interface LocalLogging {
  format: 'JSON' | 'Text';
  applicationLevel?: string;
  systemLevel?: string;
  logGroup?: string;
}

/**
 * A layer by the folder that it is made from (`layers.<key>.path`), or by its ARN, which cannot be
 * run here.
 */
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
  authorizer?: LocalAuthorizer;
  /** `private: true`. */
  apiKeyRequired?: boolean;
  /** Absent: the function answers by the proxy integration. */
  integration?: LocalIntegration;
  validation?: RequestValidation;
  /** How long the integration may take; API Gateway's 29 seconds otherwise. */
  timeoutMilliseconds?: number;
  operationName?: string;
  /** `response.transferMode: STREAM`. */
  streams?: true;
}

export interface LocalCors {
  origins: string[];
  headers: string[];
  methods: string[];
  allowCredentials: boolean;
  maxAgeSeconds?: number;
}

export interface LocalGateway {
  /**
   * `<stage>-<service>` unless `provider.apiGateway…` or `provider.apiName` says otherwise; the
   * stage segment is named `<name>/<stage>`.
   */
  name: string;
  /** Whether the stage segment is emitted. A local run always does. */
  tracing: boolean;
  /**
   * serverless.yml leaves `provider.tracing.apiGateway` off, so AWS would emit no stage segment.
   */
  untracedOnAws?: true;
  binaryMediaTypes: string[];
  responses: GatewayResponse[];
  /** Answers of so many bytes and more are compressed for clients that take it; absent: none is. */
  minimumCompressionSize?: number;
  /**
   * Routes whose function does not run here: they answer 502 instead of falling to a less specific
   * route.
   */
  closedRoutes?: LocalRoute[];
  apiKeys?: LocalApiKey[];
  usagePlans?: LocalUsagePlan[];
  /**
   * Where the key of a request is: its `X-Api-Key` header, or the `usageIdentifierKey` of the
   * authorizer's answer.
   */
  apiKeySource?: 'HEADER' | 'AUTHORIZER';
  stageVariables?: Record<string, string>;
  /** Absent: the service has none. */
  httpApi?: LocalHttpApi;
}

/** An `AWS::ApiGateway::GatewayResponse` resource. */
export interface GatewayResponse {
  /** `MISSING_AUTHENTICATION_TOKEN`, `DEFAULT_4XX`, … */
  responseType: string;
  statusCode?: number;
  /**
   * Header name to value, the mapping syntax resolved: only static `'…'` values and `context.*`.
   */
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
/**
 * `custom.local.identity`: the OIDC issuer of local runs, whose tokens `throughline token` signs.
 */
export interface IdentitySettings {
  issuer: string;
  audience: string;
  /** The claim that holds the user's name. */
  handleClaim: string;
  /** The variable in which functions get the issuer's public keys (a JSON Web Key Set). */
  jwksVariable: string;
}

export interface LocalSettings {
  ports: { api: number; console: number; otlp: number; grpc: number; xray: number; dynamodb: number; lambda: number };
  /**
   * Web origins (`http://localhost:5173`) whose pages may send telemetry and call the embedded
   * services.
   */
  origins?: string[];
  /** A profile of ~/.aws: functions reach its account, except for the services that run here. */
  profile?: string;
  /** A script, relative to the service's folder, that is run once after the tables exist. */
  seed?: string;
  /**
   * An OpenAPI description, served at `/openapi.json` of the API's port; relative to the service's
   * folder.
   */
  openapi?: string;
  /**
   * The module that speaks to the Runtime API instead of this project's own client, relative to the
   * service's folder: `aws-lambda-ric`'s index.mjs is AWS's.
   */
  runtimeClient?: string;
  /** Whether functions with a schedule run by it. Default true. */
  schedules?: boolean;
  /** Lambda's quota of concurrent executions, beyond which calls are throttled. Default 1,000. */
  accountConcurrency?: number;
  /** How many environments (processes) run at a time; further calls wait for one. Default 20. */
  maximumEnvironments?: number;
  identity?: IdentitySettings;
  /** Variables that only a local run sets, for every function. */
  environment: Record<string, string>;
}
