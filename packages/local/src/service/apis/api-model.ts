/**
 * The APIs of serverless.yml: who may call a route, and what answers it. `LocalFunction` and
 * `LocalGateway` hold these.
 */

/** Asks a function of this service who calls. */
export interface LambdaAuthorizer {
  kind: 'lambda';
  name: string;
  functionKey: string;
  type: 'TOKEN' | 'REQUEST';
  /** `method.request.header.Authorization`, `$request.querystring.token`, … */
  identitySources: string[];
  /**
   * A regular expression for the token; what does not match is refused without asking the function.
   */
  validation?: string;
  /** 0: asked at every request. */
  ttlSeconds: number;
  /** The format of the event that an HTTP API sends; a REST API has only one. */
  payload: '1.0' | '2.0';
  /** Whether the function answers `{ isAuthorized }` instead of a policy. */
  simpleResponses: boolean;
}

/** Verifies a JSON Web Token: Cognito's in a REST API, anybody's in an HTTP API. */
export interface JwtAuthorizer {
  kind: 'jwt';
  name: string;
  /** The `iss` to accept; more than one where a Cognito authorizer names several pools. */
  issuers: string[];
  /** Accepted `aud` or `client_id`; empty: any. */
  audience: string[];
  /** One of them must be in the token; empty: none is asked for. */
  scopes: string[];
  identitySource: string;
  /** A file (absolute) or a URL of a JSON Web Key Set to use instead of the issuer's. */
  keys?: string;
  cognito: boolean;
}

/**
 * A guard that `custom.local.authorizers` opens: every request passes, and the function is told
 * `identity`.
 */
export interface OpenGuard {
  kind: 'open';
  name: string;
  /** The function's `requestContext.authorizer`. */
  authorizer?: Record<string, unknown>;
  /** The ARN of the caller that stands in for a signature of IAM. */
  principal?: string;
}

/** A guard that cannot be enforced on this machine: every request is refused. */
export interface RefusedGuard {
  kind: 'refused';
  name: string;
  guard: 'iam' | 'authorizer';
  /** One sentence: what is missing, and the setting that opens it. */
  reason: string;
}

export type LocalAuthorizer = LambdaAuthorizer | JwtAuthorizer | OpenGuard | RefusedGuard;

/** One answer of an integration that maps its responses. */
export interface IntegrationResponse {
  status: number;
  /**
   * A regular expression for the error message of a function, or for the status of an HTTP back
   * end; empty: the default.
   */
  pattern: string;
  /**
   * Header to mapping expression: `'literal'`, `integration.response.header.x`,
   * `integration.response.body.x`, `context.x`.
   */
  headers: Record<string, string>;
  /** Media type to template; empty: the body passes through. */
  templates: Record<string, string>;
}

interface MappedIntegration {
  /** Media type to template. */
  requestTemplates: Record<string, string>;
  passThrough: 'NEVER' | 'WHEN_NO_MATCH' | 'WHEN_NO_TEMPLATES';
  responses: IntegrationResponse[];
}

/** The integration of a REST API's route, other than a Lambda proxy. */
export type LocalIntegration =
  | ({ kind: 'lambda'; async: boolean } & MappedIntegration)
  | ({ kind: 'mock' } & MappedIntegration)
  | ({ kind: 'http'; uri: string; method: string; requestParameters: Record<string, string> } & MappedIntegration)
  | { kind: 'http-proxy'; uri: string; method: string; requestParameters: Record<string, string> }
  /** Cannot be served here: every request is answered 500. */
  | { kind: 'unserved'; reason: string };

export interface RequestValidation {
  /** As in `method.request.querystring.q`. */
  required: { location: 'header' | 'querystring' | 'path'; name: string }[];
  /** Media type to JSON schema. */
  schemas: Record<string, unknown>;
}

export interface LocalApiKey {
  name: string;
  value: string;
  enabled: boolean;
  /** Made up here, since AWS makes it up on deployment: shown at the start. */
  generated: boolean;
  plan: string;
}

export interface LocalUsagePlan {
  name: string;
  throttle?: { burstLimit: number; rateLimit: number };
  quota?: { limit: number; period: 'DAY' | 'WEEK' | 'MONTH'; offset: number };
}

export interface LocalHttpApiRoute {
  /** Upper case, or `ANY`. */
  method: string;
  /** `/items/{id}`, `/files/{proxy+}`, or `$default`. */
  path: string;
  authorizer?: LocalAuthorizer;
}

/** The CORS settings of an HTTP API or a function URL, which the gateway itself answers by. */
export interface LocalHttpCors {
  allowCredentials: boolean;
  allowedHeaders: string[];
  allowedMethods: string[];
  allowedOrigins: string[];
  exposedHeaders: string[];
  maxAgeSeconds?: number;
}

export interface LocalHttpApi {
  name: string;
  /** Routes whose function does not run here. */
  closedRoutes?: LocalHttpApiRoute[];
  cors?: LocalHttpCors;
}

export interface LocalFunctionUrl {
  invokeMode: 'BUFFERED' | 'RESPONSE_STREAM';
  cors?: LocalHttpCors;
  authorizer?: OpenGuard | RefusedGuard;
}

/** One entry of `custom.local.authorizers`, by the authorizer's name, or `aws_iam`. */
export interface AuthorizerSetting {
  /** Lets every request pass. */
  open?: boolean;
  /** The function's `requestContext.authorizer` when the guard is open. */
  context?: Record<string, unknown>;
  /** `aws_iam`: the ARN of who calls, for a signature that cannot be checked here. */
  principal?: string;
  /** A file, relative to the service's folder, or a URL of a JSON Web Key Set. */
  keys?: string;
  /** The issuer, where serverless.yml names a pool that only AWS knows. */
  issuer?: string;
  /** A function of this service that stands in for one that is elsewhere. */
  function?: string;
}
