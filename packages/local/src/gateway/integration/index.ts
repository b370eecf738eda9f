import type { GatewayAnswer } from '../answer.ts';
import { gatewayErrors } from '../responses/gateway-responses.ts';
import type { RestCall } from '../rest-api/rest-call.ts';
import { integrateHttp, integrateHttpProxy } from './http.ts';
import type { IntegrationResult } from './invoke.ts';
import { integrateLambda, integrateMock } from './lambda.ts';
import { integrateLambdaProxy } from './lambda-proxy.ts';

/** Answers a request by what its route integrates with. Never rejects. */
export function integrate(call: RestCall, body: Buffer): Promise<IntegrationResult<GatewayAnswer>> {
  const { integration } = call.route;
  switch (integration?.kind) {
    case undefined:
      return integrateLambdaProxy(call, body);
    case 'lambda':
      return integrateLambda(call, integration, body);
    case 'mock':
      return integrateMock(call, integration, body);
    case 'http':
      return integrateHttp(call, integration, body);
    case 'http-proxy':
      return integrateHttpProxy(call, integration, body);
    case 'unserved':
      call.gateway.sink.rejected('gateway', 'An integration cannot be served here.', integration.reason);
      return Promise.resolve({ answer: gatewayErrors.configuration, coldStart: false });
  }
}
