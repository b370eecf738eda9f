import { dirname, join } from 'node:path';
import type { LocalFunction } from '../../service/model.ts';

/**
 * Variables that a function cannot set: Lambda refuses them on deployment.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
 */
const reserved = new Set([
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_DEFAULT_REGION',
  'AWS_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_LAMBDA_RUNTIME_API',
  'LAMBDA_TASK_ROOT',
  'LAMBDA_RUNTIME_DIR',
]);

export interface VariablesInput {
  lambda: LocalFunction;
  region: string;
  /** Of the local cloud: below the function's own, but for what is reserved. */
  cloud: Record<string, string>;
  taskRoot: string;
  runtimeDirectory: string;
  runtimeApi: string;
  logGroup: string;
  logStream: string;
  /**
   * The folder that stands for /opt; absent where the function has no layer that can be run here.
   */
  layerRoot?: string;
  /** The file descriptor on which console calls are framed. */
  telemetryDescriptor?: number;
}

/**
 * The whole environment of a function's process: Lambda's variables, and nothing of the shell that
 * this runs in. Paths below /opt in NODE_OPTIONS, NODE_PATH and AWS_LAMBDA_EXEC_WRAPPER are those
 * of `layerRoot`, which LAMBDA_LAYER_ROOT names: there is no container here, so /opt is not the
 * layers' folder. A layer's scripts find their neighbours by `$(dirname "$0")` on Lambda and here;
 * one that names /opt in its text must say `${LAMBDA_LAYER_ROOT:-/opt}` to be run here.
 */
export function functionVariables(input: VariablesInput): Record<string, string> {
  const { lambda, layerRoot } = input;
  const own = Object.entries(lambda.environment).filter(([name]) => !reserved.has(name));
  const variables: Record<string, string> = {
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin', layerRoot && join(layerRoot, 'bin')]
      .filter(Boolean)
      .join(':'),
    NODE_PATH: nodePath(input),
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    ...(layerRoot && { LD_LIBRARY_PATH: join(layerRoot, 'lib'), LAMBDA_LAYER_ROOT: layerRoot }),
    ...input.cloud,
    ...Object.fromEntries(own),
    ...Object.fromEntries(Object.entries(input.cloud).filter(([name]) => reserved.has(name))),
    _HANDLER: lambda.handler,
    AWS_DEFAULT_REGION: input.region,
    AWS_REGION: input.region,
    AWS_EXECUTION_ENV: `AWS_Lambda_${lambda.runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: lambda.name,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(lambda.memoryMegabytes),
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    ...(lambda.logging && { AWS_LAMBDA_LOG_FORMAT: lambda.logging.format }),
    ...(lambda.logging?.applicationLevel && { AWS_LAMBDA_LOG_LEVEL: lambda.logging.applicationLevel }),
    AWS_LAMBDA_LOG_GROUP_NAME: input.logGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: input.logStream,
    AWS_LAMBDA_RUNTIME_API: input.runtimeApi,
    LAMBDA_TASK_ROOT: input.taskRoot,
    LAMBDA_RUNTIME_DIR: input.runtimeDirectory,
  };
  if (input.telemetryDescriptor !== undefined) variables._LAMBDA_TELEMETRY_LOG_FD = String(input.telemetryDescriptor);
  for (const name of ['NODE_OPTIONS', 'NODE_PATH', 'AWS_LAMBDA_EXEC_WRAPPER']) {
    const value = variables[name];
    if (value !== undefined && layerRoot) variables[name] = mapLayerPaths(value, layerRoot);
  }
  return variables;
}

/** @returns `text` with every path that begins with /opt/ moved below `layerRoot`. */
export function mapLayerPaths(text: string, layerRoot: string): string {
  return text.replace(/(^|[\s=:,"']|file:\/\/)\/opt(?=\/)/g, (_match, before: string) => before + layerRoot);
}

function nodePath({ lambda, layerRoot, runtimeDirectory, taskRoot }: VariablesInput): string {
  const major = /\d+/.exec(lambda.runtime)?.[0];
  const layer = layerRoot
    ? [join(layerRoot, `nodejs/node${major}/node_modules`), join(layerRoot, 'nodejs/node_modules')]
    : [];
  return [...layer, join(runtimeDirectory, 'node_modules'), runtimeDirectory, taskRoot].join(':');
}
