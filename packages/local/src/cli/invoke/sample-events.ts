import { createHash, randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';

type Json = Record<string, unknown>;

const ownRegion = 'us-east-1';
const ownAccount = '123456789012';

/**
 * A small event of each source, in the form in which AWS delivers it, by the name of the event in
 * serverless.yml.
 */
export const sampleEvents: Readonly<Record<string, (now: Date) => Json>> = {
  sqs: (now) => ({ Records: [sqsRecord('first', now), sqsRecord('second', now)] }),
  sns: (now) => ({ Records: [{ EventSource: 'aws:sns', EventVersion: '1.0', ...snsRecord(now) }] }),
  s3: (now) => ({ Records: [s3Record(now)] }),
  dynamodb: (now) => ({ Records: [dynamodbRecord(now, 1), dynamodbRecord(now, 2)] }),
  kinesis: (now) => ({ Records: [kinesisRecord(now, 1), kinesisRecord(now, 2)] }),
  eventBridge: (now) => eventBridgeEvent(now, 'sample.event', 'sample.service', { key: 'value' }, []),
  cloudwatchEvent: (now) => eventBridgeEvent(now, 'sample.event', 'sample.service', { key: 'value' }, []),
  cloudwatchLog: (now) => {
    const logEvents = [{ id: '1', timestamp: now.getTime(), message: 'sample' }];
    const data = { messageType: 'DATA_MESSAGE', owner: ownAccount, logGroup: '/sample', logStream: 'sample' };
    const document = { ...data, subscriptionFilters: ['sample'], logEvents };
    return { awslogs: { data: gzipSync(JSON.stringify(document)).toString('base64') } };
  },
  schedule: (now) =>
    eventBridgeEvent(now, 'Scheduled Event', 'aws.events', {}, [
      `arn:aws:events:${ownRegion}:${ownAccount}:rule/sample`,
    ]),
  websocket: (now) => ({
    requestContext: {
      routeKey: '$default',
      eventType: 'MESSAGE',
      messageDirection: 'IN',
      messageId: 'sample-message=',
      connectionId: 'sample-connection=',
      connectedAt: now.getTime(),
      requestTimeEpoch: now.getTime(),
      requestId: randomUUID(),
      extendedRequestId: randomUUID(),
      apiId: 'sampleapi',
      stage: 'dev',
      domainName: `sampleapi.execute-api.${ownRegion}.amazonaws.com`,
      identity: { sourceIp: '127.0.0.1' },
    },
    body: '{"action":"sample"}',
    isBase64Encoded: false,
  }),
  alb: () => ({
    requestContext: {
      elb: {
        targetGroupArn: `arn:aws:elasticloadbalancing:${ownRegion}:${ownAccount}:targetgroup/sample/0123456789abcdef`,
      },
    },
    httpMethod: 'GET',
    path: '/sample',
    queryStringParameters: { key: 'value' },
    headers: {
      accept: '*/*',
      host: 'sample.example.com',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'https',
    },
    body: '',
    isBase64Encoded: false,
  }),
};

function sqsRecord(name: string, now: Date): Json {
  const body = JSON.stringify({ name });
  return {
    messageId: randomUUID(),
    receiptHandle: 'sample-receipt-handle',
    body,
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: String(now.getTime()),
      SenderId: 'AIDASAMPLE',
      ApproximateFirstReceiveTimestamp: String(now.getTime() + 1),
    },
    messageAttributes: {},
    md5OfBody: createHash('md5').update(body).digest('hex'),
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:${ownRegion}:${ownAccount}:sample-queue`,
    awsRegion: ownRegion,
  };
}

function snsRecord(now: Date): Json {
  const topic = `arn:aws:sns:${ownRegion}:${ownAccount}:sample-topic`;
  return {
    EventSubscriptionArn: `${topic}:${randomUUID()}`,
    Sns: {
      Type: 'Notification',
      MessageId: randomUUID(),
      TopicArn: topic,
      Subject: 'sample',
      Message: '{"key":"value"}',
      Timestamp: now.toISOString(),
      SignatureVersion: '1',
      Signature: 'SAMPLE',
      SigningCertUrl: `https://sns.${ownRegion}.amazonaws.com/sample.pem`,
      UnsubscribeUrl: `https://sns.${ownRegion}.amazonaws.com/?Action=Unsubscribe`,
      MessageAttributes: {},
    },
  };
}

function s3Record(now: Date): Json {
  return {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: ownRegion,
    eventTime: now.toISOString(),
    eventName: 'ObjectCreated:Put',
    userIdentity: { principalId: 'AWS:SAMPLE' },
    requestParameters: { sourceIPAddress: '127.0.0.1' },
    responseElements: { 'x-amz-request-id': 'SAMPLE', 'x-amz-id-2': 'SAMPLE' },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId: 'sample',
      bucket: {
        name: 'sample-bucket',
        ownerIdentity: { principalId: 'SAMPLE' },
        arn: 'arn:aws:s3:::sample-bucket',
      },
      object: { key: 'folder/sample+file.txt', size: 1024, eTag: '0123456789abcdef', sequencer: '0A1B2C3D4E5F678901' },
    },
  };
}

function dynamodbRecord(now: Date, number: number): Json {
  return {
    eventID: randomUUID().replaceAll('-', ''),
    eventName: 'INSERT',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: ownRegion,
    dynamodb: {
      ApproximateCreationDateTime: Math.floor(now.getTime() / 1000),
      Keys: { pk: { S: `item-${number}` } },
      NewImage: { pk: { S: `item-${number}` }, count: { N: String(number) } },
      SequenceNumber: String(111 * number),
      SizeBytes: 26,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
    },
    eventSourceARN: `arn:aws:dynamodb:${ownRegion}:${ownAccount}:table/sample/stream/2026-01-01T00:00:00.000`,
  };
}

function kinesisRecord(now: Date, number: number): Json {
  const sequenceNumber = `4959033827149025660855969253836157109592157598913658882${number}`;
  return {
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey: `key-${number}`,
      sequenceNumber,
      data: Buffer.from(JSON.stringify({ number })).toString('base64'),
      approximateArrivalTimestamp: now.getTime() / 1000,
    },
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `shardId-000000000000:${sequenceNumber}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: `arn:aws:iam::${ownAccount}:role/sample`,
    awsRegion: ownRegion,
    eventSourceARN: `arn:aws:kinesis:${ownRegion}:${ownAccount}:stream/sample`,
  };
}

function eventBridgeEvent(now: Date, detailType: string, source: string, detail: Json, resources: string[]): Json {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': detailType,
    source,
    account: ownAccount,
    time: now.toISOString().replace(/\.\d+Z$/, 'Z'),
    region: ownRegion,
    resources,
    detail,
  };
}
