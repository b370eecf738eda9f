import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { traceIdOf } from '../trace/trace-id.ts';
import { extendedRequestId } from './api-identity.ts';
import { type ChosenApi, chooseApi } from './choose-api.ts';
import { maxEventBytes, readBody } from './event-body.ts';
import type { Call, Gateway, Served } from './gateway.ts';
import { readRequest } from './gateway-request.ts';
import { serveFunctionUrl } from './http-api/function-url.ts';
import { serveHttpApi } from './http-api/serve.ts';
import { writeAnswer } from './responses/write-answer.ts';
import { serveRestApi } from './rest-api/serve.ts';
import { decideTrace } from './tracing/trace-decision.ts';

/**
 * Serves one request from its headers to its answer: which trace it belongs to, which API answers
 * it, and the line of it. Rejects for nothing that the client or the function does.
 * @param expecting the client waits for `100 Continue` before it sends its body
 * @param ending aborts when nothing more is to be waited for: the gateway stops, or the rest of
 *   the request makes no sense
 */
export async function exchange(
  gateway: Gateway,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  expecting: boolean,
  ending: AbortSignal,
): Promise<void> {
  const started = performance.now();
  const received = readRequest(incoming, Date.now());
  const chosen = chooseApi(gateway, received);
  const request = chosen.api === 'url' ? { ...received, path: chosen.path } : received;
  const decision = decideTrace(request, gateway.api, chosen.api === 'rest' ? gateway.sampler : gateway.lambdaSampler);
  // A call that still waits for an environment is dropped once nobody waits for it.
  const caller = new AbortController();
  outgoing.once('close', () => caller.abort());
  let waiting = expecting;
  const call: Call = {
    gateway,
    incoming,
    request,
    ids: { requestId: randomUUID(), extendedRequestId: extendedRequestId() },
    decision,
    readBody() {
      const length = Number(incoming.headers['content-length'] ?? 0);
      if (waiting && length <= maxEventBytes) {
        outgoing.writeContinue();
        waiting = false;
      }
      return readBody(incoming, ending);
    },
    ending,
    caller: caller.signal,
  };
  const { answer, functionKey, coldStart = false } = await serve(call, chosen);
  caller.abort();
  writeAnswer(incoming, outgoing, answer, ending);
  gateway.onRequest({
    time: request.time,
    method: request.method,
    path: received.path,
    ...(request.query ? { query: request.query } : {}),
    status: answer.status,
    durationMilliseconds: performance.now() - started,
    coldStart,
    traceId: traceIdOf(decision.trace.root),
    ...(functionKey ? { functionKey } : {}),
  });
}

function serve(call: Call, chosen: ChosenApi): Promise<Served> {
  switch (chosen.api) {
    case 'rest':
      return serveRestApi(call);
    case 'http':
      return serveHttpApi(call, chosen.match);
    case 'url':
      return serveFunctionUrl(call, chosen.lambda);
  }
}
