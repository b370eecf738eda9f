import { existsSync } from 'node:fs';
import type { LocalFunction } from '../model.ts';
import type { Reading } from '../reading.ts';
import type { LocalAuthorizer } from './api-model.ts';

/**
 * Warns once of each guard that refuses every request or lets every request pass, with the routes
 * that it stands before; of settings that no guard reads; and of what else an API does otherwise
 * than on AWS.
 */
export function nameGuards(functions: LocalFunction[], { serverless, context, warnings }: Reading): void {
  const keys = new Set(functions.map(({ key }) => key));
  const guarded = functions.flatMap((lambda) => [
    ...lambda.routes.map(({ method, path, authorizer }) => ({ route: `${method} ${path}`, authorizer })),
    ...(lambda.httpApiRoutes ?? []).map(({ method, path, authorizer }) => ({ route: `${method} ${path}`, authorizer })),
    ...(lambda.url ? [{ route: `the URL of ${lambda.key}`, authorizer: lambda.url.authorizer }] : []),
  ]);
  const sentences = new Map<string, string[]>();
  for (const { route, authorizer } of guarded) {
    const sentence = authorizer && guardSentence(authorizer, keys);
    if (sentence) sentences.set(sentence, [...(sentences.get(sentence) ?? []), route]);
  }
  for (const [sentence, routes] of sentences) warnings.push(`${sentence} (${routes.join(', ')})`);

  const names = new Set(guarded.map(({ authorizer }) => authorizer?.name));
  for (const name of Object.keys(serverless.service.custom?.local?.authorizers ?? {})) {
    if (!names.has(name)) warnings.push(`custom.local.authorizers.${name} has no effect: no route has that authorizer`);
  }
  if (Object.values(context.resources).some(({ Type }) => Type === 'AWS::ApiGateway::UsagePlan')) {
    warnings.push('The usage plans of resources are not enforced here, those of provider.apiGateway.usagePlan are');
  }
  for (const { routes } of functions) {
    for (const { method, path, integration } of routes) {
      if (integration?.kind === 'unserved') warnings.push(`${method} ${path} answers 500: ${integration.reason}`);
    }
  }
  const streaming = functions.flatMap(({ key, routes, url }) => [
    ...routes.filter(({ streams }) => streams).map(({ method, path }) => `${method} ${path}`),
    ...(url?.invokeMode === 'RESPONSE_STREAM' ? [`the URL of ${key}`] : []),
  ]);
  if (streaming.length > 0) {
    warnings.push(`These stream on AWS; here an answer comes as a whole: ${streaming.join(', ')}`);
  }
}

function guardSentence(authorizer: LocalAuthorizer, functionKeys: Set<string>): string | undefined {
  const { name } = authorizer;
  switch (authorizer.kind) {
    case 'refused':
      return `Authorizer ${name} refuses every request: ${authorizer.reason}`;
    case 'open':
      return `Authorizer ${name} lets every request pass, as custom.local.authorizers says`;
    case 'lambda':
      if (functionKeys.has(authorizer.functionKey)) return undefined;
      return `Authorizer ${name} refuses every request: its function ${authorizer.functionKey} does not run here`;
    case 'jwt': {
      const { keys } = authorizer;
      if (keys === undefined || /^https?:/.test(keys) || existsSync(keys)) return undefined;
      return `Authorizer ${name} refuses every request: custom.local.authorizers.${name}.keys is ${keys}, which is not there`;
    }
  }
}
