import path from 'node:path';
import { resolveIntrinsics, type TemplateContext, UnresolvedIntrinsic } from './intrinsics.ts';
import type { LocalCors, LocalFunction, LocalLayer, LocalRoute } from './model.ts';
import type { ServerlessCors, ServerlessFunction, ServerlessHttpEvent, ServerlessInstance } from './serverless.ts';

interface Reading {
  serverless: ServerlessInstance;
  context: TemplateContext;
  warnings: string[];
}

/** @returns the function, or undefined with a warning when it is not on Node and so cannot run here. */
export function readFunction(key: string, lambda: ServerlessFunction, reading: Reading): LocalFunction | undefined {
  const { serverless, context, warnings } = reading;
  const { provider } = serverless.service;
  const runtime = lambda.runtime ?? provider.runtime ?? 'nodejs24.x';
  if (!runtime.startsWith('nodejs') || !lambda.handler) {
    warnings.push(`functions.${key} is left out: only functions on Node run here, this one is ${runtime}`);
    return undefined;
  }
  const tracing = lambda.tracing ?? provider.tracing?.lambda ?? false;
  return {
    key,
    name: lambda.name ?? `${context.stackName}-${key}`,
    handler: lambda.handler,
    runtime,
    // Serverless's own defaults, which differ from Lambda's 128 MB and 3 s.
    memoryMegabytes: lambda.memorySize ?? provider.memorySize ?? 1024,
    timeoutSeconds: lambda.timeout ?? provider.timeout ?? 6,
    environment: readEnvironment(key, lambda, reading),
    tracing: tracing === true || tracing === 'Active' ? 'Active' : 'PassThrough',
    layers: (lambda.layers ?? provider.layers ?? []).map((layer) => readLayer(layer, reading)),
    routes: (lambda.events ?? []).flatMap((event) => (event.http ? [readRoute(event.http)] : [])),
    ...(lambda.reservedConcurrency === undefined ? {} : { reservedConcurrency: lambda.reservedConcurrency }),
  };
}

/** @returns the provider's variables and the function's, resolved; a warning for each that only AWS knows. */
export function readEnvironment(
  key: string,
  lambda: ServerlessFunction,
  { serverless, context, warnings }: Reading,
): Record<string, string> {
  const given = { ...serverless.service.provider.environment, ...lambda.environment };
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    // Serverless takes null for "not set", to undo a variable of the provider.
    if (value === null || value === undefined) continue;
    try {
      environment[name] = String(resolveIntrinsics(value, context));
    } catch (error) {
      if (!(error instanceof UnresolvedIntrinsic)) throw error;
      warnings.push(`functions.${key}.environment.${name} is not set here: ${error.reason}`);
    }
  }
  return environment;
}

/** A layer of this service is written as `Ref: <Key>LambdaLayer`; everything else is an ARN. */
function readLayer(layer: unknown, { serverless }: Reading): LocalLayer {
  const reference = (layer as { Ref?: string } | null)?.Ref;
  for (const [key, definition] of Object.entries(serverless.service.layers ?? {})) {
    const logicalId = serverless.getProvider('aws').naming.getLambdaLayerLogicalId(key);
    if (reference === logicalId && definition.path) {
      return { kind: 'directory', key, path: path.resolve(serverless.serviceDir, definition.path) };
    }
  }
  return { kind: 'arn', arn: typeof layer === 'string' ? layer : JSON.stringify(layer) };
}

function readRoute(event: string | ServerlessHttpEvent): LocalRoute {
  const [method = '', routePath = ''] = typeof event === 'string' ? event.split(/\s+/) : [event.method, event.path];
  const cors = typeof event === 'string' ? undefined : event.cors;
  return {
    method: method === '*' ? 'ANY' : method.toUpperCase(),
    path: `/${routePath.replace(/^\//, '').replace(/\/$/, '')}`,
    ...(cors ? { cors: readCors(method.toUpperCase(), cors) } : {}),
  };
}

/** What Serverless lets a browser send when `cors: true` says nothing more (its `api-gateway/lib/validate.js`). */
const defaultCorsHeaders = [
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
