import { setTimeout as sleep } from 'node:timers/promises';
import type { Message, SQSClient } from '@aws-sdk/client-sqs';
import type { LocalFunction, LocalQueue, LocalService } from '../service/model.ts';
import { parseTraceHeader, type TraceContext } from '../trace/trace-header.ts';
import { newRoot } from '../trace/trace-id.ts';
import type { InvokeResult, LambdaPlatform } from './invocation/types.ts';

export interface QueueOptions {
  service: LocalService;
  platform: LambdaPlatform;
  /** Told when a queue cannot be polled, and when it can be again, with a sentence. */
  report(sentence: string): void;
}

/** Long polling, as Lambda does it. */
const waitSeconds = 20;
const retryMilliseconds = 5000;

/**
 * Polls the queues of functions whose environment names an SQS endpoint, and delivers what they
 * hold in batches.
 * @returns what ends it; a batch that a function works on is not waited for.
 */
export async function startQueues(options: QueueOptions): Promise<{ stop(): Promise<void> }> {
  const ended = new AbortController();
  const polled = options.service.functions.flatMap((lambda) =>
    (lambda.queues ?? []).map((queue) => ({ lambda, queue })),
  );
  if (polled.length === 0) return { stop: async () => {} };
  const sdk = await import('@aws-sdk/client-sqs');
  const clients = new Map<string, SQSClient>();
  for (const { lambda, queue } of polled) {
    const { endpoint } = queue;
    const client =
      clients.get(endpoint) ??
      new sdk.SQSClient({
        endpoint,
        region: options.service.region,
        credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
        maxAttempts: 1,
      });
    clients.set(endpoint, client);
    void poll({ ...options, sdk, client, lambda, queue, signal: ended.signal });
  }
  return {
    stop: async () => {
      ended.abort();
      for (const client of clients.values()) client.destroy();
    },
  };
}

interface Polling extends QueueOptions {
  sdk: typeof import('@aws-sdk/client-sqs');
  client: SQSClient;
  lambda: LocalFunction;
  queue: LocalQueue;
  signal: AbortSignal;
}

/** Runs until the end. Never rejects. */
async function poll(polling: Polling): Promise<void> {
  const { queue, lambda, report, signal } = polling;
  let isFailing = false;
  while (!signal.aborted) {
    try {
      await deliverBatch(polling);
      if (isFailing) report(`${lambda.key}: ${queue.arn} is polled again.`);
      isFailing = false;
    } catch (error) {
      if (signal.aborted) return;
      if (!isFailing)
        report(`${lambda.key}: ${queue.arn} cannot be polled at ${queue.endpoint}: ${(error as Error).message}`);
      isFailing = true;
      await sleep(retryMilliseconds, undefined, { signal, ref: false }).catch(() => {});
    }
  }
}

async function deliverBatch({ sdk, client, lambda, queue, service, platform, signal }: Polling): Promise<void> {
  const QueueName = queue.arn.split(':').at(-1) ?? '';
  const { QueueUrl } = await client.send(new sdk.GetQueueUrlCommand({ QueueName }), { abortSignal: signal });
  const receive = new sdk.ReceiveMessageCommand({
    QueueUrl,
    MaxNumberOfMessages: queue.batchSize,
    WaitTimeSeconds: waitSeconds,
    MessageSystemAttributeNames: ['All'],
    MessageAttributeNames: ['All'],
  });
  const { Messages: messages = [] } = await client.send(receive, { abortSignal: signal });
  if (messages.length === 0) return;
  const Records = messages.map((message) => recordOf(message, queue, service.region));
  const result = await platform.invoke(lambda.key, {
    payload: JSON.stringify({ Records }),
    trace: traceOf(messages),
    signal,
  });
  // A message that stays comes again after its visibility timeout.
  const done = succeeded(messages, result, queue);
  if (done.length === 0) return;
  const Entries = done.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle: ReceiptHandle ?? '' }));
  await client.send(new sdk.DeleteMessageBatchCommand({ QueueUrl, Entries }), { abortSignal: signal });
}

function recordOf(message: Message, queue: LocalQueue, awsRegion: string): Record<string, unknown> {
  const attributes = Object.entries(message.MessageAttributes ?? {}).map(([name, attribute]) => [
    name,
    {
      ...(attribute.StringValue !== undefined && { stringValue: attribute.StringValue }),
      ...(attribute.BinaryValue && { binaryValue: Buffer.from(attribute.BinaryValue).toString('base64') }),
      stringListValues: [],
      binaryListValues: [],
      dataType: attribute.DataType,
    },
  ]);
  return {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: message.Attributes ?? {},
    messageAttributes: Object.fromEntries(attributes),
    md5OfBody: message.MD5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: queue.arn,
    awsRegion,
  };
}

/** Messages of one sender's trace go on in it; a batch of several is a trace of its own. */
function traceOf(messages: readonly Message[]): TraceContext {
  const headers = messages.map((message) => parseTraceHeader(message.Attributes?.AWSTraceHeader));
  const [first] = headers;
  if (!first || headers.some((header) => header?.root !== first.root)) return { root: newRoot(), sampled: true };
  return { ...first, sampled: first.sampled ?? true };
}

/**
 * @returns the messages that are done with: all, none, or those that the function does not report
 * as failed.
 */
function succeeded(messages: Message[], { error, payload }: InvokeResult, queue: LocalQueue): Message[] {
  if (error) return [];
  if (!queue.reportsFailures) return messages;
  const failures: unknown = (JSON.parse(payload) as { batchItemFailures?: unknown } | null)?.batchItemFailures ?? [];
  if (!Array.isArray(failures)) return [];
  const ids = failures.map((failure: { itemIdentifier?: unknown } | null) => failure?.itemIdentifier);
  // Lambda takes an ID that it does not know for the failure of the whole batch.
  const known = new Set<unknown>(messages.map(({ MessageId }) => MessageId));
  return ids.every((id) => known.has(id)) ? messages.filter(({ MessageId }) => !ids.includes(MessageId)) : [];
}
