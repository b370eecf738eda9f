import type { IntegrationResponse } from '../../service/apis/api-model.ts';
import { firstMediaType, type GatewayAnswer } from '../answer.ts';
import { lastValue, parseQuery } from '../gateway-request.ts';
import { type GatewayError, gatewayErrors, templateValues } from '../responses/gateway-responses.ts';
import type { RestCall } from '../rest-api/rest-call.ts';
import { findByPath, type Overrides, renderTemplate } from './mapping-template.ts';

/** A back end's answer, before the mapping. */
export interface BackEndAnswer {
  body: string;
  headers: Record<string, string>;
}

interface Templates {
  requestTemplates: Record<string, string>;
  passThrough: 'NEVER' | 'WHEN_NO_MATCH' | 'WHEN_NO_TEMPLATES';
}

/**
 * @returns the request for the back end: by the template of its media type, else as it came, else
 * 415 as `passThrough` says.
 */
export function mapRequest(
  call: RestCall,
  { requestTemplates, passThrough }: Templates,
  body: string,
  overrides: Overrides,
): string | GatewayError {
  const type = firstMediaType(lastValue(call.request, 'content-type')) ?? 'application/json';
  const entries = Object.entries(requestTemplates);
  const [, template] =
    entries.find(([name]) => firstMediaType(name) === type) ?? entries.find(([name]) => name === '$default') ?? [];
  if (template === undefined) {
    const refuses = passThrough === 'NEVER' || (passThrough === 'WHEN_NO_TEMPLATES' && entries.length > 0);
    return refuses ? gatewayErrors.unsupportedMediaType : body;
  }
  return render(call, template, body, overrides);
}

function render(call: RestCall, template: string, body: string, overrides: Overrides): string | GatewayError {
  try {
    return renderTemplate(template, call, body, overrides);
  } catch (error) {
    const where = `${call.route.method} ${call.route.path}`;
    call.gateway.sink.rejected('gateway', 'A mapping template could not be rendered.', `${where}: ${String(error)}`);
    return gatewayErrors.configuration;
  }
}

function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`).test(text);
  } catch {
    return false;
  }
}

/**
 * Maps what a back end answered to the answer of the API: the response whose pattern matches, else
 * the default one; its headers and its template.
 * @param selection the error message of a function, or the status of an HTTP back end
 */
export function mapResponse(
  call: RestCall,
  responses: IntegrationResponse[],
  selection: string,
  back: BackEndAnswer,
  overrides: Overrides,
): GatewayAnswer | GatewayError {
  const response =
    responses.find(({ pattern }) => pattern !== '' && matches(pattern, selection)) ??
    responses.find(({ pattern }) => pattern === '');
  if (!response) return gatewayErrors.configuration;
  const accept = firstMediaType(lastValue(call.request, 'accept'));
  const templates = Object.entries(response.templates);
  const [type, template] = templates.find(([name]) => firstMediaType(name) === accept) ??
    templates.find(([name]) => firstMediaType(name) === 'application/json') ??
    templates[0] ?? ['application/json'];
  const body = template === undefined ? back.body : render(call, template, back.body, overrides);
  if (typeof body !== 'string') return body;
  const headers = Object.entries(response.headers).flatMap(([name, expression]): [string, string][] => {
    const value = mappedValue(call, String(expression), back);
    return value === undefined ? [] : [[name, value.replace(/[^\t\x20-\x7e\x80-\xff]/g, '')]];
  });
  const overridden = Object.entries(overrides.responseOverride.header).map(([name, value]) => [name, String(value)]);
  const names = new Set(overridden.map(([name]) => name?.toLowerCase()));
  const all = [...headers.filter(([name]) => !names.has(name.toLowerCase())), ...overridden] as [string, string][];
  if (!all.some(([name]) => name.toLowerCase() === 'content-type')) all.unshift(['Content-Type', type]);
  const status = Number(overrides.responseOverride.status);
  return {
    status: Number.isInteger(status) && status >= 200 && status <= 599 ? status : response.status,
    headers: all,
    body: Buffer.from(body),
  };
}

/**
 * @returns the value of a parameter mapping, or undefined where there is none: `'literal'`,
 * `method.request.…`, `integration.response.…`, `context.…`, `stageVariables.…`.
 */
export function mappedValue(call: RestCall, expression: string, back?: BackEndAnswer): string | undefined {
  const literal = /^'(.*)'$/s.exec(expression)?.[1];
  if (literal !== undefined) return literal;
  const { request, path, match, gateway, decision, ids, admission } = call;
  const values = templateValues(request, path, match, gateway.api, decision.trace, ids, admission.authorizer);
  const [, place, name = ''] =
    /^(method\.request\.header|method\.request\.(?:multivalue)?querystring|method\.request\.path|integration\.response\.header|integration\.response\.body|context|stageVariables)(?:\.(.+))?$/.exec(
      expression,
    ) ?? [];
  switch (place) {
    case 'method.request.header':
      return values.header(name);
    case 'method.request.path':
      return values.path(name);
    case 'method.request.querystring':
      return values.query(name);
    case 'method.request.multivaluequerystring':
      return parseQuery(request.query).find(([key]) => key === name)?.[1];
    case 'context':
      return Object.hasOwn(values.context, name) ? values.context[name] : undefined;
    case 'stageVariables': {
      const variables = gateway.service.gateway.stageVariables ?? {};
      return Object.hasOwn(variables, name) ? variables[name] : undefined;
    }
    case 'integration.response.header':
      return back?.headers[name.toLowerCase()];
    case 'integration.response.body':
      return back && bodyValue(back.body, name);
    default:
      return undefined;
  }
}

function bodyValue(body: string, path: string): string | undefined {
  if (path === '') return body;
  try {
    const found = findByPath(JSON.parse(body), `$.${path}`);
    if (found === undefined) return undefined;
    return typeof found === 'string' ? found : JSON.stringify(found);
  } catch {
    return undefined;
  }
}
