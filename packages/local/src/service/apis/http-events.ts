import type { ServerlessCors, ServerlessHttpEvent, StatusCode } from '../events/serverless-events.ts';
import type { LocalCors, LocalRoute } from '../model.ts';
import { type Reading, resolvedText } from '../reading.ts';
import { defaultFormTemplate, defaultJsonTemplate } from '../values/default-templates.ts';
import type { IntegrationResponse, LocalIntegration, RequestValidation } from './api-model.ts';
import { readRestAuthorizer } from './authorizers.ts';

/**
 * The answers of an integration that names none:
 * https://www.serverless.com/framework/docs/providers/aws/events/apigateway#using-status-codes.
 */
const defaultStatusCodes: Record<string, StatusCode> = {
  200: { pattern: '' },
  ...Object.fromEntries(
    [400, 401, 403, 404, 422, 502].map((status) => [status, { pattern: `[\\s\\S]*\\[${status}\\][\\s\\S]*` }]),
  ),
  500: { pattern: '[\\s\\S]*(Process\\s?exited\\s?before\\s?completing\\s?request|\\[500\\])[\\s\\S]*' },
  504: { pattern: '([\\s\\S]*\\[504\\][\\s\\S]*)|(.*Task timed out after \\d+\\.\\d+ seconds$)' },
};

/** @returns the route of an `http` event. */
export function readHttpEvent(event: string | ServerlessHttpEvent, reading: Reading): LocalRoute {
  const http: ServerlessHttpEvent = typeof event === 'string' ? shortForm(event) : event;
  const { timeoutInMillis = reading.serverless.service.provider.apiGateway?.timeoutInMillis } = http;
  const integration = readIntegration(http, reading);
  const validation = readValidation(http, reading);
  return {
    method: http.method === '*' ? 'ANY' : http.method.toUpperCase(),
    path: `/${http.path.replace(/^\//, '').replace(/\/$/, '')}`,
    ...(http.cors ? { cors: readCors(http.method.toUpperCase(), http.cors) } : {}),
    ...(http.authorizer ? { authorizer: readRestAuthorizer(http.authorizer, reading) } : {}),
    ...(http.private ? { apiKeyRequired: true } : {}),
    ...(integration ? { integration } : {}),
    ...(validation ? { validation } : {}),
    ...(timeoutInMillis ? { timeoutMilliseconds: timeoutInMillis } : {}),
    ...(http.response?.transferMode?.toUpperCase() === 'STREAM' ? { streams: true } : {}),
    ...(http.operationId ? { operationName: http.operationId } : {}),
  };
}

function shortForm(event: string): ServerlessHttpEvent {
  const [method = '', path = ''] = event.split(/\s+/);
  return { method, path };
}

/** @returns what answers the route, or undefined for the proxy integration with its function. */
function readIntegration(http: ServerlessHttpEvent, reading: Reading): LocalIntegration | undefined {
  const given = http.integration?.toUpperCase().replace('-', '_') ?? (http.async ? 'AWS' : 'AWS_PROXY');
  const { request = {} } = http;
  switch (given) {
    case 'AWS_PROXY':
    case 'LAMBDA_PROXY':
      return undefined;
    case 'AWS':
    case 'LAMBDA':
      return {
        kind: 'lambda',
        async: http.async === true,
        requestTemplates: requestTemplates(http, {
          'application/json': defaultJsonTemplate,
          'application/x-www-form-urlencoded': defaultFormTemplate,
        }),
        passThrough: passThrough(request.passThrough, 'NEVER'),
        responses: responsesOf(http),
      };
    case 'MOCK':
      return {
        kind: 'mock',
        requestTemplates: requestTemplates(http, {}),
        passThrough: passThrough(request.passThrough, 'WHEN_NO_MATCH'),
        // Serverless gives a mock no answers of its own, so that one without any fails on AWS too.
        responses: http.response ? responsesOf(http) : [],
      };
    case 'HTTP':
    case 'HTTP_PROXY': {
      if (http.connectionType?.toUpperCase().replace('-', '_') === 'VPC_LINK') {
        return { kind: 'unserved', reason: 'its back end is behind a VPC link, which exists only on AWS' };
      }
      const uri = resolvedText(request.uri, reading);
      if (!uri) return { kind: 'unserved', reason: 'the URI of its back end is known to AWS only' };
      const back = {
        uri,
        method: (request.method ?? http.method).toUpperCase(),
        requestParameters: integrationParameters(http),
      };
      if (given === 'HTTP_PROXY') return { kind: 'http-proxy', ...back };
      return {
        kind: 'http',
        ...back,
        requestTemplates: requestTemplates(http, {}),
        passThrough: passThrough(request.passThrough, 'WHEN_NO_MATCH'),
        responses: responsesOf(http),
      };
    }
    default:
      return { kind: 'unserved', reason: `"${http.integration}" is not an integration of API Gateway` };
  }
}

function passThrough(given: string | undefined, otherwise: 'NEVER' | 'WHEN_NO_MATCH') {
  const behaviors = ['NEVER', 'WHEN_NO_MATCH', 'WHEN_NO_TEMPLATES'] as const;
  return behaviors.find((behavior) => behavior === given?.toUpperCase()) ?? otherwise;
}

function requestTemplates(http: ServerlessHttpEvent, defaults: Record<string, string>): Record<string, string> {
  const templates: Record<string, string | null> = { ...defaults, ...http.request?.template };
  const claims = typeof http.authorizer === 'object' ? (http.authorizer as { claims?: string[] }).claims : undefined;
  const more = (claims ?? []).map((claim) => `"${claim.split(':').at(-1)}": "$context.authorizer.claims['${claim}']",`);
  return Object.fromEntries(
    Object.entries(templates).flatMap(([type, template]) =>
      // null takes a default away.
      typeof template === 'string' ? [[type, template.replace('extraCognitoPoolClaims', more.join(''))]] : [],
    ),
  );
}

function responsesOf(http: ServerlessHttpEvent): IntegrationResponse[] {
  const { response } = http;
  const codes = response?.statusCodes ?? defaultStatusCodes;
  const hasDefault = Object.values(codes).some(({ pattern }) => pattern === '');
  const all = hasDefault || !response?.statusCodes ? codes : { ...codes, 200: { ...codes['200'], pattern: '' } };
  const cors = http.cors && response ? readCors(http.method.toUpperCase(), http.cors) : undefined;
  return Object.entries(all).map(([status, { pattern = '', headers = {}, template }]) => ({
    status: Number(status),
    pattern,
    headers: {
      ...(cors ? { 'Access-Control-Allow-Origin': `'${cors.origins.join(',')}'` } : {}),
      ...(cors?.allowCredentials ? { 'Access-Control-Allow-Credentials': "'true'" } : {}),
      ...response?.headers,
      ...headers,
    },
    templates: {
      ...(response?.template ? { 'application/json': response.template } : {}),
      ...(typeof template === 'string' ? { 'application/json': template } : template),
    },
  }));
}

type Location = RequestValidation['required'][number]['location'];
const locations: Record<string, Location> = { querystrings: 'querystring', paths: 'path', headers: 'header' };

/**
 * @returns each parameter of the method with its setting: from the lists of serverless.yml, or from
 * the form that packaging writes.
 */
function parametersOf(http: ServerlessHttpEvent): { location: Location; name: string; setting: unknown }[] {
  return Object.entries(http.request?.parameters ?? {}).flatMap(([key, value]) => {
    const [, location, name] = /^method\.request\.(querystring|path|header)\.(.+)$/.exec(key) ?? [];
    if (location && name) return [{ location: location as Location, name, setting: value }];
    const listed = Object.hasOwn(locations, key) ? locations[key] : undefined;
    if (!listed) return [];
    return Object.entries((value ?? {}) as object).map(([inner, setting]) => ({
      location: listed,
      name: inner,
      setting,
    }));
  });
}

function integrationParameters(http: ServerlessHttpEvent): Record<string, string> {
  return Object.fromEntries(
    parametersOf(http).map(({ location, name, setting }) => {
      const mapped = (setting as { mappedValue?: string } | null)?.mappedValue;
      return [`integration.request.${location}.${name}`, mapped ?? `method.request.${location}.${name}`];
    }),
  );
}

function readValidation(http: ServerlessHttpEvent, { serverless }: Reading): RequestValidation | undefined {
  const required = parametersOf(http)
    .filter(({ setting }) =>
      setting !== null && typeof setting === 'object'
        ? (setting as { required?: boolean }).required !== false
        : setting === true,
    )
    .map(({ location, name }) => ({ location, name }));
  const shared = serverless.service.provider.apiGateway?.request?.schemas ?? {};
  const given = { ...http.request?.schema, ...http.request?.schemas };
  const schemas = Object.entries(given).map(([type, schema]) => {
    const model = typeof schema === 'string' && Object.hasOwn(shared, schema) ? shared[schema] : schema;
    const wrapped = model as { schema?: unknown } | null;
    return [type, (typeof wrapped === 'object' && wrapped?.schema) || model] as const;
  });
  if (required.length === 0 && schemas.length === 0) return undefined;
  return { required, schemas: Object.fromEntries(schemas) };
}

/**
 * What Serverless lets a browser send when `cors: true` says nothing more (its
 * `api-gateway/lib/validate.js`).
 */
export const defaultCorsHeaders = [
  'Content-Type',
  'X-Amz-Date',
  'Authorization',
  'X-Api-Key',
  'X-Amz-Security-Token',
  'X-Amz-User-Agent',
  'X-Amzn-Trace-Id',
];

function readCors(method: string, cors: true | ServerlessCors): LocalCors {
  const given = cors === true ? {} : cors;
  const list = (value: string | string[] | undefined) => (typeof value === 'string' ? value.split(/\s*,\s*/) : value);
  return {
    origins: list(given.origins) ?? list(given.origin) ?? ['*'],
    headers: list(given.headers) ?? defaultCorsHeaders,
    methods: [...new Set([...(given.methods ?? []), 'OPTIONS', method])],
    allowCredentials: given.allowCredentials === true,
    ...(given.maxAge === undefined ? {} : { maxAgeSeconds: given.maxAge }),
  };
}
