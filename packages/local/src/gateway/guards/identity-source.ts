import { type GatewayRequest, lastValue, parseQuery } from '../gateway-request.ts';

/** Values that an identity source may name beside the request itself. */
export interface SourceContext {
  /** `$context.…`, without the prefix. */
  context: Record<string, string>;
  stageVariables: Record<string, string>;
}

const sourcePattern = /^\$?(?:method\.)?(request\.header|request\.querystring|context|stageVariables)\.(.+)$/;

/**
 * @returns the value of one identity source (`method.request.header.X`, `$request.querystring.x`,
 * …), or undefined where it is absent or empty.
 */
export function identityValue(source: string, request: GatewayRequest, more: SourceContext): string | undefined {
  const [, place, name = ''] = sourcePattern.exec(source) ?? [];
  switch (place) {
    case 'request.header':
      return lastValue(request, name.toLowerCase()) || undefined;
    case 'request.querystring':
      return parseQuery(request.query).findLast(([key]) => key === name)?.[1] || undefined;
    case 'context':
      return (Object.hasOwn(more.context, name) ? more.context[name] : undefined) || undefined;
    case 'stageVariables':
      return (Object.hasOwn(more.stageVariables, name) ? more.stageVariables[name] : undefined) || undefined;
    default:
      return undefined;
  }
}
