import type { GatewayResponse } from '../../service/model.ts';
import type { TraceContext } from '../../trace/trace-header.ts';
import { firstMediaType, type GatewayAnswer } from '../answer.ts';
import type { ApiIdentity } from '../api-identity.ts';
import { commonLogTime, type GatewayRequest, lastValue, parseQuery } from '../gateway-request.ts';
import type { RouteMatch } from '../routes.ts';
import { codeFailureAnswer } from './code-failure.ts';

/**
 * An error of the gateway itself: the type of its gateway response, and the answer where that is
 * not customised.
 */
export interface GatewayError {
  type: string;
  status: number;
  /** Null where API Gateway says nothing. */
  message: string | null;
  /** The value of `x-amzn-ErrorType`. */
  errorType: string;
  /** Why the function has no code that can run here, for which AWS has no answer. */
  withoutCode?: string;
}

const internal = (type: string, status: number): GatewayError => ({
  type,
  status,
  message: 'Internal server error',
  errorType: 'InternalServerErrorException',
});

/**
 * Types and status codes as REST APIs answer them
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html).
 * A function that failed is an INTEGRATION_FAILURE that answers 502, not that type's documented
 * 504; one that Lambda throttled answers 500.
 */
export const gatewayErrors = {
  noRoute: {
    type: 'MISSING_AUTHENTICATION_TOKEN',
    status: 403,
    message: 'Missing Authentication Token',
    errorType: 'MissingAuthenticationTokenException',
  },
  badRequest: { type: 'DEFAULT_4XX', status: 400, message: 'Bad Request', errorType: 'BadRequestException' },
  bodyTooLarge: {
    type: 'REQUEST_TOO_LARGE',
    status: 413,
    message: 'HTTP content length exceeded 10485760 bytes.',
    errorType: 'BadRequestException',
  },
  eventTooLarge: {
    type: 'REQUEST_TOO_LARGE',
    status: 413,
    message: 'Request Too Long',
    errorType: 'BadRequestException',
  },
  headersTooLarge: {
    type: 'DEFAULT_4XX',
    status: 431,
    message: 'Request Header Fields Too Large',
    errorType: 'BadRequestException',
  },
  functionFailed: internal('INTEGRATION_FAILURE', 502),
  throttled: internal('INTEGRATION_FAILURE', 500),
  malformedResponse: internal('DEFAULT_5XX', 502),
  notBase64: internal('API_CONFIGURATION_ERROR', 500),
  stopping: { ...internal('DEFAULT_5XX', 503), message: 'Service Unavailable' },
  timedOut: { ...internal('INTEGRATION_TIMEOUT', 504), message: 'Endpoint request timed out' },
  unauthorized: { type: 'UNAUTHORIZED', status: 401, message: 'Unauthorized', errorType: 'UnauthorizedException' },
  expiredToken: {
    type: 'UNAUTHORIZED',
    status: 401,
    message: 'The incoming token has expired',
    errorType: 'UnauthorizedException',
  },
  denied: {
    type: 'ACCESS_DENIED',
    status: 403,
    message: 'User is not authorized to access this resource',
    errorType: 'AccessDeniedException',
  },
  explicitlyDenied: {
    type: 'ACCESS_DENIED',
    status: 403,
    message: 'User is not authorized to access this resource with an explicit deny',
    errorType: 'AccessDeniedException',
  },
  authorizerFailed: {
    type: 'AUTHORIZER_CONFIGURATION_ERROR',
    status: 500,
    message: null,
    errorType: 'AuthorizerConfigurationException',
  },
  invalidApiKey: { type: 'INVALID_API_KEY', status: 403, message: 'Forbidden', errorType: 'ForbiddenException' },
  tooManyRequests: {
    type: 'THROTTLED',
    status: 429,
    message: 'Too Many Requests',
    errorType: 'TooManyRequestsException',
  },
  quotaExceeded: {
    type: 'QUOTA_EXCEEDED',
    status: 429,
    message: 'Limit Exceeded',
    errorType: 'LimitExceededException',
  },
  invalidBody: {
    type: 'BAD_REQUEST_BODY',
    status: 400,
    message: 'Invalid request body',
    errorType: 'BadRequestException',
  },
  unsupportedMediaType: {
    type: 'UNSUPPORTED_MEDIA_TYPE',
    status: 415,
    message: 'Unsupported Media Type',
    errorType: 'BadRequestException',
  },
  configuration: internal('API_CONFIGURATION_ERROR', 500),
  integrationFailed: {
    type: 'INTEGRATION_FAILURE',
    status: 504,
    message: 'Network error communicating with endpoint',
    errorType: 'InternalServerErrorException',
  },
} satisfies Record<string, GatewayError>;

/** @returns the error of a request that lacks required parameters. */
export function missingParameters(names: string[]): GatewayError {
  return {
    type: 'BAD_REQUEST_PARAMETERS',
    status: 400,
    message: `Missing required request parameters: [${names.join(', ')}]`,
    errorType: 'BadRequestException',
  };
}

/** `$context` without the `error.` part, and what `method.request.…` can name. */
export interface TemplateValues {
  context: Record<string, string>;
  header(name: string): string | undefined;
  query(name: string): string | undefined;
  path(name: string): string | undefined;
}

const defaultTemplates = { 'application/json': '{"message":$context.error.messageString}' };
const variable = /\$(?:\{context\.([\w.-]+)\}|context\.([A-Za-z]\w*(?:\.\w+)*))/g;

function contextOf(error: GatewayError, values: TemplateValues): Record<string, string> {
  return {
    ...values.context,
    'error.message': error.message ?? '',
    'error.messageString': JSON.stringify(error.message),
    'error.responseType': error.type,
  };
}

function render(template: string, contentType: string, context: Record<string, string>): string {
  return template.replace(variable, (_, braced?: string, bare?: string) => {
    const name = braced ?? bare ?? '';
    const value = Object.hasOwn(context, name) ? (context[name] ?? '') : '';
    // A path or a user agent is the client's text: in JSON it must not end the string that it
    // stands in.
    return contentType.includes('json') && name !== 'error.messageString' ? JSON.stringify(value).slice(1, -1) : value;
  });
}

function parameterValue(
  expression: string,
  context: Record<string, string>,
  values: TemplateValues,
): string | undefined {
  const literal = /^'(.*)'$/s.exec(expression)?.[1];
  if (literal !== undefined) return literal;
  const [, source, name = ''] =
    /^(?:\$?(context)|method\.request\.(header|querystring|path))\.(.+)$/
      .exec(expression)
      ?.filter((part) => part !== undefined) ?? [];
  if (source === 'context') return context[name];
  if (source === 'header') return values.header(name);
  if (source === 'querystring') return values.query(name);
  if (source === 'path') return values.path(name);
  return expression;
}

function chooseTemplate(templates: Record<string, string>, accept: string | undefined): [string, string] {
  const entries = Object.entries(templates);
  const wanted = firstMediaType(accept);
  return (
    entries.find(([type]) => firstMediaType(type) === wanted) ??
    entries.find(([type]) => firstMediaType(type) === 'application/json') ??
    entries[0] ?? ['application/json', defaultTemplates['application/json']]
  );
}

/**
 * Answers an error by the API's `AWS::ApiGateway::GatewayResponse` of its type, else by DEFAULT_4XX
 * or DEFAULT_5XX, else as API Gateway does on its own. Templates know variables alone, no Velocity;
 * an unknown variable is empty.
 */
export function gatewayAnswer(
  error: GatewayError,
  responses: GatewayResponse[],
  values: TemplateValues,
  accept: string | undefined,
): GatewayAnswer {
  const fallback = error.status < 500 ? 'DEFAULT_4XX' : 'DEFAULT_5XX';
  const response =
    responses.find(({ responseType }) => responseType === error.type) ??
    responses.find(({ responseType }) => responseType === fallback);
  const context = contextOf(error, values);
  const [contentType, template] = chooseTemplate(response?.templates ?? {}, accept);
  const headers: [string, string][] = [['x-amzn-ErrorType', error.errorType]];
  for (const [name, expression] of Object.entries(response?.parameters ?? {})) {
    const value = parameterValue(expression, context, values);
    if (value !== undefined)
      headers.push([name.replace(/^gatewayresponse\.header\./, ''), value.replace(/[^\t\x20-\x7e\x80-\xff]/g, '')]);
  }
  if (error.withoutCode !== undefined) {
    const ours = codeFailureAnswer(error.withoutCode);
    // The API's own headers stay, so that CORS lets a page read the answer.
    const rest = headers.filter(([name]) => name.toLowerCase() !== 'content-type');
    return { ...ours, headers: [...rest, ...ours.headers] };
  }
  if (!headers.some(([name]) => name.toLowerCase() === 'content-type')) headers.push(['Content-Type', contentType]);
  return {
    status: response?.statusCode ?? error.status,
    headers,
    body: Buffer.from(render(template, contentType, context)),
  };
}

/**
 * The parts of a request that a gateway response's template or parameter can name
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html#context-variable-reference).
 * `xrayTraceId` is the Root.
 */
export function templateValues(
  request: GatewayRequest,
  path: string,
  match: RouteMatch | undefined,
  api: ApiIdentity,
  trace: TraceContext,
  ids: { requestId: string; extendedRequestId: string },
  authorizer: Record<string, unknown> = {},
): TemplateValues {
  // A template sees an authorizer's context as text; objects of an HTTP API's stay out.
  const said = Object.entries(authorizer).filter(([, value]) => typeof value !== 'object');
  return {
    context: {
      ...Object.fromEntries(said.map(([name, value]) => [`authorizer.${name}`, String(value)])),
      ...ids,
      accountId: api.accountId,
      apiId: api.id,
      domainName: request.host,
      domainPrefix: api.id,
      httpMethod: request.method,
      'identity.sourceIp': request.sourceIp,
      'identity.userAgent': lastValue(request, 'user-agent') ?? '',
      path: `/${api.stage}${path}`,
      protocol: request.protocol,
      requestTime: commonLogTime(request.time),
      requestTimeEpoch: String(request.time),
      resourcePath: match?.resource.path ?? '',
      stage: api.stage,
      xrayTraceId: trace.root,
    },
    header: (name) => lastValue(request, name.toLowerCase()),
    query: (name) => parseQuery(request.query).findLast(([key]) => key === name)?.[1],
    path: (name) => match?.pathParameters?.[name],
  };
}
