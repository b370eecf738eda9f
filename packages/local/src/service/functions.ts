import path from 'node:path';
import { readFunctionApis } from './apis/apis.ts';
import { readQueues } from './events/queue-events.ts';
import { readSchedules } from './events/schedule-events.ts';
import type { LocalFunction, LocalLayer, LocalLogging } from './model.ts';
import type { Reading } from './reading.ts';
import type { ServerlessFunction } from './serverless.ts';
import { nameUnservedSettings } from './unserved-settings.ts';
import { resolveIntrinsics, UnresolvedIntrinsic } from './values/intrinsics.ts';

/**
 * @returns the function, or undefined with a warning when it is not on Node and so cannot run here.
 */
export function readFunction(key: string, lambda: ServerlessFunction, reading: Reading): LocalFunction | undefined {
  const { serverless, context, warnings } = reading;
  const { provider } = serverless.service;
  const runtime = lambda.runtime ?? provider.runtime ?? 'nodejs24.x';
  if (!runtime.startsWith('nodejs') || !lambda.handler) {
    warnings.push(`functions.${key} is left out: only functions on Node run here, this one is ${runtime}`);
    return undefined;
  }
  warnings.push(...nameUnservedSettings(key, lambda));
  const environment = readEnvironment(key, lambda, reading);
  const tracing = lambda.tracing ?? provider.tracing?.lambda ?? false;
  return {
    key,
    name: lambda.name ?? `${context.stackName}-${key}`,
    handler: lambda.handler,
    runtime,
    // Serverless's own defaults, which differ from Lambda's 128 MB and 3 s.
    memoryMegabytes: lambda.memorySize ?? provider.memorySize ?? 1024,
    timeoutSeconds: lambda.timeout ?? provider.timeout ?? 6,
    environment,
    tracing: 'Active',
    ...(tracing === true || tracing === 'Active' ? {} : { untracedOnAws: true }),
    layers: (lambda.layers ?? provider.layers ?? []).map((layer) => readLayer(layer, reading)),
    ...readFunctionApis(lambda, reading),
    ...readLogging(lambda, reading),
    ...readSchedules(key, lambda, reading),
    ...readQueues(key, lambda, { ...environment, ...localVariables(reading) }, reading),
    ...(lambda.reservedConcurrency === undefined ? {} : { reservedConcurrency: lambda.reservedConcurrency }),
  };
}

/**
 * @returns the provider's variables and the function's, resolved; a warning for each that only AWS
 * knows.
 */
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

function localVariables({ serverless }: Reading): Record<string, string> {
  const given = serverless.service.custom?.local?.environment ?? {};
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)]));
}

function readLogging(lambda: ServerlessFunction, { serverless }: Reading): { logging?: LocalLogging } {
  const logs = lambda.logs ?? serverless.service.provider.logs?.lambda;
  if (!logs) return {};
  const { logFormat = 'Text', applicationLogLevel, systemLogLevel, logGroup } = logs;
  return {
    logging: {
      format: logFormat,
      // Lambda's defaults, which it has in JSON format alone.
      ...(logFormat === 'JSON' && {
        applicationLevel: applicationLogLevel ?? 'INFO',
        systemLevel: systemLogLevel ?? 'INFO',
      }),
      ...(typeof logGroup === 'string' && { logGroup }),
    },
  };
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
