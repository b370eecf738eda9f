import path from 'node:path';
import { readGatewayApis } from './apis/apis.ts';
import { readBundleSettings, readPackagePatterns } from './bundle-settings.ts';
import { nameUnservedEvents } from './events/unserved-events.ts';
import { readEnvironment, readFunction } from './functions.ts';
import type { LayerBuild, LocalFunction, LocalService } from './model.ts';
import type { ServerlessFunction, ServerlessInstance, ServerlessTemplate } from './serverless.ts';
import { type PortName, readSettings } from './settings.ts';
import type { TemplateContext } from './values/intrinsics.ts';
import { readResources } from './values/resources.ts';

/** The account of everything that runs here: the one that AWS's documentation uses. */
export const localAccountId = '123456789012';

export interface ServiceReading {
  service: LocalService;
  /** Settings that are not honoured, one sentence each, for the terminal. */
  warnings: string[];
}

/**
 * @returns the service as the local platform runs it, from what Serverless has resolved and
 * validated.
 */
export function readService(
  serverless: ServerlessInstance,
  ports: Partial<Record<PortName, number>> = {},
): ServiceReading {
  const { service: source, serviceDir } = serverless;
  const provider = serverless.getProvider('aws');
  const context = readContext(serverless);
  const warnings: string[] = [];
  const { tables, samplingRules, traceGroups, gatewayResponses } = readResources(context, warnings);
  const functions = Object.entries(source.functions ?? {}).flatMap(
    ([key, lambda]) => readFunction(key, lambda, { serverless, context, warnings }) ?? [],
  );
  warnings.push(...nameUnservedEvents(unpolled(source.functions ?? {}, functions)));
  return {
    warnings,
    service: {
      name: source.service,
      stage: provider.getStage(),
      region: provider.getRegion(),
      directory: serviceDir,
      functions,
      gateway: {
        name: provider.naming.getApiGatewayName(),
        tracing: true,
        ...(source.provider.tracing?.apiGateway === true ? {} : { untracedOnAws: true }),
        binaryMediaTypes: source.provider.apiGateway?.binaryMediaTypes ?? [],
        responses: gatewayResponses,
        ...readGatewayApis(functions, { serverless, context, warnings }),
      },
      packagePatterns: readPackagePatterns(source),
      bundle: readBundleSettings(source),
      layerBuilds: readLayerBuilds(serverless, warnings),
      tables,
      samplingRules,
      traceGroups,
      settings: readSettings(source.custom?.local, ports),
    },
  };
}

/**
 * @returns the variables of every function by its key, resolved as for `sls local`, also of those
 *   that are not on Node; what only AWS knows is left out.
 */
export function readEnvironments(serverless: ServerlessInstance): Record<string, Record<string, string>> {
  const reading = { serverless, context: readContext(serverless), warnings: [] };
  const functions = Object.entries(serverless.service.functions ?? {});
  return Object.fromEntries(functions.map(([key, lambda]) => [key, readEnvironment(key, lambda, reading)]));
}

/** Leaves out the queues of functions that are polled here. */
function unpolled(all: Record<string, ServerlessFunction>, functions: LocalFunction[]): typeof all {
  const polled = new Set(functions.flatMap(({ key, queues }) => (queues ? [key] : [])));
  return Object.fromEntries(
    Object.entries(all).map(([key, lambda]) => {
      if (!polled.has(key)) return [key, lambda];
      const events = (lambda.events ?? []).filter((event) => typeof event !== 'object' || !('sqs' in event));
      return [key, { ...lambda, events }];
    }),
  );
}

function readContext(serverless: ServerlessInstance): TemplateContext {
  const provider = serverless.getProvider('aws');
  const template = mergeTemplates(serverless.service.resources);
  return {
    region: provider.getRegion(),
    accountId: localAccountId,
    stackName: `${serverless.service.service}-${provider.getStage()}`,
    resources: { ...generatedResources(serverless), ...template.Resources },
    parameters: Object.fromEntries(
      Object.entries(template.Parameters ?? {}).map(([name, parameter]) => [name, parameter.Default]),
    ),
  };
}

function readLayerBuilds({ service, serviceDir }: ServerlessInstance, warnings: string[]): LayerBuild[] {
  return Object.entries(service.custom?.build?.layers ?? {}).flatMap(([key, script]) => {
    const folder = service.layers?.[key]?.path;
    if (folder) return [{ key, script, path: path.resolve(serviceDir, folder) }];
    warnings.push(`custom.build.layers.${key} is not built: there is no layers.${key}.path`);
    return [];
  });
}

/**
 * Logical ids that a template may refer to without defining them: Serverless makes the REST API and
 * a function for each key.
 */
function generatedResources(serverless: ServerlessInstance): TemplateContext['resources'] {
  const { naming } = serverless.getProvider('aws');
  const functions = Object.entries(serverless.service.functions ?? {}).map(([key, { name }]) => [
    naming.getLambdaLogicalId(key),
    { Type: 'AWS::Lambda::Function', Properties: { FunctionName: name } },
  ]);
  const api = { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: naming.getApiGatewayName() } };
  return { [naming.getRestApiLogicalId()]: api, ...Object.fromEntries(functions) };
}

function mergeTemplates(resources: ServerlessTemplate | ServerlessTemplate[] | undefined): ServerlessTemplate {
  const templates = Array.isArray(resources) ? resources : [resources ?? {}];
  return {
    Resources: Object.assign({}, ...templates.map((template) => template.Resources ?? {})),
    Parameters: Object.assign({}, ...templates.map((template) => template.Parameters ?? {})),
  };
}
