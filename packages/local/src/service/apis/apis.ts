import type { ServerlessEvent } from '../events/serverless-events.ts';
import type { LocalFunction, LocalGateway } from '../model.ts';
import { type Reading, resolvedText } from '../reading.ts';
import type { ServerlessFunction } from '../serverless.ts';
import { readApiKeys, readUsagePlans } from './api-keys.ts';
import { nameGuards } from './guard-warnings.ts';
import { payloadOf, readFunctionUrl, readHttpApi, readHttpApiEvent } from './http-api-events.ts';
import { readHttpEvent } from './http-events.ts';

type FunctionApis = Pick<LocalFunction, 'routes' | 'httpApiRoutes' | 'httpApiPayload' | 'url'>;

/**
 * @returns by which URLs a function is called: its routes in the REST API and in the HTTP API, and
 * a URL of its own.
 */
export function readFunctionApis(lambda: ServerlessFunction, reading: Reading): FunctionApis {
  const events = (lambda.events ?? []).filter((event): event is ServerlessEvent => typeof event === 'object');
  const httpApiRoutes = events.flatMap(({ httpApi }) => (httpApi ? [readHttpApiEvent(httpApi, reading)] : []));
  const url = readFunctionUrl(lambda, reading);
  return {
    routes: events.flatMap(({ http }) => (http ? [readHttpEvent(http, reading)] : [])),
    ...(httpApiRoutes.length > 0 ? { httpApiRoutes, httpApiPayload: payloadOf(lambda, reading) } : {}),
    ...(url ? { url } : {}),
  };
}

type GatewayApis = Pick<
  LocalGateway,
  'closedRoutes' | 'minimumCompressionSize' | 'apiKeys' | 'apiKeySource' | 'usagePlans' | 'stageVariables' | 'httpApi'
>;

/**
 * @returns what the routes of the service's APIs share. `warnings` gets what is not enforced here,
 * and each guard that is open or refuses.
 */
export function readGatewayApis(functions: LocalFunction[], reading: Reading): GatewayApis {
  const { serverless, warnings } = reading;
  const { provider, custom } = serverless.service;
  const usagePlans = readUsagePlans(reading);
  const apiKeys = readApiKeys(usagePlans, reading);
  const httpApiRoutes = functions.flatMap((lambda) => lambda.httpApiRoutes ?? []);
  const keys = new Set(functions.map(({ key }) => key));
  const leftOut = Object.entries(serverless.service.functions ?? {})
    .filter(([key]) => !keys.has(key))
    .map(([, lambda]) => readFunctionApis(lambda, { ...reading, warnings: [] }));
  const closedHttpApiRoutes = leftOut.flatMap((lambda) => lambda.httpApiRoutes ?? []);
  const variables = Object.entries(custom?.stageVariables ?? {}).flatMap(([name, value]) => {
    const text = resolvedText(value, reading);
    return text === undefined ? [] : [[name, text] as const];
  });
  nameGuards(functions, reading);
  if (functions.some(({ routes }) => routes.some((route) => route.apiKeyRequired)) && apiKeys.length === 0) {
    warnings.push('Routes with private: true answer 403: provider.apiGateway.apiKeys names no key');
  }
  if (provider.apiGateway?.resourcePolicy) {
    warnings.push('provider.apiGateway.resourcePolicy is not enforced here: only AWS knows who and where a caller is');
  }
  if (provider.endpointType?.toUpperCase() === 'PRIVATE') {
    warnings.push('provider.endpointType: PRIVATE is not enforced here: this machine alone reaches the API');
  }
  return {
    closedRoutes: leftOut.flatMap(({ routes }) => routes),
    ...(provider.apiGateway?.minimumCompressionSize === undefined
      ? {}
      : { minimumCompressionSize: provider.apiGateway.minimumCompressionSize }),
    usagePlans,
    apiKeys,
    apiKeySource: provider.apiGateway?.apiKeySourceType?.toUpperCase() === 'AUTHORIZER' ? 'AUTHORIZER' : 'HEADER',
    ...(variables.length > 0 ? { stageVariables: Object.fromEntries(variables) } : {}),
    ...(httpApiRoutes.length + closedHttpApiRoutes.length > 0
      ? {
          httpApi: {
            ...readHttpApi(
              `${serverless.getProvider('aws').getStage()}-${serverless.service.service}`,
              httpApiRoutes,
              reading,
            ),
            closedRoutes: closedHttpApiRoutes,
          },
        }
      : {}),
  };
}
