import type { TraceContext } from '../trace-context.ts';
import type { ApiIdentity } from './api.ts';
import type { TemplateValues } from './gateway-responses.ts';
import { commonLogTime } from './proxy-event.ts';
import { type GatewayRequest, lastValue, parseQuery } from './request.ts';
import type { RouteMatch } from './routes.ts';

/**
 * What a gateway response's template or parameter can name of a request
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html#context-variable-reference).
 * `xrayTraceId` is the Root.
 */
export function templateValues(
  request: GatewayRequest,
  path: string,
  match: RouteMatch | undefined,
  api: ApiIdentity,
  trace: TraceContext,
  ids: { requestId: string; extendedRequestId: string },
): TemplateValues {
  return {
    context: {
      ...ids,
      accountId: api.accountId,
      apiId: api.id,
      domainName: request.host,
      domainPrefix: api.id,
      httpMethod: request.method,
      'identity.sourceIp': request.sourceIp,
      'identity.userAgent': lastValue(request, 'user-agent') ?? '',
      path: `/${api.stage}${path}`,
      protocol: request.protocol,
      requestTime: commonLogTime(request.time),
      requestTimeEpoch: String(request.time),
      resourcePath: match?.resource.path ?? '',
      stage: api.stage,
      xrayTraceId: trace.root,
    },
    header: (name) => lastValue(request, name.toLowerCase()),
    query: (name) => parseQuery(request.query).findLast(([key]) => key === name)?.[1],
    path: (name) => match?.pathParameters?.[name],
  };
}
