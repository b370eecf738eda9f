import type { LocalIntegration } from '../../service/apis/api-model.ts';
import type { GatewayAnswer } from '../answer.ts';
import { maxEventBytes } from '../event-body.ts';
import { gatewayErrors } from '../responses/gateway-responses.ts';
import type { RestCall } from '../rest-api/rest-call.ts';
import { type IntegrationResult, invokeFunction, traceBelow } from './invoke.ts';
import { mapRequest, mapResponse } from './mapping.ts';
import { noOverrides } from './mapping-template.ts';

type Integration<Kind extends LocalIntegration['kind']> = Extract<LocalIntegration, { kind: Kind }>;
type Result = Promise<IntegrationResult<GatewayAnswer>>;

/**
 * `integration: lambda`: the request template makes the event, and the function's answer, or its
 * error, chooses the response that maps it. With `async` the caller is answered at once and nobody
 * waits for the function.
 */
export async function integrateLambda(call: RestCall, integration: Integration<'lambda'>, body: Buffer): Result {
  const overrides = noOverrides();
  const payload = mapRequest(call, integration, body.toString('utf8'), overrides);
  if (typeof payload !== 'string') return { answer: payload, coldStart: false };
  if (!isJson(payload)) {
    const where = `${call.route.method} ${call.route.path}`;
    call.gateway.sink.rejected(
      'gateway',
      'A request template rendered invalid JSON for Lambda.',
      `${where}: ${payload.slice(0, 200)}`,
    );
    return {
      answer: { ...gatewayErrors.badRequest, message: 'Could not parse request body into json' },
      coldStart: false,
    };
  }
  if (integration.async) {
    const error = invokeLater(call, payload);
    const back = { body: '', headers: {} };
    return { answer: error ?? mapResponse(call, integration.responses, '', back, overrides), coldStart: false };
  }
  const invoked = await invokeFunction(call, () => payload);
  if ('error' in invoked) return { answer: invoked.error, coldStart: false };
  const { result } = invoked;
  const message = result.error ? errorMessage(result.payload) : '';
  const back = { body: result.payload, headers: {} };
  return {
    answer: mapResponse(call, integration.responses, message, back, overrides),
    coldStart: result.coldStart,
  };
}

/** `integration: mock`: the request template says the status, which chooses the response. */
export async function integrateMock(call: RestCall, integration: Integration<'mock'>, body: Buffer): Result {
  const overrides = noOverrides();
  const request = mapRequest(call, integration, body.toString('utf8'), overrides);
  if (typeof request !== 'string') return { answer: request, coldStart: false };
  // CDK and others write `{statusCode: 200}`, which API Gateway takes.
  const status = /["']?statusCode["']?\s*:\s*(\d{3})\b/.exec(request)?.[1];
  if (status === undefined) return { answer: gatewayErrors.configuration, coldStart: false };
  const back = { body: '', headers: {} };
  return { answer: mapResponse(call, integration.responses, status, back, overrides), coldStart: false };
}

function invokeLater({ gateway, lambda, segment, decision }: RestCall, payload: string) {
  if (Buffer.byteLength(payload) > maxEventBytes) return gatewayErrors.eventTooLarge;
  const subsegment = segment.beginFunction(lambda);
  gateway.lambda
    .invoke(lambda.key, { payload, trace: traceBelow(decision.trace, subsegment.id) })
    .catch((error: unknown) => {
      gateway.sink.rejected('gateway', 'A function could not be invoked.', `${lambda.key}: ${String(error)}`);
    });
  subsegment.end({ status: 202, length: 0 });
  return undefined;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function errorMessage(payload: string): string {
  try {
    const { errorMessage: message } = JSON.parse(payload) as { errorMessage?: unknown };
    return typeof message === 'string' ? message : '';
  } catch {
    return '';
  }
}
