import type { GatewayResponse } from '../../service/model.ts';
import { firstMediaType } from './media-type.ts';
import type { GatewayAnswer } from './proxy-response.ts';

/** An error that the gateway itself answers: the response type that may be customised, and what it is when nobody did. */
export interface GatewayError {
  type: string;
  status: number;
  message: string;
  /** The value of `x-amzn-ErrorType`. */
  errorType: string;
}

const internal = (type: string, status: number): GatewayError => ({
  type,
  status,
  message: 'Internal server error',
  errorType: 'InternalServerErrorException',
});

/**
 * Types and status codes as REST APIs answer them (https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html).
 * A function that failed is an INTEGRATION_FAILURE that answers 502, not that type's documented 504; one that Lambda throttled answers 500.
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
} satisfies Record<string, GatewayError>;

/** `$context` without the `error.` part, and what `method.request.…` can name. */
export interface TemplateValues {
  context: Record<string, string>;
  header(name: string): string | undefined;
  query(name: string): string | undefined;
  path(name: string): string | undefined;
}

const DEFAULT_TEMPLATES = { 'application/json': '{"message":$context.error.messageString}' };
const VARIABLE = /\$(?:\{context\.([A-Za-z.]+)\}|context\.([A-Za-z]+(?:\.[A-Za-z]+)*))/g;

function contextOf(error: GatewayError, values: TemplateValues): Record<string, string> {
  return {
    ...values.context,
    'error.message': error.message,
    'error.messageString': JSON.stringify(error.message),
    'error.responseType': error.type,
  };
}

function render(template: string, contentType: string, context: Record<string, string>): string {
  return template.replace(VARIABLE, (_, braced?: string, bare?: string) => {
    const name = braced ?? bare ?? '';
    const value = Object.hasOwn(context, name) ? (context[name] ?? '') : '';
    // A path or a user agent is the client's text: in JSON it must not end the string that it stands in.
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
    entries[0] ?? ['application/json', DEFAULT_TEMPLATES['application/json']]
  );
}

/**
 * Answers an error by the API's `AWS::ApiGateway::GatewayResponse` of its type, else by DEFAULT_4XX or DEFAULT_5XX, else as API Gateway
 * does on its own. Templates know variables alone, no Velocity; an unknown variable is empty.
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
  if (!headers.some(([name]) => name.toLowerCase() === 'content-type')) headers.push(['Content-Type', contentType]);
  return {
    status: response?.statusCode ?? error.status,
    headers,
    body: Buffer.from(render(template, contentType, context)),
  };
}
