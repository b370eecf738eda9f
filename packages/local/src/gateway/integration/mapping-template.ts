import { JSONPath } from 'jsonpath-plus';
import { Compile, parse } from 'velocityjs';
import { templateValues } from '../responses/gateway-responses.ts';
import type { RestCall } from '../rest-api/rest-call.ts';
import { callerIdentity, eventQuery, single } from './proxy-event.ts';

/**
 * The properties that a template may set:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html.
 */
export interface Overrides {
  requestOverride: {
    header: Record<string, string>;
    path: Record<string, string>;
    querystring: Record<string, string>;
  };
  responseOverride: { header: Record<string, string>; status?: number };
}

export function noOverrides(): Overrides {
  return { requestOverride: { header: {}, path: {}, querystring: {} }, responseOverride: { header: {} } };
}

/** @returns `$context` of a template: the variables of the request as nested objects. */
export function contextVariables(call: RestCall, overrides: Overrides): Record<string, unknown> {
  const { request, path, match, gateway, decision, ids, admission } = call;
  const { context } = templateValues(request, path, match, gateway.api, decision.trace, ids);
  const flat = Object.entries(context).filter(([name]) => !name.includes('.'));
  const identity = Object.entries(callerIdentity(call)).map(([name, value]) => [name, value ?? '']);
  return {
    ...Object.fromEntries(flat),
    identity: Object.fromEntries(identity),
    authorizer: admission.authorizer ?? {},
    ...overrides,
  };
}

/**
 * @returns the values that a JSON path finds, as `$input.path` has them: none is undefined, one is
 * itself, more are a list.
 */
export function findByPath(document: unknown, path: string): unknown {
  if (path === '$') return document;
  const found: unknown = JSONPath({ json: document as object, path, wrap: false, eval: 'safe' });
  return found;
}

function inputOf(call: RestCall, body: string) {
  const params = {
    path: { ...call.match.pathParameters },
    querystring: single(eventQuery(call.request.query) ?? {}),
    header: Object.fromEntries(
      [...call.request.headers.values()].map(({ name, values }) => [name, values.at(-1) ?? '']),
    ),
  };
  let document: unknown;
  try {
    document = JSON.parse(body === '' ? '{}' : body);
  } catch {
    // A form or plain text: `$input.path('$')` is the text itself.
    document = body;
  }
  const byName = (name: string): string => {
    const header = Object.entries(params.header).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
    return [params.path, params.querystring].find((values) => Object.hasOwn(values, name))?.[name] ?? header ?? '';
  };
  return {
    body: body === '' ? '{}' : body,
    json: (path: string) => JSON.stringify(findByPath(document, path) ?? ''),
    path: (path: string) => findByPath(document, path),
    params: (name?: string) => (name === undefined ? params : byName(name)),
  };
}

const util = {
  escapeJavaScript: (value: unknown) =>
    JSON.stringify(String(value ?? ''))
      .slice(1, -1)
      .replaceAll("'", "\\'"),
  parseJson: (text: string) => JSON.parse(text) as unknown,
  urlEncode: (text: string) => encodeURIComponent(text).replaceAll('%20', '+'),
  urlDecode: (text: string) => decodeURIComponent(text.replaceAll('+', ' ')),
  base64Encode: (text: string) => Buffer.from(text).toString('base64'),
  base64Decode: (text: string) => Buffer.from(text, 'base64').toString(),
};

type JavaMethod = (text: string, ...parameters: string[]) => unknown;

/** The methods of Java's String that JavaScript's has not, or has differently. */
const stringMethods: Record<string, JavaMethod> = {
  length: (text) => text.length,
  isEmpty: (text) => text === '',
  contains: (text, part = '') => text.includes(part),
  equals: (text, other) => text === other,
  equalsIgnoreCase: (text, other = '') => text.toLowerCase() === other.toLowerCase(),
  matches: (text, pattern = '') => new RegExp(`^(?:${pattern})$`).test(text),
  replaceAll: (text, pattern = '', by = '') => text.replace(new RegExp(pattern, 'g'), by),
  replaceFirst: (text, pattern = '', by = '') => text.replace(new RegExp(pattern), by),
  replace: (text, part = '', by = '') => text.split(part).join(by),
  split: (text, pattern = '') => text.split(new RegExp(pattern)),
};

const mapMethods: Record<string, (map: object, ...parameters: string[]) => unknown> = {
  isEmpty: (map) => Object.keys(map).length === 0,
  containsKey: (map, key = '') => Object.hasOwn(map, key),
  containsValue: (map, value) => Object.values(map).includes(value),
  contains: (list, value) => Array.isArray(list) && list.includes(value),
};

const isMap = (value: unknown): value is object => typeof value === 'object' && value !== null;
const handlers = [
  {
    uid: 'java.lang.String',
    match: ({ property, context }: { property: string; context: unknown }) =>
      typeof context === 'string' && Object.hasOwn(stringMethods, property),
    resolve: ({ property, context, params }: { property: string; context: unknown; params: unknown[] }) =>
      stringMethods[property]?.(String(context), ...(params ?? []).map(String)),
  },
  {
    uid: 'java.util.Map',
    match: ({ property, context }: { property: string; context: unknown }) =>
      isMap(context) && Object.hasOwn(mapMethods, property) && !Object.hasOwn(context, property),
    resolve: ({ property, context, params }: { property: string; context: unknown; params: unknown[] }) =>
      isMap(context) ? mapMethods[property]?.(context, ...(params ?? []).map(String)) : undefined,
  },
];

/** A reference to nothing is empty in API Gateway, where Velocity itself would write its name. */
function silence(node: unknown): void {
  if (Array.isArray(node)) for (const one of node) silence(one);
  else if (isMap(node)) {
    const reference = node as { type?: string; leader?: string };
    if (reference.type === 'references') reference.leader = '$!';
    for (const value of Object.values(node)) silence(value);
  }
}

/**
 * Renders a mapping template
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html).
 * @param body what `$input` reads: the request's body, or the back end's answer
 * @param overrides gets what the template sets of `$context.requestOverride` and
 *   `$context.responseOverride`
 * @throws what Velocity throws at a template that it cannot read
 */
export function renderTemplate(template: string, call: RestCall, body: string, overrides: Overrides): string {
  const tree = parse(template.trim());
  silence(tree);
  return new Compile(tree, { customMethodHandlers: handlers }).render({
    input: inputOf(call, body),
    util,
    context: contextVariables(call, overrides),
    stageVariables: call.gateway.service.gateway.stageVariables ?? {},
  });
}
