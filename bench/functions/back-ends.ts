import { createSocket } from 'node:dgram';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

type Value = Record<string, unknown>;
type Item = Record<string, Value>;

/** What a function talks to, on loopback: all of it answers at once and always the same. */
export interface BackEnds {
  /** Of DynamoDB, of OTLP's and of Rollbar's receiver. */
  url: string;
  /** `host:port` of the X-Ray daemon. */
  daemon: string;
  /** What has come in so far. */
  received: { queries: number; segments: number; otlp: number; rollbar: number };
  stop(): Promise<void>;
}

/** Starts them. Eight activities, each with a reply, are what the page of `home` shows. */
export async function startBackEnds(): Promise<BackEnds> {
  const received = { queries: 0, segments: 0, otlp: 0, rollbar: 0 };
  const daemon = createSocket('udp4').on('message', () => {
    received.segments += 1;
  });
  await new Promise<void>((resolve) => daemon.bind(0, '127.0.0.1', resolve));
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const target = request.headers['x-amz-target'];
      if (typeof target !== 'string') {
        received[request.url?.includes('item') ? 'rollbar' : 'otlp'] += 1;
        response.writeHead(200, { 'content-length': 0 }).end();
        return;
      }
      received.queries += 1;
      const text = JSON.stringify(answerOf(target, JSON.parse(Buffer.concat(chunks).toString())));
      const length = Buffer.byteLength(text);
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': length }).end(text);
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    daemon: `127.0.0.1:${daemon.address().port}`,
    received,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await new Promise<void>((resolve) => daemon.close(resolve));
    },
  };
}

interface DynamoDbRequest {
  ExpressionAttributeValues?: Record<string, { S?: string }>;
  RequestItems?: Record<string, { Keys: { pk: { S: string }; sk: { S: string } }[] }>;
}

function answerOf(target: string, { ExpressionAttributeValues, RequestItems = {} }: DynamoDbRequest): object {
  if (target.endsWith('.Query')) {
    const [, month, shard] = ExpressionAttributeValues?.[':partition']?.S?.split('#') ?? [];
    const isThisMonth = month === new Date().toISOString().slice(0, 7);
    const items = isThisMonth ? [activity(Number(shard)), activity(Number(shard) + 4)] : [];
    return { Items: items, Count: items.length, ScannedCount: items.length };
  }
  const [[table = '', { Keys: keys = [] } = {}] = []] = Object.entries(RequestItems);
  return { Responses: { [table]: keys.map(itemOf) }, UnprocessedKeys: {} };
}

function itemOf({ pk, sk }: { pk: { S: string }; sk: { S: string } }): Item {
  if (pk.S.startsWith('USER#')) {
    return { pk, sk, uuid: s('u'), handle: s(pk.S.slice(5)), display_name: s('Andrew Brown'), bio: s('') };
  }
  return { ...activity(0), pk, sk, reply_to_activity_uuid: s(pk.S.slice(9)) };
}

function activity(index: number): Item {
  const uuid = `68f126b0-1ceb-4a33-88be-d90fa71${10_000 + index}`;
  const created = new Date(Date.now() - 60_000 * (index + 1)).toISOString();
  return {
    pk: s(`ACTIVITY#${uuid}`),
    sk: s('ACTIVITY'),
    uuid: s(uuid),
    display_name: s('Andrew Brown'),
    handle: s('andrewbrown'),
    message: s('Cloud is very fun! And here is a text of some length, as people write it.'),
    replies_count: { N: '1' },
    reposts_count: { N: '0' },
    likes_count: { N: '5' },
    created_at: s(created),
    expires_at: s('2099-01-01T00:00:00.000Z'),
    timeline: s('FEED'),
    position: s(`${created}#${uuid}`),
    author: s('andrewbrown'),
    counted_replies: { SS: [`${created}#26e12864-1c26-4c3a-9658-97a10f8fea67`] },
  };
}

function s(text: string): Value {
  return { S: text };
}
