import { toJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import type { EntryDescription } from '../http/validation.ts';
import { type Operation, operations } from './operations.ts';
import { reference, schemas } from './responses.ts';

/** One `http` event of serverless.yml. */
export interface RouteDescription {
  /** The function's key. */
  key: string;
  method: string;
  path: string;
}

const problems = {
  400: 'The request body is not valid JSON, or nested too deeply',
  401: 'Authentication required',
  404: 'Not found',
  413: 'The request body is larger than 6 MB',
  415: 'The content type is not application/json in UTF-8',
  500: 'Internal server error',
} as const;

/**
 * @returns the OpenAPI 3.1 description of the API, from its validation schemas. @throws for a route
 * without an operation.
 */
export function openApiDocument(routes: RouteDescription[]) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const operation = operations[route.key];
    if (!operation) throw new Error(`src/openapi/operations.ts does not describe the function ${route.key}.`);
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: describe(route, operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Cruddur',
      version: '1.0.0',
      description: 'A micro-blog: activities that expire, replies, direct messages.',
    },
    paths,
    components: {
      schemas,
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
}

function describe({ key, path }: RouteDescription, operation: Operation) {
  const { summary, identity, body } = operation;
  const statuses = [
    ...(body ? ([400, 413, 415] as const) : []),
    ...(identity === 'required' ? ([401] as const) : []),
    ...(/\{|^\/api\/messages$/.test(path) ? ([404] as const) : []),
    500 as const,
  ];
  return {
    operationId: key,
    summary,
    ...(identity === 'none' ? {} : { security: identity === 'optional' ? [{}, { token: [] }] : [{ token: [] }] }),
    parameters: parametersOf(path, operation),
    ...(body ? { requestBody: { required: true, content: { 'application/json': { schema: bodySchema(body) } } } } : {}),
    responses: {
      200: success(operation),
      ...Object.fromEntries(statuses.map((status) => [status, problem(status)])),
      ...(takesInput(path, operation) ? { 422: failedChecks } : {}),
    },
  };
}

function takesInput(path: string, { query, body, isPaged }: Operation): boolean {
  return query !== undefined || body !== undefined || isPaged === true || path.includes('{');
}

function parametersOf(path: string, { query = {}, body, isPaged }: Operation) {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    description: name === 'id' ? 'A user as @handle, or a uuid, as the route takes it' : 'A uuid',
    schema: { type: 'string', minLength: 1 },
  }));
  const paging = {
    limit: { schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 } },
    cursor: { schema: { type: 'string', description: 'From the Link header of the page before' } },
  };
  const inQuery = Object.entries({ ...query, ...(isPaged ? paging : {}) }).map(([name, parameter]) => ({
    name,
    in: 'query',
    required: 'isRequired' in parameter && parameter.isRequired === true,
    schema: parameter.schema,
  }));
  const idempotencyKey = {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description: 'Makes retries of the same request safe for 24 hours',
    schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
  };
  return [...inPath, ...inQuery, ...(body && !path.startsWith('/api/profile') ? [idempotencyKey] : [])];
}

/**
 * The schema that checks a body describes it: by its entries' own metadata, or by valibot's tool.
 */
function bodySchema({ schema, names = {} }: NonNullable<Operation['body']>) {
  const entries = Object.entries(schema.entries).flatMap(([key, entry]) => {
    const name = key in names ? names[key] : key;
    return name === undefined ? [] : [{ name, ...entrySchema(entry as v.GenericSchema) }];
  });
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(({ name, jsonSchema }) => [name, jsonSchema])),
    required: entries.filter(({ isRequired }) => isRequired).map(({ name }) => name),
  };
}

function entrySchema(entry: v.GenericSchema): EntryDescription {
  const metadata = v.getMetadata(entry) as Partial<EntryDescription>;
  if (metadata.jsonSchema) return { jsonSchema: metadata.jsonSchema, isRequired: metadata.isRequired === true };
  const wrapped = entry.type === 'nullish' && 'wrapped' in entry ? (entry.wrapped as v.GenericSchema) : undefined;
  // A default that the choice itself refuses stands for a missing value, so the entry is required.
  const isRequired = wrapped?.type === 'picklist';
  const { $schema, ...jsonSchema } = toJsonSchema(wrapped && isRequired ? wrapped : entry, {
    typeMode: 'input',
    errorMode: 'ignore',
  });
  return { jsonSchema, isRequired };
}

function success({ answer, isPaged, links }: Operation) {
  const content =
    answer === 'text'
      ? { 'text/plain': { schema: { type: 'string' } } }
      : { 'application/json': { schema: answerSchema(answer) } };
  const link = { description: 'The next page, with rel="next" (RFC 8288)', schema: { type: 'string' } };
  return { description: 'OK', content, ...(isPaged ? { headers: { Link: link } } : {}), ...(links ? { links } : {}) };
}

function answerSchema(answer: Exclude<Operation['answer'], 'text'>) {
  const list = (name: string) => ({ type: 'array', items: reference(name) });
  if ('either' in answer) return { oneOf: [reference(answer.either[0]), list(answer.either[1])] };
  return answer.isList ? list(answer.schema) : reference(answer.schema);
}

function problem(status: keyof typeof problems) {
  return { description: problems[status], content: { 'application/problem+json': { schema: reference('Problem') } } };
}

const failedChecks = {
  description: 'Every check that failed, by its code',
  content: { 'application/json': { schema: reference('FailedChecks') } },
};
