/** The events and APIs of serverless.yml, as Serverless hands them to its plugins. */

/** One entry of `events`: an object with the type as its only key. */
export interface ServerlessEvent {
  http?: string | ServerlessHttpEvent;
  httpApi?: string | ServerlessHttpApiEvent;
  [type: string]: unknown;
}

export interface ServerlessCors {
  origin?: string;
  origins?: string[] | string;
  headers?: string[] | string;
  methods?: string[];
  allowCredentials?: boolean;
  maxAge?: number;
}

/**
 * An `http` event as Serverless takes it; it writes `integration` and `request.parameters` into its
 * own form while it packages.
 */
export interface ServerlessHttpEvent {
  method: string;
  path: string;
  cors?: boolean | ServerlessCors;
  authorizer?: string | RestAuthorizer;
  private?: boolean;
  async?: boolean;
  integration?: string;
  timeoutInMillis?: number;
  connectionType?: string;
  operationId?: string;
  request?: {
    uri?: unknown;
    method?: string;
    passThrough?: string;
    template?: Record<string, string | null>;
    parameters?: Record<string, unknown>;
    schemas?: Record<string, unknown>;
    schema?: Record<string, unknown>;
  };
  response?: {
    headers?: Record<string, string>;
    template?: string;
    statusCodes?: Record<string, StatusCode>;
    transferMode?: string;
  };
}

export interface StatusCode {
  pattern?: string;
  headers?: Record<string, string>;
  template?: string | Record<string, string>;
}

export interface ServerlessHttpApiEvent {
  method?: string;
  path: string;
  authorizer?: string | { name?: string; id?: unknown; type?: string; scopes?: string[] };
}

/** The `cors` of `provider.httpApi` and of a function's `url`; null takes a default away. */
export interface ServerlessHttpCors {
  allowCredentials?: boolean;
  allowedHeaders?: string[] | null;
  allowedMethods?: string[] | null;
  allowedOrigins?: string[] | null;
  exposedResponseHeaders?: string[];
  maxAge?: number;
}

export interface ServerlessHttpApi {
  payload?: string;
  cors?: boolean | ServerlessHttpCors;
  authorizers?: Record<string, HttpApiAuthorizer>;
}

export interface ServerlessFunctionUrl {
  authorizer?: string;
  invokeMode?: string;
  cors?: boolean | ServerlessHttpCors;
}

/**
 * The `authorizer` of an `http` event in its long form, and an `AWS::ApiGateway::Authorizer`'s
 * properties by these names.
 */
export interface RestAuthorizer {
  name?: string;
  arn?: unknown;
  type?: string;
  authorizerId?: unknown;
  identitySource?: string | null;
  identityValidationExpression?: string;
  resultTtlInSeconds?: number | string;
  scopes?: unknown[];
}

/** One entry of `provider.httpApi.authorizers`. */
export interface HttpApiAuthorizer {
  type?: string;
  functionName?: string;
  functionArn?: unknown;
  identitySource?: string | string[];
  issuerUrl?: unknown;
  audience?: unknown;
  resultTtlInSeconds?: number;
  enableSimpleResponses?: boolean;
  payloadVersion?: string;
}
