import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startQueues } from '../../src/lambda/queues.ts';
import type { LocalQueue, LocalService } from '../../src/service/model.ts';
import { bench, lambda, until } from './platform.ts';

const ministack = process.env.MINISTACK ?? 'ministack';
const isMissing = spawnSync(ministack, ['--help']).status !== 0;

const sampleFiles = {
  'app.js': `exports.handler = async ({ Records }) => {
    for (const { body, messageAttributes } of Records) console.log('got', body, messageAttributes.kind?.stringValue ?? '');
    return { batchItemFailures: Records.filter(({ body }) => body === 'bad').map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };`,
};

describe.skipIf(isMissing)('a function with a queue, polled at ministack (skipped where it is not installed)', () => {
  let emulator: ChildProcess;
  let endpoint: string;
  let client: SQSClient;

  beforeAll(async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    await new Promise((resolve) => server.close(resolve));
    emulator = spawn(ministack, [], { env: { ...process.env, GATEWAY_PORT: String(port) }, stdio: 'ignore' });
    endpoint = `http://127.0.0.1:${port}`;
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    client = new SQSClient({ endpoint, region: 'eu-west-1', credentials, maxAttempts: 1 });
    await until(() =>
      fetch(endpoint)
        .then(() => true)
        .catch(() => false),
    );
  });
  afterAll(() => {
    client?.destroy();
    emulator?.kill('SIGKILL');
  });

  async function polled(name: string, more: Partial<LocalQueue> = {}) {
    const { QueueUrl } = await client.send(
      new CreateQueueCommand({ QueueName: name, Attributes: { VisibilityTimeout: '1' } }),
    );
    const arn = `arn:aws:sqs:eu-west-1:123456789012:${name}`;
    const queue: LocalQueue = { arn, endpoint, batchSize: 10, reportsFailures: false, ...more };
    const functions = [lambda({ queues: [queue], timeoutSeconds: 10 })];
    const started = await bench({ files: sampleFiles, functions });
    const sentences: string[] = [];
    const poll = async () => {
      const service = { region: 'eu-west-1', functions } as LocalService;
      const report = (sentence: string) => void sentences.push(sentence);
      const running = await startQueues({ service, platform: started.platform, report });
      onTestFinished(() => running.stop());
    };
    const waiting = async () => {
      const AttributeNames = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const;
      const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] });
      const { Attributes = {} } = await client.send(command);
      return AttributeNames.reduce((sum, attribute) => sum + Number(Attributes[attribute] ?? 0), 0);
    };
    return { ...started, QueueUrl, poll, waiting, sentences };
  }

  it('gets its messages in a batch, which are gone afterwards', async () => {
    const { QueueUrl, poll, logged, waiting, sentences, sink } = await polled('work');
    const Entries = ['one', 'two'].map((MessageBody) => ({
      Id: MessageBody,
      MessageBody,
      MessageAttributes: { kind: { DataType: 'String', StringValue: 'greeting' } },
    }));
    await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    await poll();
    await logged(/got one greeting/);
    await logged(/got two greeting/);
    await until(async () => (await waiting()) === 0);
    expect(sink.segments.some(({ origin }) => origin === 'AWS::Lambda::Function')).toBe(true);
    expect(sentences).toEqual([]);
  });

  it('gets again what it reports as failed, and nothing else', async () => {
    const { QueueUrl, poll, sink } = await polled('partial', { reportsFailures: true });
    const Entries = ['good', 'bad'].map((MessageBody) => ({ Id: MessageBody, MessageBody }));
    await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    await poll();
    const times = (body: string) => sink.logs.filter(({ message }) => message.includes(`got ${body}`)).length;
    await until(() => times('bad') >= 2);
    expect(times('good')).toBe(1);
  });

  it("goes on with its sender's trace", async () => {
    const { QueueUrl, poll, sink } = await polled('traced');
    const root = '1-67891233-abcdef012345678912345678';
    const header = `Root=${root};Parent=53995c3f42cd8ad8;Sampled=1`;
    const MessageSystemAttributes = { AWSTraceHeader: { DataType: 'String', StringValue: header } } as const;
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x', MessageSystemAttributes }));
    await poll();
    const segment = await until(() => sink.segments.find(({ origin }) => origin === 'AWS::Lambda'));
    expect(segment).toMatchObject({ trace_id: root, parent_id: '53995c3f42cd8ad8' });
  });
});

describe('a queue that cannot be polled', () => {
  it('is named once, with its address and the reason', async () => {
    const queue = { arn: 'arn:aws:sqs:eu-west-1:123456789012:gone', endpoint: 'http://127.0.0.1:9', batchSize: 1 };
    const functions = [lambda({ queues: [{ ...queue, reportsFailures: false }] })];
    const { platform } = await bench({ files: sampleFiles, functions });
    const sentences: string[] = [];
    const service = { region: 'eu-west-1', functions } as LocalService;
    const running = await startQueues({ service, platform, report: (sentence) => sentences.push(sentence) });
    onTestFinished(() => running.stop());
    await until(() => sentences.length > 0);
    expect(sentences).toEqual([
      expect.stringMatching(/^main: arn:aws:sqs:.*:gone cannot be polled at http:\/\/127\.0\.0\.1:9: /),
    ]);
  });
});
