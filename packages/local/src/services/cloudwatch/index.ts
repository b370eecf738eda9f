import { randomUUID } from 'node:crypto';
import { HttpError } from '../../http/http-error.ts';
import { isObject, type JsonObject, parseJson } from '../../receiver/json.ts';
import {
  json,
  type Receiver,
  type ReceiverAnswer,
  type ReceiverLimits,
  type ReceiverRequest,
} from '../../receiver/receiver.ts';
import type { LogReads } from '../../store/log-events.ts';
import { ReadTimeout } from '../../store/read-connections.ts';
import type { TelemetrySink } from '../../trace/records.ts';
import { withEmf } from './emf.ts';
import { insightsOperations, MalformedQuery } from './insights/operations.ts';
import { describeOperations } from './logs/describe.ts';
import type { Operations } from './logs/input.ts';
import { LogGroups } from './logs/log-groups.ts';
import { readOperations } from './logs/read-events.ts';
import { writeOperations } from './logs/write.ts';

const receiverName = 'cloudwatch';
const ownTarget = 'Logs_20140328.';
const contentType = 'application/x-amz-json-1.1';

export interface CloudWatchReads {
  /** The store; without it CloudWatch can only be written to. */
  store: LogReads;
  /** The log groups of the service's functions, which exist before the first line. */
  logGroups?: readonly string[];
}

/**
 * CloudWatch Logs: AWS JSON 1.1 with `X-Amz-Target: Logs_20140328.<operation>`. An operation that
 * is not here is refused by name. Signatures are not checked.
 */
export function cloudWatchLogsReceiver(
  target: TelemetrySink,
  limits: ReceiverLimits,
  reads?: CloudWatchReads,
): Receiver {
  const sink = withEmf(target);
  const groups = new LogGroups(reads?.logGroups, reads?.store);
  const operations: Operations = {
    ...writeOperations(sink, groups),
    ...describeOperations(groups),
    ...(reads && { ...readOperations(reads.store, groups), ...insightsOperations(reads.store, groups) }),
  };

  return {
    name: receiverName,
    handles: (request) => String(request.headers['x-amz-target'] ?? '').startsWith(ownTarget),
    async answer(request) {
      const operation = String(request.headers['x-amz-target']).slice(ownTarget.length);
      if (request.method !== 'POST')
        throw new HttpError(405, `${operation} is called by POST.`, 'SerializationException');
      const run = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
      if (!run) {
        const supported = Object.keys(operations).join(', ');
        throw new HttpError(
          400,
          `${operation} is not supported by this endpoint, which takes ${supported}.`,
          'UnsupportedOperationException',
        );
      }
      const input = parseJson(await request.body(), limits);
      if (!isObject(input)) throw new HttpError(400, 'The input is not a JSON object.', 'SerializationException');
      try {
        return answered(200, await run(input, regionOf(request)));
      } catch (error) {
        // Tried again it would take as long again.
        if (error instanceof ReadTimeout) throw new HttpError(400, error.message, 'InvalidOperationException');
        throw error;
      }
    },
    refuse: (error) =>
      answered(error.status, {
        __type: error.code ?? (error.status === 500 ? 'ServiceUnavailableException' : 'SerializationException'),
        message: error.message,
        ...(error instanceof MalformedQuery && { queryCompileError: error.queryCompileError }),
      }),
  };
}

function answered(status: number, body: JsonObject): ReceiverAnswer {
  const answer = json(status, body, contentType);
  return { ...answer, headers: { ...answer.headers, 'x-amzn-requestid': randomUUID() } };
}

/** The region is the one that the request was signed for. */
function regionOf(request: ReceiverRequest): string {
  return /Credential=[^/]+\/\d+\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? 'us-east-1';
}
