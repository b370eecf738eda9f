import type { LocalQueue } from '../model.ts';
import { type Reading, resolved } from '../reading.ts';
import type { ServerlessFunction } from '../serverless.ts';

/** An `sqs` event as Serverless takes it. */
interface QueueEvent {
  arn?: unknown;
  batchSize?: number;
  enabled?: boolean;
  functionResponseType?: string;
  filterPatterns?: unknown;
}

const defaultBatchSize = 10;
/** What ReceiveMessage gives at most. */
const maximumBatchSize = 10;

/**
 * @param environment the function's variables and those of `custom.local.environment`.
 * @returns the queues of a function that are polled here: those of a service that names where its
 *   queues are.
 */
export function readQueues(
  key: string,
  lambda: ServerlessFunction,
  environment: Record<string, string>,
  reading: Reading,
): { queues?: LocalQueue[] } {
  const endpoint = environment.AWS_ENDPOINT_URL_SQS ?? environment.AWS_ENDPOINT_URL;
  if (!endpoint) return {};
  const queues = (lambda.events ?? []).flatMap((event) => {
    const given: unknown = typeof event === 'object' ? event.sqs : undefined;
    if (given === undefined || given === null) return [];
    const isObject = typeof given === 'object' && 'arn' in given;
    return readQueue(key, isObject ? (given as QueueEvent) : { arn: given }, endpoint, reading);
  });
  return queues.length > 0 ? { queues } : {};
}

function readQueue(key: string, event: QueueEvent, endpoint: string, reading: Reading): LocalQueue[] {
  if (event.enabled === false) return [];
  const arn = resolved(event.arn, reading);
  if (!('value' in arn) || typeof arn.value !== 'string') {
    const reason = 'unknown' in arn ? arn.unknown : 'its ARN is not a text';
    reading.warnings.push(`functions.${key}: a queue is not polled here: ${reason}`);
    return [];
  }
  if (event.filterPatterns !== undefined) {
    reading.warnings.push(
      `functions.${key}: filterPatterns of a queue are not applied here: each message is delivered`,
    );
  }
  return [
    {
      arn: arn.value,
      endpoint,
      batchSize: Math.min(event.batchSize ?? defaultBatchSize, maximumBatchSize),
      reportsFailures: event.functionResponseType === 'ReportBatchItemFailures',
    },
  ];
}
