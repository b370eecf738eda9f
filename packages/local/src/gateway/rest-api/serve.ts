import type { GatewayAnswer } from '../answer.ts';
import { maxBodyBytes } from '../event-body.ts';
import type { Call, Served } from '../gateway.ts';
import { headerBytes, lastValue, maxHeaderBytes } from '../gateway-request.ts';
import { integrate } from '../integration/index.ts';
import { type GatewayError, gatewayAnswer, gatewayErrors, templateValues } from '../responses/gateway-responses.ts';
import { preflightAnswer } from '../responses/preflight.ts';
import { route } from '../routes.ts';
import { beginStageSegment, noStageSegment, type StageSegment } from '../tracing/stage-segment.ts';
import { admit } from './admit.ts';
import { compressAnswer, inflateBody } from './compression.ts';
import type { RestCall } from './rest-call.ts';

interface Outcome {
  answer: GatewayAnswer | GatewayError;
  functionKey?: string;
  coldStart?: boolean;
  /** The authorizer's context, for the templates of gateway responses. */
  authorizer?: Record<string, unknown>;
}

/**
 * Answers a request as the REST API does: its route, the guards before it, its integration, the
 * error where one of them makes one, and the segment of the stage around it all. The segment ends
 * also when the client has gone.
 */
export async function serveRestApi(call: Call): Promise<Served> {
  const { gateway, request, ids, decision } = call;
  const { service, api, sink, router } = gateway;
  const { trace } = decision;
  const segment: StageSegment =
    service.gateway.tracing && trace.sampled
      ? beginStageSegment(sink, api, request, decision, { ...ids, untracedOnAws: service.gateway.untracedOnAws })
      : noStageSegment(trace.parent);
  const { path, match } = route(router, api.stage, request.path);
  const { answer: raw, functionKey, coldStart, authorizer } = await outcome();
  const accept = lastValue(request, 'accept');
  const answer =
    'errorType' in raw
      ? gatewayAnswer(
          raw,
          service.gateway.responses,
          templateValues(request, path, match, api, trace, ids, authorizer),
          accept,
        )
      : compressAnswer(raw, service.gateway.minimumCompressionSize, lastValue(request, 'accept-encoding'));
  const parent = trace.parent ?? segment.id;
  const own: GatewayAnswer['headers'] = [
    ['x-amzn-RequestId', ids.requestId],
    ['x-amz-apigw-id', ids.extendedRequestId],
    [
      'X-Amzn-Trace-Id',
      `Root=${trace.root}${parent ? `;Parent=${parent}` : ''};Sampled=${trace.sampled ? 1 : 0}${trace.rest ? `;${trace.rest}` : ''}`,
    ],
  ];
  // The gateway's own win over what a function set under the same names.
  const reserved = new Set(own.map(([name]) => name.toLowerCase()));
  answer.headers = [...answer.headers.filter(([name]) => !reserved.has(name.toLowerCase())), ...own];
  // Before the answer is written: whoever has it can read the trace.
  segment.end(answer.status, answer.body.length);
  return { answer, ...(functionKey ? { functionKey } : {}), ...(coldStart ? { coldStart } : {}) };

  async function outcome(): Promise<Outcome> {
    if (headerBytes(call.incoming) > maxHeaderBytes) return { answer: gatewayErrors.headersTooLarge };
    const cors = match?.resource.cors;
    const method = match?.resource.methods.get(request.method);
    if (request.method === 'OPTIONS' && cors && !method) {
      return { answer: preflightAnswer(cors, lastValue(request, 'origin')) };
    }
    const target = method ?? match?.resource.methods.get('ANY');
    if (!match || !target) return { answer: gatewayErrors.noRoute };

    const { lambda, route: matched } = target;
    if (!lambda) return { answer: gatewayErrors.functionFailed };
    const rest: RestCall = { ...call, path, match, lambda, route: matched, segment, admission: {} };
    const functionKey = lambda.key;
    const admitted = await admit(rest);
    const authorizer = admitted.admission.authorizer ?? {};
    if (admitted.error) return { answer: admitted.error, functionKey, authorizer };

    const reading = await call.readBody();
    if (reading.kind === 'aborted') return { answer: gatewayErrors.badRequest, functionKey };
    if (reading.kind === 'too-large') {
      const error = (reading.declared ?? 0) > maxBodyBytes ? gatewayErrors.bodyTooLarge : gatewayErrors.eventTooLarge;
      return { answer: error, functionKey };
    }
    const body = inflateBody(request, reading.body, service.gateway.minimumCompressionSize);
    if (!Buffer.isBuffer(body)) return { answer: body, functionKey };
    const { validation } = matched;
    const invalid = validation && gateway.validate(validation, request, match.pathParameters, body);
    if (invalid) return { answer: invalid, functionKey, authorizer };

    const result = await integrate({ ...rest, admission: admitted.admission }, body);
    return { answer: result.answer, functionKey, coldStart: result.coldStart, authorizer };
  }
}
